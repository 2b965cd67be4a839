/** Threads that one run has and the other has not. What their creator did otherwise is why: so each stands behind the call that made it. */

import { placeOf } from "./calls.ts";
import type { PlacedDifference } from "./difference.ts";
import { weightOfLack } from "./lacking.ts";
import { CALL } from "./observation.ts";
import type { Half, Pairing } from "./pairing.ts";
import { absent, type EndedPair, sides } from "./thread-pair.ts";
import { labelOf } from "./tokens.ts";

/** Seqs in the run that has the thread and in the other one. */
type Place = readonly [own: number, other: number];

/** `pairs` are the threads that both runs have. */
export function compareThreadLists({ a, b, threads }: Pairing, pairs: readonly EndedPair[], found: (d: PlacedDifference) => void): void {
  const tell = (own: Half, other: Half, partner: Int32Array, ofA: boolean): void => {
    const places = new Map<number, Place>();
    for (const thread of loneThreads(own, partner)) {
      const end = own.of.ends.threads[thread];
      if (end === undefined) continue;
      const creator = lastThatWent(pairs, ofA, end.begin);
      const since = creator?.common.lastOtherTime ?? 0;
      const took = end.beginTime - (creator?.common.lastOwnTime ?? 0);
      const isOver = other.of.ends.run === "finished" || (creator !== undefined && creator.common.lastSeq > end.begin);
      const place = behindCreator(own, other, thread, places) ?? [end.begin, creator?.common.lastOtherSeq ?? 0];
      places.set(thread, place);
      const { name } = own.of.threads[thread] ?? { name: "" };
      found({
        kind: "thread",
        weight: isOver ? "differs" : weightOfLack(other.of.time, since, took),
        thread: name,
        what: `thread ${name}`,
        line: null,
        ...sides(ofA, { seq: end.begin, text: "starts", result: null }, absent("is not there"), ...place),
      });
    }
  };
  tell(a, b, threads.partner, true);
  tell(b, a, threads.back, false);
}

/** Those of the application, in order of their begin: a creator comes before those that it makes. */
function loneThreads({ of }: Half, partner: Int32Array): number[] {
  const beginOf = (thread: number): number => of.ends.threads[thread]?.begin ?? -1;
  return of.threads
    .flatMap(({ internal }, thread) => (internal || (partner[thread] as number) >= 0 || beginOf(thread) < 0 ? [] : [thread]))
    .sort((x, y) => beginOf(x) - beginOf(y));
}

/** Null when no call tells. */
function behindCreator(own: Half, other: Half, thread: number, places: ReadonlyMap<number, Place>): Place | null {
  const call = callThatMade(own, thread);
  if (call < 0) return null;
  const partner = own.partner[call] as number;
  if (partner >= 0) return [placeOf(own.of, call), placeOf(other.of, partner)];
  const ofCreator = places.get(own.of.items.thread.at(call));
  return ofCreator === undefined ? null : [Math.max(ofCreator[0], own.of.items.seq.at(call)), ofCreator[1]];
}

const MAKES_THREADS = /^(?:v?fork|clone3?|posix_spawn)\b/;

/** The last call begun before the thread that makes one, in its process, or in any other where it is the first of its own; -1 for none. */
function callThatMade({ of }: Half, thread: number): number {
  const { items, ends, threads } = of;
  const begin = ends.threads[thread]?.begin ?? -1;
  const isFirst = ends.processes.some((process) => process.thread === thread);
  for (let item = lastBefore(of.items.seq, begin); item >= 0; item -= 1) {
    const creator = items.thread.at(item);
    if (items.kind.at(item) !== CALL || creator === thread || !MAKES_THREADS.test(labelOf(of, item))) continue;
    if (isFirst !== (threads[creator]?.pid === threads[thread]?.pid)) return item;
  }
  return -1;
}

/** Index of the last of rising numbers that is below `limit`; -1 for none. */
function lastBefore(rising: Half["of"]["items"]["seq"], limit: number): number {
  let [low, high] = [-1, rising.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (rising.at(middle) < limit) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Among the threads that both runs have: the one whose last common moment is nearest before a seq, or else the first. */
function lastThatWent(pairs: readonly EndedPair[], ofA: boolean, seq: number): EndedPair["a"] | undefined {
  const all = pairs.map((pair) => (ofA ? pair.a : pair.b));
  const before = all.filter(({ common }) => common.lastSeq <= seq);
  return before.reduce<EndedPair["a"] | undefined>(
    (best, side) => (best === undefined || side.common.lastSeq > best.common.lastSeq ? side : best),
    before.length === 0 ? all[0] : undefined,
  );
}
