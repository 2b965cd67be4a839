/** Two runs compared step by step: how long a thread makes the same steps in both, and where they diverge. */

import type { ReplaySession } from "../session.ts";

/** Search window: rows of each run that are compared from a common point on. */
export const MAX_ALIGNED_ROWS = 20_000;
/** Alignments kept in memory, so that a redraw computes none. */
const MAX_ALIGNMENTS = 16;
/** Longest detour, in steps of the thread, that one run may take before both make the same steps again. */
const DETOUR = 100;
/** A detour is over when this many steps are the same. */
const SAME_STEPS = 4;

/** The same moment in this run and in the other one, as seqs. */
export interface Both {
  readonly here: number;
  readonly there: number;
}

/** Where the runs diverge: the last common step, and the first step of each run after it. */
export interface Divergence {
  readonly last: Both;
  readonly next: Both;
}

interface StepAlignment {
  /** Steps of the thread that both runs make: the n-th here is the n-th there. */
  readonly here: readonly number[];
  readonly there: readonly number[];
  /** All steps of the thread in this run, up to the end of the search window. */
  readonly all: readonly number[];
  /** The first divergence; null if there is none. */
  readonly divergence: Divergence | null;
  /** First seq past the search window; null if the search reached the end of the trace or the runs diverged for good. */
  readonly end: number | null;
}

const alignments = new WeakMap<ReplaySession, Map<string, StepAlignment>>();

export function alignedSteps(session: ReplaySession, other: ReplaySession, thread: string, from: Both): StepAlignment {
  let kept = alignments.get(session);
  if (kept === undefined) alignments.set(session, (kept = new Map()));
  const key = `${from.here} ${from.there} ${thread}`;
  const known = kept.get(key);
  if (known !== undefined) return known;
  const aligned = alignSteps(session, other, thread, from);
  if (kept.size >= MAX_ALIGNMENTS) kept.delete(kept.keys().next().value ?? "");
  kept.set(key, aligned);
  return aligned;
}

function alignSteps(session: ReplaySession, other: ReplaySession, thread: string, from: Both): StepAlignment {
  const numbers = siteNumbers(session, other);
  const one = stepsOf(session, threadOf(session, thread), from.here, numbers.here);
  const two = stepsOf(other, threadOf(other, thread), from.there, numbers.there);
  const here: number[] = [];
  const there: number[] = [];
  let divergence: Divergence | null = null;
  let i = 0;
  let j = 0;
  while (i < one.seqs.length && j < two.seqs.length) {
    const next = { here: one.seqs[i] as number, there: two.seqs[j] as number };
    if (one.sites[i] === two.sites[j]) {
      here.push(next.here);
      there.push(next.there);
      i += 1;
      j += 1;
      continue;
    }
    divergence ??= { last: { here: here.at(-1) ?? from.here, there: there.at(-1) ?? from.there }, next };
    const further = detour(one.sites, i, two.sites, j);
    if (further === null) return { here, there, all: one.seqs, divergence, end: null };
    i += further.here;
    j += further.there;
  }
  return { here, there, all: one.seqs, divergence, end: endOf(one, i, two, j) };
}

/** `i` and `j` are the first steps that were not walked. */
function endOf(one: Steps, i: number, two: Steps, j: number): number | null {
  if (two.end !== null && j >= two.seqs.length) return one.seqs[i] ?? one.end;
  return one.end;
}

/** How many steps only one of the runs makes until both make the same ones again; null if that takes longer than `DETOUR`. */
function detour(one: readonly number[], i: number, two: readonly number[], j: number): Both | null {
  for (let n = 1; n <= DETOUR; n += 1) {
    if (isSame(one, i, two, j + n)) return { here: 0, there: n };
    if (isSame(one, i + n, two, j)) return { here: n, there: 0 };
  }
  return null;
}

function isSame(one: readonly number[], i: number, two: readonly number[], j: number): boolean {
  for (let n = 0; n < SAME_STEPS; n += 1) if (one[i + n] === undefined || one[i + n] !== two[j + n]) return false;
  return true;
}

interface Steps {
  readonly seqs: readonly number[];
  /** Their sites, as `siteNumbers` numbers them. */
  readonly sites: readonly number[];
  /** First seq that was not looked at; null when all were. */
  readonly end: number | null;
}

function stepsOf({ rows }: ReplaySession, thread: number, from: number, numbers: Int32Array): Steps {
  const seqs: number[] = [];
  const sites: number[] = [];
  const end = Math.min(rows.count, from + MAX_ALIGNED_ROWS);
  for (let seq = from; seq < end; ) {
    const place = rows.block(seq);
    if (place === null) break;
    const { block, row } = place;
    for (let i = row; i < block.n && block.seq0 + i < end; i += 1) {
      if (block.thread[i] !== thread) continue;
      seqs.push(block.seq0 + i);
      sites.push(numbers[block.site[i] as number] as number);
    }
    seq = block.seq0 + block.n;
  }
  return { seqs, sites, end: end < rows.count ? end : null };
}

/** Index of the thread of this name; -1 when there is none. */
export const threadOf = ({ trace }: ReplaySession, name: string): number => trace.threads.findIndex((one) => one.name === name);

interface SiteNumbers {
  readonly here: Int32Array;
  readonly there: Int32Array;
}

const numbered = new WeakMap<ReplaySession, SiteNumbers>();

/** A number for each site: the same one in both runs has the same. A fix moves steps, so it is their texts that tell. */
export function siteNumbers(session: ReplaySession, other: ReplaySession): SiteNumbers {
  const known = numbered.get(session);
  if (known !== undefined) return known;
  const numbers = new Map<string, number>();
  const numberAll = ({ trace }: ReplaySession): Int32Array =>
    Int32Array.from(trace.sites, ({ flow, label, context }) => {
      const text = `${flow}\n${label}\n${context}`;
      const number = numbers.get(text) ?? numbers.size;
      numbers.set(text, number);
      return number;
    });
  const both = { here: numberAll(session), there: numberAll(other) };
  numbered.set(session, both);
  return both;
}
