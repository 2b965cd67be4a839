/** State of the live threads, in typed arrays by slot. The slot of a thread that ended is used again. */

import { doubled, NONE, SCOPE_TYPES } from "./scopes.ts";

/**
 * The masks of a thread: that of the host kernel, the one its application sees as long as a row tells it (on plain Linux they are one),
 * and the one that the LibOS keeps.
 */
export const MASK = { HOST: 0, APP: 1, LIBOS: 2 } as const;
export type Mask = (typeof MASK)[keyof typeof MASK];
export const MASKS = 3;

export interface Threads {
  readonly slots: Map<number, number>;
  thread: Uint32Array;
  /** Seq of the thread's first row: tells one use of a slot from the next. NONE in a free slot. */
  seq: Float64Array;
  /** Innermost open scope, and the innermost of each type (slot * SCOPE_TYPES + type). */
  top: Int32Array;
  innermost: Int32Array;
  /** Number of open scopes. */
  open: Int32Array;
  /** Seq of the row with which it fell asleep in the host kernel, NONE while it runs. */
  blockedSeq: Float64Array;
  blockedTime: Float64Array;
  /** Object it waits for, NONE for no object. */
  blockedOn: Int32Array;
  /** 1: a signal may end the wait. */
  interruptible: Uint8Array;
  /** slot * MASKS + mask: the set as two words, and 1 where it is known. */
  maskLow: Int32Array;
  maskHigh: Int32Array;
  maskKnown: Uint8Array;
  /** Locks that it holds. */
  locksHeld: Int32Array;
  /** Seq of its last FAILURE upcall, which sets pal_errno; NONE before. */
  failedSeq: Float64Array;
  readonly free: number[];
}

const FIRST_SIZE = 16;

export function createThreads(): Threads {
  const n = FIRST_SIZE;
  return {
    slots: new Map(),
    thread: new Uint32Array(n),
    seq: new Float64Array(n).fill(NONE),
    top: new Int32Array(n),
    innermost: new Int32Array(n * SCOPE_TYPES),
    open: new Int32Array(n),
    blockedSeq: new Float64Array(n),
    blockedTime: new Float64Array(n),
    blockedOn: new Int32Array(n),
    interruptible: new Uint8Array(n),
    maskLow: new Int32Array(n * MASKS),
    maskHigh: new Int32Array(n * MASKS),
    maskKnown: new Uint8Array(n * MASKS),
    locksHeld: new Int32Array(n),
    failedSeq: new Float64Array(n),
    free: slotsBetween(0, n),
  };
}

/** Highest first: the lowest is taken first. */
const slotsBetween = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => to - 1 - i);

/** A slot for a thread that has none; `seq` is its first row. */
export function addThread(threads: Threads, thread: number, seq: number): number {
  if (threads.free.length === 0) grow(threads);
  const slot = threads.free.pop() as number;
  threads.slots.set(thread, slot);
  threads.thread[slot] = thread;
  threads.seq[slot] = seq;
  threads.top[slot] = NONE;
  threads.innermost.fill(NONE, slot * SCOPE_TYPES, (slot + 1) * SCOPE_TYPES);
  threads.open[slot] = 0;
  threads.blockedSeq[slot] = NONE;
  threads.maskKnown.fill(0, slot * MASKS, (slot + 1) * MASKS);
  threads.locksHeld[slot] = 0;
  threads.failedSeq[slot] = NONE;
  return slot;
}

export function dropThread(threads: Threads, slot: number): void {
  threads.slots.delete(threads.thread[slot] as number);
  threads.seq[slot] = NONE;
  threads.free.push(slot);
}

function grow(threads: Threads): void {
  const n = threads.thread.length;
  threads.thread = doubled(threads.thread);
  threads.seq = doubled(threads.seq).fill(NONE, n);
  threads.top = doubled(threads.top);
  threads.innermost = doubled(threads.innermost);
  threads.open = doubled(threads.open);
  threads.blockedSeq = doubled(threads.blockedSeq);
  threads.blockedTime = doubled(threads.blockedTime);
  threads.blockedOn = doubled(threads.blockedOn);
  threads.interruptible = doubled(threads.interruptible);
  threads.maskLow = doubled(threads.maskLow);
  threads.maskHigh = doubled(threads.maskHigh);
  threads.maskKnown = doubled(threads.maskKnown);
  threads.locksHeld = doubled(threads.locksHeld);
  threads.failedSeq = doubled(threads.failedSeq);
  threads.free.push(...slotsBetween(n, 2 * n));
}
