/** Differences between the runs of a thread's signal handlers in two runs. */

import { compareEnds, compareOutputs, lackOf } from "./calls.ts";
import type { Weight } from "./difference.ts";
import { returnedBefore } from "./divergence.ts";
import { HANDLER, MASK_LOW } from "./observation.ts";
import { type Half, IGNORED, placeIn } from "./pairing.ts";
import { absent, sides, type ThreadPair, type ThreadSide } from "./thread-pair.ts";
import { lineOf } from "./tokens.ts";
import { placeText, whatIs } from "./words.ts";

/** A handler at the very end of a call, or right after it: an application that looks at results cannot tell. */
const NEAR_NS = 200_000;

export function compareRuns(pair: ThreadPair): void {
  /** Runs at the same place in both runs, by the place and the handler's run it is in. */
  const together = new Map<string, Partners[]>();
  for (const run of pair.a.half.byThread[pair.a.thread] ?? []) {
    if (pair.a.half.of.items.kind.at(run) !== HANDLER) continue;
    const other = pair.a.half.partner[run] as number;
    if (other < 0) continue;
    if (comparePlaces(pair, run, other)) {
      const key = `${pair.a.half.of.items.parent.at(run)} ${placeIn(pair.a.half, run)}`;
      const list = together.get(key);
      if (list === undefined) together.set(key, [[run, other]]);
      else list.push([run, other]);
    }
    compareEnds(pair, run, other);
    compareOutputs(pair, run, other, (what) => (what >= MASK_LOW ? "mask" : "siginfo"));
  }
  for (const list of together.values()) if (list.length > 1) compareOrder(pair, list);
  for (const ofA of [true, false]) tellOneSided(pair, ofA);
}

/** A handler's run in both runs. */
type Partners = readonly [a: number, b: number];

function tellOneSided(pair: ThreadPair, ofA: boolean): void {
  const own = ofA ? pair.a : pair.b;
  const other = ofA ? pair.b : pair.a;
  const { of, partner } = own.half;
  const { items } = of;
  (own.half.byThread[own.thread] ?? []).forEach((run, i) => {
    if (items.kind.at(run) !== HANDLER || (partner[run] as number) >= 0) return;
    const parent = items.parent.at(run);
    if (parent >= 0 && (partner[parent] as number) < 0) return;
    // The other run ended before the outside world sent it; one that never comes there is another matter.
    const signal = items.signal.at(run);
    const isWithheld = other.half.of.withheld?.has(signal) === true;
    const isSentHereOnly = !isWithheld && items.outside.at(run) > (other.half.of.arrivals.get(signal) ?? 0);
    const weight = isSentHereOnly ? "timing" : lackOf(own, other, run, i);
    if (weight === "timing") displace(pair, ofA, run);
    const seq = items.seq.at(run);
    pair.found({
      kind: "handler",
      weight,
      thread: pair.name,
      what: whatIs(of, run),
      line: lineOf(of, run),
      ...sides(
        ofA,
        { seq, text: `runs ${placeText(of, run)}`, result: null },
        absent("does not run"),
        seq,
        returnedBefore(own, other, run, i) ?? (own.common.otherSeq[i] as number),
      ),
    });
  });
}

/** The call in which it runs was interrupted by chance. */
function displace(pair: ThreadPair, ofA: boolean, run: number): void {
  const { items } = (ofA ? pair.a : pair.b).half.of;
  if (items.inside.at(run) === 1) pair.displaced[ofA ? 0 : 1].add(items.before.at(run));
}

/** True when both run at the same place: then their order can be compared. */
function comparePlaces(pair: ThreadPair, runA: number, runB: number): boolean {
  const { a, b } = pair;
  const parentA = a.half.of.items.parent.at(runA);
  const parentB = b.half.of.items.parent.at(runB);
  const sameParent = parentA < 0 ? parentB < 0 : a.half.partner[parentA] === parentB;
  if (sameParent && placeIn(a.half, runA) === placeIn(b.half, runB)) return true;
  const weight = sameParent && isNear(a.half, runA, b.half, runB) ? "timing" : placeWeight(a, runA, b, runB);
  if (weight === "timing") {
    displace(pair, true, runA);
    displace(pair, false, runB);
  }
  const seqA = a.half.of.items.seq.at(runA);
  const seqB = b.half.of.items.seq.at(runB);
  pair.found({
    kind: "handler-place",
    weight,
    thread: pair.name,
    what: whatIs(a.half.of, runA),
    line: lineOf(a.half.of, runA),
    one: { seq: seqA, text: `runs ${placeText(a.half.of, runA)}`, result: null },
    other: { seq: seqB, text: `runs ${placeText(b.half.of, runB)}`, result: null },
    order: [seqA, seqB],
  });
  return false;
}

