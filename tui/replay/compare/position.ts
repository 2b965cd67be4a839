/** Positions in two aligned runs: where the other run is while this one is at a given seq. */

import { outcome, type Seen, type SeenPair } from "../../../analyzer/index.ts";
import type { ReplaySession } from "../session.ts";
import type { ReplayState } from "../state.ts";
import { pairsOf } from "./alignment.ts";
import { alignedSteps, type Both, type Divergence, threadOf } from "./divergence.ts";

/** A begin or end of a call or handler in this run. */
interface Moment {
  readonly seq: number;
  /** Index of its pair in `pairsOf`. */
  readonly pair: number;
  /** The same in the other run; null when it has none. */
  readonly there: number | null;
}

const moments = new WeakMap<ReplaySession, readonly Moment[]>();

/** In order of seq. */
function momentsOf(session: ReplaySession): readonly Moment[] {
  const known = moments.get(session);
  if (known !== undefined) return known;
  const all = pairsOf(session).flatMap(({ one, other }, pair): Moment[] => {
    if (one === undefined) return [];
    const begin = { seq: one.seq, pair, there: other?.seq ?? null };
    return one.endSeq === null ? [begin] : [begin, { seq: one.endSeq, pair, there: other?.endSeq ?? null }];
  });
  all.sort((a, b) => a.seq - b.seq);
  moments.set(session, all);
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
    if (there !== null && pairs[pair]?.one?.thread === thread) return { here, there };
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
export function divergenceOf(session: ReplaySession, { one, other: there }: SeenPair): Divergence | null {
  if (session.other === null || one === undefined || there === undefined) return null;
  const { divergence } = alignedSteps(session, session.other, one.thread, { here: one.seq, there: there.seq });
  return divergence === null || divergence.next.here > (one.endSeq ?? Number.POSITIVE_INFINITY) ? null : divergence;
}

const differing = new WeakMap<ReplaySession, readonly SeenPair[]>();

/** What differs and happened in this run, in order of where that shows. */
function differencesOf(session: ReplaySession): readonly SeenPair[] {
  const known = differing.get(session);
  if (known !== undefined) return known;
  const all = pairsOf(session).filter(({ one, differs }) => one !== undefined && differs);
  all.sort((a, b) => place(a.one) - place(b.one));
  differing.set(session, all);
  return all;
}

/** The next (1) or last (-1) place where the two runs differ for the application. */
export function nextDifference(
  session: ReplaySession,
  seq: number,
  direction: 1 | -1,
): { seq: number; thread: number; text: string } | null {
  const all = differencesOf(session);
  const found = direction === 1 ? all.find(({ one }) => place(one) > seq) : all.findLast(({ one }) => place(one) < seq);
  if (found?.one === undefined) return null;
  const thread = session.trace.threads.findIndex((one) => one.name === found.one?.thread);
  const text = `${found.one.what}: ${outcome(found.one)} here, ${outcome(found.other)} there`;
  return { seq: place(found.one), thread: Math.max(0, thread), text };
}

/** Where the difference shows: at the end of the call, when it has one. */
const place = (seen: Seen | undefined): number => seen?.endSeq ?? seen?.seq ?? 0;
