/** Locks that the trace names, and the threads that hold them. */

import { NONE } from "./scopes.ts";

/** A thread that ended with the lock in its hands. */
export const ENDED = -2;

/** One lock, free (`holder` is NONE) or held since row `seq`. */
interface Lock {
  /** A thread, or ENDED. */
  holder: number;
  /** Process of the holder. */
  pid: number;
  seq: number;
}

/** By number. Those that are taken again and again stay when they are free. */
export type Locks = Map<number, Lock>;

/** Locks that stay known while they are free: memory does not grow with the number of locks of a trace. */
const MOST_KNOWN = 256;

export const createLocks = (): Locks => new Map();

export function taken(locks: Locks, number: number, thread: number, pid: number, seq: number): void {
  const lock = locks.get(number);
  if (lock === undefined) {
    locks.set(number, { holder: thread, pid, seq });
    return;
  }
  lock.holder = thread;
  lock.pid = pid;
  lock.seq = seq;
}

export function released(locks: Locks, number: number): void {
  const lock = locks.get(number);
  if (lock === undefined) return;
  lock.holder = NONE;
  if (locks.size > MOST_KNOWN) locks.delete(number);
}

export const holderOf = (locks: Locks, number: number): number => locks.get(number)?.holder ?? NONE;

/** Seq of the row with which it was taken; NONE when nobody holds it. */
export function heldSince(locks: Locks, number: number): number {
  const lock = locks.get(number);
  return lock === undefined || lock.holder === NONE ? NONE : lock.seq;
}

export function threadEnded(locks: Locks, thread: number): void {
  for (const lock of locks.values()) if (lock.holder === thread) lock.holder = ENDED;
}

/** Its locks are gone with its memory. */
export function processEnded(locks: Locks, pid: number): void {
  for (const [number, lock] of locks) if (lock.pid === pid && lock.holder !== NONE) released(locks, number);
}