/** One run of the handler is at the very begin or end of a call, the other just before or after that call. */
function isNear(a: Half, runA: number, b: Half, runB: number): boolean {
  const placeA = placeIn(a, runA);
  const placeB = placeIn(b, runB);
  if (Math.abs(placeA - placeB) !== 1) return false;
  const [half, run, other] = placeA % 2 === 1 ? [a, runA, placeB - placeA] : [b, runB, placeA - placeB];
  const { items } = half.of;
  const call = items.before.at(run);
  if (other < 0) return items.time.at(run) - items.time.at(call) <= NEAR_NS;
  const over = items.endTime.at(run) < 0 ? items.time.at(run) : items.endTime.at(run);
  return items.endTime.at(call) >= 0 && items.endTime.at(call) - over <= NEAR_NS;
}

/** The same signal, sent at the same place, handled elsewhere: it came early or late. Sent elsewhere, it is handled elsewhere. */
function placeWeight(a: ThreadSide, runA: number, b: ThreadSide, runB: number): Weight {
  const sentA = sentPlace(a, runA);
  const sentB = sentPlace(b, runB);
  return sentA < 0 || sentB < 0 || sentA === sentB ? "differs" : "timing";
}

/** Place of the thread, outside handlers, when the signal was sent; -1 unknown. */
function sentPlace({ half, thread }: ThreadSide, run: number): number {
  const { items } = half.of;
  const sent = items.sent.at(run);
  if (sent < 0) return -1;
  const list = half.byThread[thread] ?? [];
  let at = lastBefore(list, sent, (item) => items.seq.at(item));
  while (at >= 0 && !isOuterCall(half, list[at] as number)) at -= 1;
  if (at < 0) return 0;
  const call = list[at] as number;
  const column = half.column[call] as number;
  const isOver = items.end.at(call) >= 0 && items.end.at(call) <= sent;
  return isOver ? 2 * column + 2 : 2 * column + 1;
}

const isOuterCall = ({ of, column }: Half, item: number): boolean =>
  of.items.kind.at(item) !== HANDLER && of.items.parent.at(item) < 0 && column[item] !== IGNORED;

/** Index of the last whose seq is not after `seq`; -1 none. */
function lastBefore(list: ArrayLike<number>, seq: number, seqOf: (item: number) => number): number {
  let low = -1;
  let high = list.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (seqOf(list[middle] as number) <= seq) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Runs at one place, in the order of the one run: where the other run has them in another order, the first that is not the same. */
function compareOrder(pair: ThreadPair, list: readonly Partners[]): void {
  const a = pair.a.half.of;
  const b = pair.b.half.of;
  const there = [...list].sort(([, x], [, y]) => b.items.seq.at(x) - b.items.seq.at(y));
  const at = list.findIndex((partners, i) => partners !== there[i]);
  const [first, early] = [list[at], there[at]];
  if (first === undefined || early === undefined) return;
  const sent = [a.items.sent.at(first[0]), a.items.sent.at(early[0]), b.items.sent.at(first[1]), b.items.sent.at(early[1])];
  const [a1 = -1, a2 = -1, b1 = -1, b2 = -1] = sent;
  const isTiming = sent.every((seq) => seq >= 0) && a1 < a2 !== b1 < b2;
  const seqs = [a.items.seq.at(first[0]), b.items.seq.at(early[1])] as const;
  pair.found({
    kind: "handler-order",
    weight: isTiming ? "timing" : "differs",
    thread: pair.name,
    what: `handlers ${placeText(a, first[0])}`,
    line: null,
    one: { seq: seqs[0], text: `the ${whatIs(a, first[0])} runs before the ${whatIs(a, early[0])}`, result: null },
    other: { seq: seqs[1], text: `the ${whatIs(b, early[1])} runs before the ${whatIs(b, first[1])}`, result: null },
    order: seqs,
  });
}
