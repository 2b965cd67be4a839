/** Positions in two aligned runs: where the other run is while this one is at a given seq. */

import { isDetail, type SideItem, type SidePair } from "../../../analyzer/index.ts";
import { withUnits } from "../../present/units.ts";
import type { ReplaySession } from "../session.ts";
import type { ReplayState } from "../state.ts";
import { isUnaligned, pairsOf } from "./alignment.ts";
import { alignedSteps, type Both, type Divergence, threadOf } from "./divergence.ts";

/** A begin or end of a call or handler in this run. */
interface Moment {
  readonly seq: number;
  /** Index of its pair in `pairsOf`. */
  readonly pair: number;
  /** The same in the other run; null when it has none. */
  readonly there: number | null;
}

const moments = new WeakMap<readonly SidePair[], readonly Moment[]>();

/** In order of seq. */
function momentsOf(session: ReplaySession): readonly Moment[] {
  const pairs = pairsOf(session);
  const known = moments.get(pairs);
  if (known !== undefined) return known;
  const all = pairs.flatMap(({ one, other }, pair): Moment[] => {
    if (one === null) return [];
    const begin = { seq: one.seq, pair, there: other?.seq ?? null };
    return one.endSeq === null ? [begin] : [begin, { seq: one.endSeq, pair, there: other?.endSeq ?? null }];
  });
  all.sort((a, b) => a.seq - b.seq);
  moments.set(pairs, all);
  return all;
}

/** Index of the last moment up to `seq`, -1 before the first. */
function lastUpTo(all: readonly Moment[], seq: number): number {
  let low = -1;
  let high = all.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((all[middle] as Moment).seq <= seq) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Index of the pair that began or ended last, up to `seq`; -1 before the first. */
export function pairAt(session: ReplaySession, seq: number): number {
  const all = momentsOf(session);
  return all[lastUpTo(all, seq)]?.pair ?? -1;
}

/** The last begin or end of a call or handler of the thread that both runs have. */
function lastCommonEvent(session: ReplaySession, thread: string, seq: number): Both {
  const pairs = pairsOf(session);
  const all = momentsOf(session);
  for (let i = lastUpTo(all, seq); i >= 0; i -= 1) {
    const { seq: here, pair, there } = all[i] as Moment;
    if (there !== null && pairs[pair]?.thread === thread) return { here, there };
  }
  return { here: 0, there: 0 };
}

export interface Aligned {
  readonly seq: number;
  readonly thread: number;
  /** Why the other run does not advance: the runs have diverged, or the search window ends here. Null while both make the same steps. */
  readonly waits: "diverged" | "far" | null;
}

/**
 * Where the other run is when this one stands at `seq`, null when it does not have the thread: at the same begin or end of a call or
 * handler of the thread, and from there as far as both make the same steps.
 */
export function alignedSeq(session: ReplaySession, s: ReplayState): Aligned | null {
  const { other } = session;
  if (other === null) return null;
  const name = session.trace.threads[s.thread]?.name ?? "";
  const thread = threadOf(other, name);
  if (thread < 0) return null;
  const from = lastCommonEvent(session, name, s.seq);
  const { here, there, all, divergence, end } = alignedSteps(session, other, name, from);
  const at = here.findLastIndex((seq) => seq <= s.seq);
  const seq = there[at] ?? from.there;
  const isBehind = all.findLast((step) => step <= s.seq) !== here[at];
  if (end !== null && s.seq >= end && at === here.length - 1) return { seq, thread, waits: "far" };
  return { seq, thread, waits: divergence !== null && isBehind ? "diverged" : null };
}

/** The first divergence within a call or handler; null if there is none in the search window. */
export function divergenceOf(session: ReplaySession, { thread, one, other: there }: SidePair): Divergence | null {
  if (session.other === null || one === null || there === null) return null;
  const { divergence } = alignedSteps(session, session.other, thread, { here: one.seq, there: there.seq });
  return divergence === null || divergence.next.here > (one.endSeq ?? Number.POSITIVE_INFINITY) ? null : divergence;
}

/** Where the two runs differ, and in what. */
interface Place {
  readonly seq: number;
  readonly pairs: readonly SidePair[];
}

const differing = new WeakMap<readonly SidePair[], readonly Place[]>();

/** In order of where they show in this run; what only the other one has shows at what is before it here. */
function differencesOf(session: ReplaySession): readonly Place[] {
  const pairs = pairsOf(session);
  const known = differing.get(pairs);
  if (known !== undefined) return known;
  const bySeq = new Map<number, SidePair[]>();
  let before = 0;
  for (const pair of pairs) {
    const seq = pair.one === null ? before : place(pair.one);
    if (pair.one !== null) before = seq;
    if (pair.difference === null) continue;
    const there = bySeq.get(seq);
    if (there === undefined) bySeq.set(seq, [pair]);
    else there.push(pair);
  }
  const all = [...bySeq].map(([seq, at]) => ({ seq, pairs: at })).sort((a, b) => a.seq - b.seq);
  differing.set(pairs, all);
  return all;
}

/** How many differences there are, and the first one that is no detail, where it shows; null where there is none, or they could not be aligned. */
export function firstOfDifferences(session: ReplaySession): { readonly count: number; readonly seq: number; readonly text: string } | null {
  if (isUnaligned(session)) return null;
  const all = differencesOf(session);
  const matters = ({ difference }: SidePair): boolean => difference !== null && !isDetail(difference);
  const found = all.find(({ pairs }) => pairs.some(matters)) ?? all[0];
  const first = found?.pairs.find(matters) ?? found?.pairs[0];
  if (found === undefined || first === undefined) return null;
  return { count: all.reduce((sum, { pairs }) => sum + pairs.length, 0), seq: found.seq, text: differenceText(first) };
}

/** The next (1) or last (-1) place where the two runs differ for the application. */
export function nextDifference(
  session: ReplaySession,
  seq: number,
  direction: 1 | -1,
): { seq: number; thread: number; text: string } | null {
  const all = differencesOf(session);
  const found = direction === 1 ? all.find((one) => one.seq > seq) : all.findLast((one) => one.seq < seq);
  const [first, ...others] = found?.pairs ?? [];
  if (found === undefined || first === undefined) return null;
  const named = session.trace.threads.findIndex(({ name }) => name === first.thread);
  const thread = session.rows.at(found.seq)?.thread ?? Math.max(0, named);
  const more =
    others.length === 0
      ? ""
      : `; and ${others.length} more here: ${others
          .map(({ what }) => withUnits(what))
          .slice(0, MORE_NAMED)
          .join(", ")}`;
  return { seq: found.seq, thread: named >= 0 ? named : thread, text: `${differenceText(first)}${more}` };
}

/** Of several differences at one place so many are named. */
const MORE_NAMED = 3;

/** "read(pipe, 64): 0 here, -EINTR there". */
const differenceText = ({ what, difference }: SidePair): string =>
  withUnits(difference === null ? what : `${what}: ${difference.one.text} here, ${difference.other.text} there`);

/** Where the difference shows: at the end of the call, when it has one. */
const place = ({ seq, endSeq }: SideItem): number => endSeq ?? seq;
