/**
 * Where two runs of a thread part inside a call: in one of them the call is over, in the other it goes on and a handler runs in it. What
 * came sooner after the last moment that both have in common is the cause: the return, or the handler.
 */

import { HANDLER, RETURNED } from "./observation.ts";
import type { ThreadSide } from "./thread-pair.ts";
import { otherTime } from "./time-outs.ts";

/**
 * Seq of the return in the `other` run, where that is the cause: it came sooner than the handler's run `run` (at position `i` of its
 * thread), which the other run does not have in that call. Else null.
 */
export function returnedBefore(own: ThreadSide, other: ThreadSide, run: number, i: number): number | null {
  const mine = own.half.of.items;
  const theirs = other.half.of.items;
  if (mine.inside.at(run) !== 1) return null;
  const call = own.half.partner[mine.before.at(run)] as number;
  if (call < 0 || theirs.how.at(call) !== RETURNED || isInCall(other, own.half.partner[run] as number, call)) return null;
  const waited = mine.time.at(run) - (own.common.ownTime[i] as number);
  const took = theirs.endTime.at(call) - (own.common.otherTime[i] as number);
  return took < waited ? theirs.end.at(call) : null;
}

const isInCall = ({ half: { of } }: ThreadSide, run: number, call: number): boolean =>
  run >= 0 && of.items.inside.at(run) === 1 && of.items.before.at(run) === call;

/**
 * Where a call parts from the same call in the `other` run: at its end, or at a handler's run that came after the other one's return, or
 * where it waits on although that one has long returned.
 */
export function partingPlace(own: ThreadSide, other: ThreadSide, call: number): number {
  const { items } = own.half.of;
  const list = own.half.byThread[own.thread] ?? [];
  for (let i = positionOf(list, call) + 1; i < list.length; i += 1) {
    const item = list[i] as number;
    if (items.end.at(call) >= 0 && items.seq.at(item) > items.end.at(call)) break;
    const isRunInCall = items.kind.at(item) === HANDLER && items.inside.at(item) === 1 && items.before.at(item) === call;
    if (isRunInCall && returnedBefore(own, other, item, i) !== null) return items.seq.at(item);
  }
  return Math.min(items.end.at(call), waitsOnFrom(own, other, call));
}

/** Seq of what began last before the call had waited for as long as the other one did in all; for ever where it is not longer. */
function waitsOnFrom(own: ThreadSide, other: ThreadSide, call: number): number {
  const [mine, theirs] = [own.half.of.items, other.half.of.items];
  const partner = own.half.partner[call] as number;
  const took = theirs.endTime.at(partner) - theirs.time.at(partner);
  const waited = mine.endTime.at(call) - mine.time.at(call);
  if (waited <= took || !otherTime(waited, took)) return Number.POSITIVE_INFINITY;
  // Items are in the order of their begin.
  let [low, high] = [call, mine.time.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (mine.time.at(middle) <= mine.time.at(call) + took) low = middle;
    else high = middle - 1;
  }
  return mine.seq.at(low);
}

/** Items of a thread are in order of their numbers. */
function positionOf(list: ArrayLike<number>, item: number): number {
  let low = 0;
  let high = list.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle] as number) < item) low = middle + 1;
    else high = middle;
  }
  return low;
}
