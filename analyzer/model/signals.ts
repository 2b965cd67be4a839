/** Where pending signals wait. Only the newest are kept: what is lost on the way has no end that a row tells. */

import { NONE } from "./scopes.ts";

/** Signals followed at one time, and newest ids whose generation is remembered. A power of two. */
export const KEPT_SIGNALS = 4096;

/** Layer in which a signal waits to be handled. */
export const WAITS_IN = { HOST: 0, PAL: 1, LIBOS: 2 } as const;
export type WaitsIn = (typeof WAITS_IN)[keyof typeof WAITS_IN];

export interface PendingSignal {
  id: number;
  signal: number;
  /** Thread it is for; NONE: the trace names none. */
  thread: number;
  in: WaitsIn;
  /** The row that made it wait there. */
  seq: number;
  time: number;
}

export interface Signals {
  /** By `keyOf`: one signal can wait for several threads at once (a LibOS sends it to all of them). In order of waiting. */
  readonly waiting: Map<number, PendingSignal>;
  /** By id modulo KEPT_SIGNALS: the newest such id, where the host made it pending, and for which thread. */
  readonly generatedId: Float64Array;
  readonly generatedSeq: Float64Array;
  readonly generatedFor: Float64Array;
}

export const createSignals = (): Signals => ({
  waiting: new Map(),
  generatedId: new Float64Array(KEPT_SIGNALS).fill(NONE),
  generatedSeq: new Float64Array(KEPT_SIGNALS),
  generatedFor: new Float64Array(KEPT_SIGNALS),
});

/** Below 2^52, so an exact integer. Threads whose numbers differ by a multiple of 2^21 share keys: no trace has so many at a time. */
const keyOf = (id: number, thread: number): number => (id & 0x7fffffff) * 0x200000 + (thread & 0x1fffff);

const placeOf = (id: number): number => id & (KEPT_SIGNALS - 1);

export function generated(signals: Signals, id: number, seq: number, thread: number): void {
  const place = placeOf(id);
  signals.generatedId[place] = id;
  signals.generatedSeq[place] = seq;
  signals.generatedFor[place] = thread;
}

/** Seq of the row that made it pending in the host; NONE when there was none, or it is long ago. */
export function generatedSeq(signals: Signals, id: number): number {
  const place = placeOf(id);
  return signals.generatedId[place] === id ? (signals.generatedSeq[place] as number) : NONE;
}

export function waits(signals: Signals, id: number, signal: number, thread: number, where: WaitsIn, seq: number, time: number): void {
  const { waiting } = signals;
  const key = keyOf(id, thread);
  waiting.delete(key);
  waiting.set(key, { id, signal, thread, in: where, seq, time });
  if (waiting.size <= KEPT_SIGNALS) return;
  for (const oldest of waiting.keys()) {
    waiting.delete(oldest);
    return;
  }
}

/** `thread` has it now, or it is lost: it waits no more. What waits for the process, in the LibOS or the host, may be taken by any thread. */
export function waitsNoMore(signals: Signals, id: number, thread: number): void {
  if (signals.waiting.delete(keyOf(id, thread)) || signals.waiting.delete(keyOf(id, NONE))) return;
  const place = placeOf(id);
  if (signals.generatedId[place] === id) signals.waiting.delete(keyOf(id, signals.generatedFor[place] as number));
}

/** A thread ended: nothing waits for it any more. */
export function forgetThread(signals: Signals, thread: number): void {
  for (const [key, pending] of signals.waiting) if (pending.thread === thread) signals.waiting.delete(key);
}
