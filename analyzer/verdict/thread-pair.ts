/** A thread in both runs, with what is needed to weigh what one of them lacks. */

import { type Common, commonOf, type LastCommon, lastOf } from "./common.ts";
import type { PlacedDifference, Side } from "./difference.ts";
import type { Ids } from "./ids.ts";
import { horizonOf } from "./lacking.ts";
import type { Half, Pairing } from "./pairing.ts";

/** The thread in one of the runs. */
export interface ThreadSide<C extends LastCommon = Common> {
  readonly half: Half;
  readonly thread: number;
  readonly common: C;
  /** Until when something could have come to it, ns. */
  readonly horizon: number;
}

export interface ThreadPair {
  readonly name: string;
  readonly a: ThreadSide;
  readonly b: ThreadSide;
  readonly ids: Ids;
  /** Calls of each run that were interrupted at another moment because the signal came at another one. */
  readonly displaced: readonly [a: Set<number>, b: Set<number>];
  readonly found: (difference: PlacedDifference) => void;
}

/** What is left to know of a pair when its calls were compared: how it ends. */
export interface EndedPair extends Pick<ThreadPair, "name" | "found"> {
  readonly a: ThreadSide<LastCommon>;
  readonly b: ThreadSide<LastCommon>;
}

export const ended = ({ name, a, b, found }: ThreadPair): EndedPair => ({
  name,
  a: { ...a, common: lastOf(a.common) },
  b: { ...b, common: lastOf(b.common) },
  found,
});

export function threadPair(
  { a, b }: Pairing,
  [threadA, threadB]: readonly [number, number],
  sameProcessEnd: boolean,
  more: Pick<ThreadPair, "ids" | "found">,
): ThreadPair {
  const endA = a.of.ends.threads[threadA];
  const endB = b.of.ends.threads[threadB];
  const start = { a: endA?.beginTime ?? 0, b: endB?.beginTime ?? 0 };
  const begin = { a: endA?.begin ?? 0, b: endB?.begin ?? 0 };
  return {
    name: a.of.threads[threadA]?.name ?? "",
    a: {
      half: a,
      thread: threadA,
      common: commonOf(a, b, threadA, { own: start.a, other: start.b, otherSeq: begin.b }),
      horizon: horizonOf(a.of, threadA, sameProcessEnd),
    },
    b: {
      half: b,
      thread: threadB,
      common: commonOf(b, a, threadB, { own: start.b, other: start.a, otherSeq: begin.a }),
      horizon: horizonOf(b.of, threadB, sameProcessEnd),
    },
    displaced: [new Set(), new Set()],
    ...more,
  };
}

/** Orders a pair (this run, the other run) as (first run, second run). */
export function sides(
  ofA: boolean,
  own: Side,
  other: Side,
  ownSeq: number,
  otherSeq: number,
): Pick<PlacedDifference, "one" | "other" | "order"> {
  return ofA ? { one: own, other, order: [ownSeq, otherSeq] } : { one: other, other: own, order: [otherSeq, ownSeq] };
}

export const absent = (text: string): Side => ({ seq: null, text, result: null });
