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

/**
 * What transitions cost, and a thread that is not next at once, is no difference. The longer wait is more than twice the other, or longer by a
 * tenth of it, and by this, ns: a poll of half a second that begins anew with one signal is over after 0.7 s.
 */
const GRACE_NS = 200_000;
const GRACE_OF_LONG_NS = 10_000_000;

export function endsByTime(name: string, result: number): boolean {
  return OVER.get(name) === result;
}

/** Both waits in ns. */
export function otherTime(one: number, other: number): boolean {
  const shorter = Math.min(one, other);
  return Math.max(one, other) > Math.min(2 * shorter + GRACE_NS, 1.1 * shorter + GRACE_OF_LONG_NS);
}
