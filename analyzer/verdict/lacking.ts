/**
 * What one run has and the other lacks: did it not happen there, or was that run only cut before it?
 *
 * A thread that ended by itself (by a fault, too), waits for ever or goes round for ever lacks all that it does not have. One that was cut (the limit of
 * the run, the end of its process in both runs) lacks what the other run did within a time of which this one had plenty: more than
 * `SLOWER` times as much, and `GRACE_NS`. The times of two stacks differ by what their transitions cost, never by so much.
 */

import type { Weight } from "./difference.ts";
import type { Observed } from "./observation.ts";

const SLOWER = 20;
const GRACE_NS = 10_000_000;

/** Until when something could have come to a thread, ns; Infinity: for ever, or until it decided itself that nothing would. */
export function horizonOf(of: Observed, thread: number, sameProcessEnd: boolean): number {
  const end = of.ends.threads[thread];
  if (of.full || end === undefined) return Number.NEGATIVE_INFINITY;
  if (end.how === "waiting" || end.how === "running" || end.how === "unborn") return of.time;
  return end.how === "killed" && sameProcessEnd && !end.byItself ? end.time : Number.POSITIVE_INFINITY;
}

/** `took`: from the last common moment to the event, in the run that has it; `since`: that moment in the other, which lacks it. */
export function weightOfLack(horizon: number, since: number, took: number): Weight {
  return horizon - since > SLOWER * Math.max(took, 0) + GRACE_NS ? "differs" : "cut";
}

/** Times that are the same but for what transitions cost. */
export const nearlySame = (a: number, b: number): boolean =>
  a > 0 === b > 0 && Math.abs(a - b) <= GRACE_NS + 0.05 * Math.max(Math.abs(a), Math.abs(b));
