/**
 * A call that ends by its own time-out says so with the same result, however long it waited: epoll_wait of a second that is over after
 * a millisecond, a poll that begins its time anew with each ignored signal. The application sees it on its clock.
 */

import { E } from "../../engine/index.ts";

/** The result that says "the time is over", by the name of the call. */
const OVER: ReadonlyMap<string, number> = new Map([
  ["poll", 0],
  ["select", 0],
  ["epoll_wait", 0],
  ["nanosleep", 0],
  ["clock_nanosleep", 0],
  ["futex_wait", E.TIMEDOUT],
  ["sigtimedwait", E.AGAIN],
]);

/** What transitions cost, and a thread that is not next at once, is no difference: the longer wait is more than twice the other and this, ns. */
const GRACE_NS = 200_000;

export function endsByTime(name: string, result: number): boolean {
  return OVER.get(name) === result;
}

/** Both waits in ns. */
export const otherTime = (one: number, other: number): boolean => Math.max(one, other) > 2 * Math.min(one, other) + GRACE_NS;
