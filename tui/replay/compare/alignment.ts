/** Two runs of a scenario aligned by what the application did; `alongside.ts` looks places up in it. */

import { setImmediate as turn } from "node:timers/promises";
import { pairUp, type SeenCalls, type SeenPair, watchCalls } from "../../../analyzer/index.ts";
import type { ReplaySession } from "../session.ts";
import { siteNumbers } from "./divergence.ts";

/** Traces with more rows than this are not aligned: it takes a pass over all rows. */
const COMPARED_ROWS = 3_000_000;

const areCompared = (session: ReplaySession, other: ReplaySession): boolean =>
  Math.max(session.rows.count, other.rows.count) <= COMPARED_ROWS;

/** What a whole run went through. */
interface Visited {
  readonly calls: SeenCalls;
  /** 1 at each site that has a row. */
  readonly sites: Uint8Array;
}

const visited = new WeakMap<ReplaySession, Visited>();
/** What a damaged trace said: each redraw would read all of it again. */
const failed = new WeakMap<ReplaySession, unknown>();

/** Finds the calls and handlers of the whole trace, by place, and its sites. Yields the rows of each block it has visited. */
function* findVisited(session: ReplaySession): Generator<number, Visited> {
  const known = visited.get(session);
  if (known !== undefined) return known;
  if (failed.has(session)) throw failed.get(session);
  const calls = watchCalls(session.trace);
  const sites = new Uint8Array(session.trace.sites.length);
  try {
    for (const block of session.trace.rows()) {
      calls.put(block);
      for (let i = 0; i < block.n; i += 1) sites[block.site[i] as number] = 1;
      yield block.n;
    }
  } catch (error) {
    failed.set(session, error);
    throw error;
  }
  const all = { calls, sites };
  visited.set(session, all);
  return all;
}

function visitedBy(session: ReplaySession): Visited {
  const steps = findVisited(session);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** Lays the two runs side by side before they are shown, lets timers and signals in meanwhile. False when `signal` was aborted. */
export async function alignCalls(
  session: ReplaySession,
  signal: AbortSignal,
  onProgress: (done: number, total: number) => void,
): Promise<boolean> {
  const sessions = session.other === null || !areCompared(session, session.other) ? [] : [session, session.other];
  const total = sessions.reduce((sum, { rows }) => sum + rows.count, 0);
  let done = 0;
  for (const one of sessions) {
    for (const rows of findVisited(one)) {
      onProgress((done += rows), total);
      await turn();
      if (signal.aborted) return false;
    }
  }
  return true;
}

const paired = new WeakMap<ReplaySession, readonly SeenPair[]>();

/** In order of this trace; what only the other one has comes at its seq there. */
export function pairsOf(session: ReplaySession): readonly SeenPair[] {
  const known = paired.get(session);
  if (known !== undefined) return known;
  if (session.other === null || !areCompared(session, session.other)) return [];
  const one = visitedBy(session).calls;
  const other = visitedBy(session.other).calls;
  const whole = [session, session.other].every(({ trace }) => trace.transitions.end?.reason === "finished") && !one.full && !other.full;
  const all = pairUp(one.seen, other.seen, whole);
  paired.set(session, all);
  return all;
}

/** Sites of each run that the other never comes to. */
export interface OnlySites {
  readonly here: ReadonlySet<number>;
  readonly there: ReadonlySet<number>;
}

const only = new WeakMap<ReplaySession, OnlySites>();

export function onlySites(session: ReplaySession, other: ReplaySession): OnlySites {
  const known = only.get(session);
  if (known !== undefined) return known;
  if (!areCompared(session, other)) return { here: new Set(), there: new Set() };
  const { here, there } = siteNumbers(session, other);
  const ours = visitedBy(session).sites;
  const theirs = visitedBy(other).sites;
  const both = { here: missing(ours, here, theirs, there), there: missing(theirs, there, ours, here) };
  only.set(session, both);
  return both;
}

/** Sites that are visited in one run, and not in the other. */
function missing(visited: Uint8Array, numbers: Int32Array, others: Uint8Array, otherNumbers: Int32Array): Set<number> {
  const there = new Set(otherNumbers.filter((_, site) => others[site] === 1));
  return new Set([...numbers.keys()].filter((site) => visited[site] === 1 && !there.has(numbers[site] as number)));
}
