/** Two runs aligned by what the application did, as `eintr diff` aligns them; `position.ts` looks places up in it. */

import { besideLog, type Ignored, nameOfRun, type Observed, observeTrace, type SidePair, sideBySide } from "../../../analyzer/index.ts";
import type { Block } from "../../../engine/index.ts";
import type { Trace } from "../../../recorder/index.ts";
import type { ReplaySession } from "../session.ts";
import { siteNumbers } from "./divergence.ts";

/** Longer traces are aligned as far as this: it takes a pass over the rows, and memory for each call. */
export const ALIGNED_ROWS = 3_000_000;

/** Null when the two are aligned as a whole, else the first seq that is not. */
export const alignedUpTo = ({ rows, other }: ReplaySession): number | null =>
  other !== null && Math.max(rows.count, other.rows.count) > ALIGNED_ROWS ? ALIGNED_ROWS : null;

/** What a whole run went through. */
interface Visited {
  readonly observed: Observed;
  /** 1 at each site that has a row. */
  readonly sites: Uint8Array;
}

const visited = new WeakMap<Trace, Visited>();

/** Null when `signal` was aborted. */
async function visit(trace: Trace, signal: AbortSignal, onProgress: (rows: number) => void): Promise<Visited | null> {
  const known = visited.get(trace);
  if (known !== undefined) return known;
  const sites = new Uint8Array(trace.sites.length);
  const take = ({ site, n }: Block): void => {
    for (let i = 0; i < n; i += 1) sites[site[i] as number] = 1;
  };
  const observed = await observeTrace(trace, nameOfRun(trace), { signal, onProgress }, take, ALIGNED_ROWS);
  if (observed === null) return null;
  const all = { observed, sites };
  visited.set(trace, all);
  return all;
}

/** By the other run, which lies beside this one only. */
const paired = new WeakMap<ReplaySession, readonly SidePair[]>();
/** What a damaged trace said: it is told where the two would be side by side. */
const failed = new WeakMap<ReplaySession, unknown>();

/**
 * Lays the two runs side by side, before they are shown or again with other differences left out; lets timers and signals in meanwhile.
 * False when `signal` was aborted. Throws TraceError.
 */
export async function alignCalls(
  session: ReplaySession,
  signal: AbortSignal,
  onProgress: (done: number, total: number) => void,
  ignored: Ignored = {},
): Promise<boolean> {
  const { other } = session;
  if (other === null) return true;
  try {
    return await align(session, other, signal, onProgress, ignored);
  } catch (error) {
    failed.set(other, error);
    throw error;
  }
}

async function align(
  { trace, rows }: ReplaySession,
  other: ReplaySession,
  signal: AbortSignal,
  onProgress: (done: number, total: number) => void,
  ignored: Ignored,
): Promise<boolean> {
  const [here, there] = [Math.min(rows.count, ALIGNED_ROWS), Math.min(other.rows.count, ALIGNED_ROWS)];
  const total = here + there;
  const one = await visit(trace, signal, (done) => onProgress(done, total));
  const two = one && (await visit(other.trace, signal, (done) => onProgress(here + done, total)));
  if (one === null || two === null) return false;
  const pairs = await sideBySide(one.observed, two.observed, besideLog(trace.info, other.trace.info, ignored), signal);
  if (pairs === null) return false;
  paired.set(other, pairs);
  return true;
}

const NONE: readonly SidePair[] = [];

/**
 * In order of this trace; what only the other one has stands where it would have been. Empty where they were not aligned. Throws what aligning
 * them threw.
 */
export function pairsOf({ other }: ReplaySession): readonly SidePair[] {
  if (other === null) return NONE;
  if (failed.has(other)) throw failed.get(other);
  return paired.get(other) ?? NONE;
}

/** One of the two is damaged. */
export const isUnaligned = ({ other }: ReplaySession): boolean => other !== null && failed.has(other);

/** Sites of each run that the other never comes to. */
export interface OnlySites {
  readonly here: ReadonlySet<number>;
  readonly there: ReadonlySet<number>;
}

const only = new WeakMap<ReplaySession, OnlySites>();

const ofOneGeneration = new WeakMap<ReplaySession, boolean>();

/** Whether most of the library OS's functions of the one are functions of the other: else each step has another name. */
export function areOfOneGeneration({ trace }: ReplaySession, other: ReplaySession): boolean {
  const known = ofOneGeneration.get(other);
  if (known !== undefined) return known;
  const flowsOf = ({ sites }: ReplaySession["trace"]): Set<string> =>
    new Set(sites.filter(({ layer }) => layer === "libos" || layer === "pal").map(({ flow }) => flow));
  const [here, there] = [flowsOf(trace), flowsOf(other.trace)];
  const shared = [...here].filter((flow) => there.has(flow)).length;
  const made = shared >= Math.min(here.size, there.size) / 2;
  ofOneGeneration.set(other, made);
  return made;
}

export function onlySites(session: ReplaySession, other: ReplaySession): OnlySites {
  const known = only.get(session);
  if (known !== undefined) return known;
  const [ours, theirs] = [visited.get(session.trace), visited.get(other.trace)];
  // What is beyond the aligned part may come there, too.
  const isPart = alignedUpTo(session) !== null;
  if (ours === undefined || theirs === undefined || isPart || !areOfOneGeneration(session, other))
    return { here: new Set(), there: new Set() };
  const { here, there } = siteNumbers(session, other);
  const both = { here: missing(ours.sites, here, theirs.sites, there), there: missing(theirs.sites, there, ours.sites, here) };
  only.set(session, both);
  return both;
}

/** Sites that are visited in one run, and not in the other. */
function missing(sites: Uint8Array, numbers: Int32Array, others: Uint8Array, otherNumbers: Int32Array): Set<number> {
  const there = new Set(otherNumbers.filter((_, site) => others[site] === 1));
  return new Set([...numbers.keys()].filter((site) => sites[site] === 1 && !there.has(numbers[site] as number)));
}
