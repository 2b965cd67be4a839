/** The last moment that both runs of a thread have in common, before each of its items: from there on the time is counted. */

import { OPEN } from "./observation.ts";
import type { Half } from "./pairing.ts";

/** The last common moment of a whole thread. */
export interface LastCommon {
  /** Its seq in this run; -1 when there is none. */
  readonly lastSeq: number;
  /** Its times in both runs. */
  readonly lastOwnTime: number;
  readonly lastOtherTime: number;
  readonly lastOtherSeq: number;
}

/** By the position of an item in its thread. */
export interface Common extends LastCommon {
  readonly ownTime: Float64Array;
  readonly otherTime: Float64Array;
  readonly otherSeq: Float64Array;
}

export const lastOf = ({ lastSeq, lastOwnTime, lastOtherTime, lastOtherSeq }: Common): LastCommon => ({
  lastSeq,
  lastOwnTime,
  lastOtherTime,
  lastOtherSeq,
});

/** `from` is where the thread begins, in both runs. */
export function commonOf(half: Half, other: Half, thread: number, from: { own: number; other: number; otherSeq: number }): Common {
  const list = half.byThread[thread] ?? [];
  const mine = half.of.items;
  const theirs = other.of.items;
  const ownTime = new Float64Array(list.length);
  const otherTime = new Float64Array(list.length);
  const otherSeq = new Float64Array(list.length);
  let last = { seq: -1, own: from.own, other: from.other, otherSeq: from.otherSeq };
  /** Items that both have and that are not over yet. */
  const open: number[] = [];
  const endsBefore = (seq: number): void => {
    for (let item = open.at(-1); item !== undefined && mine.how.at(item) !== OPEN && mine.end.at(item) < seq; item = open.at(-1)) {
      open.pop();
      const partner = half.partner[item] as number;
      if (theirs.how.at(partner) === OPEN || theirs.end.at(partner) < last.otherSeq) continue;
      last = { seq: mine.end.at(item), own: mine.endTime.at(item), other: theirs.endTime.at(partner), otherSeq: theirs.end.at(partner) };
    }
  };
  list.forEach((item, i) => {
    endsBefore(mine.seq.at(item));
    ownTime[i] = last.own;
    otherTime[i] = last.other;
    otherSeq[i] = last.otherSeq;
    const partner = half.partner[item] as number;
    if (partner < 0) return;
    open.push(item);
    if (theirs.seq.at(partner) < last.otherSeq) return;
    last = { seq: mine.seq.at(item), own: mine.time.at(item), other: theirs.time.at(partner), otherSeq: theirs.seq.at(partner) };
  });
  endsBefore(Number.POSITIVE_INFINITY);
  return { ownTime, otherTime, otherSeq, lastSeq: last.seq, lastOwnTime: last.own, lastOtherTime: last.other, lastOtherSeq: last.otherSeq };
}
