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
    const lone = loneThreads(own, partner);
    const creating = lone.length === 0 ? [] : creatingCalls(own);
    const leaders = new Set(own.of.ends.processes.map(({ thread }) => thread));
    for (const thread of lone) {
      const end = own.of.ends.threads[thread];
      if (end === undefined) continue;
      const creator = lastThatWent(pairs, ofA, end.begin);
      const since = creator?.common.lastOtherTime ?? 0;
      const took = end.beginTime - (creator?.common.lastOwnTime ?? 0);
      const isOver = other.of.ends.run === "finished" || (creator !== undefined && creator.common.lastSeq > end.begin);
      const call = callThatMade(own, thread, leaders.has(thread), creating);
      const place = behind(call, own, other, places) ?? [end.begin, creator?.common.lastOtherSeq ?? 0];
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

/** Where a thread stands that this call made; null when no call tells (-1), or nothing is known of its thread. */
function behind(call: number, own: Half, other: Half, places: ReadonlyMap<number, Place>): Place | null {
  if (call < 0) return null;
  const partner = own.partner[call] as number;
  if (partner >= 0) return [placeOf(own.of, call), placeOf(other.of, partner)];
  const ofCreator = places.get(own.of.items.thread.at(call));
  return ofCreator === undefined ? null : [Math.max(ofCreator[0], own.of.items.seq.at(call)), ofCreator[1]];
}

const MAKES_THREADS = /^(?:v?fork|clone3?|posix_spawn)\b/;

/** Calls that make threads, in the order of their begin: a long run has many other calls, and a stranger's many threads that no call made. */
function creatingCalls({ of }: Half): number[] {
  const found: number[] = [];
  for (let item = 0; item < of.items.kind.length; item += 1)
    if (of.items.kind.at(item) === CALL && MAKES_THREADS.test(labelOf(of, item))) found.push(item);
  return found;
}

/** Of calls that make threads the last one begun before this thread: in its process, or, where it is its `leader`, in another; -1 for none. */
function callThatMade({ of }: Half, thread: number, leader: boolean, creating: readonly number[]): number {
  const { items, ends, threads } = of;
  const begin = ends.threads[thread]?.begin ?? -1;
  for (let i = begunBefore(items.seq, creating, begin) - 1; i >= 0; i -= 1) {
    const item = creating[i] as number;
    const creator = items.thread.at(item);
    if (creator !== thread && leader !== (threads[creator]?.pid === threads[thread]?.pid)) return item;
  }
  return -1;
}

/** How many of these calls begin before `limit`. */
function begunBefore(seq: Half["of"]["items"]["seq"], calls: readonly number[], limit: number): number {
  let [low, high] = [0, calls.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (seq.at(calls[middle] as number) < limit) low = middle + 1;
    else high = middle;
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
