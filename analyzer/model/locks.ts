/** Locks that the trace names, and the threads that hold them. */

import { NONE } from "./scopes.ts";

/** A thread that ended with the lock in its hands. */
export const ENDED = -2;

export interface Locks {
  /** Lock to the thread that holds it, or ENDED. */
  readonly holder: Map<number, number>;
  /** Lock to the process of its holder. */
  readonly process: Map<number, number>;
  /** Lock to the row with which it was taken. */
  readonly since: Map<number, number>;
}

export const createLocks = (): Locks => ({ holder: new Map(), process: new Map(), since: new Map() });

export function taken(locks: Locks, lock: number, thread: number, pid: number, seq: number): void {
  locks.since.set(lock, seq);
  locks.holder.set(lock, thread);
  locks.process.set(lock, pid);
}

export function released(locks: Locks, lock: number): void {
  locks.holder.delete(lock);
  locks.process.delete(lock);
  locks.since.delete(lock);
}

export const holderOf = (locks: Locks, lock: number): number => locks.holder.get(lock) ?? NONE;

export function threadEnded(locks: Locks, thread: number): void {
  for (const [lock, holder] of locks.holder) if (holder === thread) locks.holder.set(lock, ENDED);
}

/** Its locks are gone with its memory. */
export function processEnded(locks: Locks, pid: number): void {
  for (const [lock, process] of locks.process) if (process === pid) released(locks, lock);
}
