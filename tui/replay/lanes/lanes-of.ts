/** The lanes of an interval, at the level of detail that its length allows. */

import type { ReplaySession } from "../session.ts";
import { columnSeqs } from "./columns.ts";
import { exactLanes } from "./exact.ts";
import { type Lane, type Lanes, MAX_LANES, NOTHING, WAITS } from "./lane.ts";
import { isCounted, overviewLanes, sleepersIn } from "./overview.ts";
import type { Interval, Scale } from "./view.ts";

/** Intervals of more transitions are drawn from the tables: so many rows are looked at within a frame. */
export const EXACT_ROWS = 200_000;

/** Lanes that are kept: a step along the timeline makes none anew. */
const KEPT = 4;
const kept = new WeakMap<ReplaySession["trace"], Map<string, Lanes>>();

export function lanesOf(session: ReplaySession, scale: Scale, interval: Interval, columns: number): Lanes {
  let known = kept.get(session.trace);
  if (known === undefined) kept.set(session.trace, (known = new Map()));
  const key = `${scale} ${interval.from} ${interval.span} ${columns} ${isCounted(session)}`;
  let lanes = known.get(key);
  if (lanes === undefined) {
    lanes = makeLanes(session, scale, interval, columns);
    if (known.size >= KEPT) known.delete(known.keys().next().value ?? "");
    known.set(key, lanes);
  }
  return lanes;
}

function makeLanes(session: ReplaySession, scale: Scale, interval: Interval, columns: number): Lanes {
  const edges = columnSeqs(session, scale, interval, columns);
  const rows = (edges[columns] as number) - (edges[0] as number);
  if (rows <= EXACT_ROWS) return { lanes: withSleepers(session, exactLanes(session, scale, interval, edges), edges), edges, exact: true };
  const lanes = overviewLanes(session, edges);
  return { lanes: lanes ?? new Map(), edges, exact: lanes === null ? null : false };
}

/** A thread may have made its last step further back than rows are read: the tables know that it is in one call all along, and it waits. */
function withSleepers(session: ReplaySession, lanes: ReadonlyMap<number, Lane>, edges: Float64Array): ReadonlyMap<number, Lane> {
  const columns = edges.length - 1;
  const all = new Map(lanes);
  for (const thread of sleepersIn(session, edges[0] as number, edges[columns] as number)) {
    const lane = all.get(thread);
    if (lane?.cells.some((cell) => cell !== NOTHING) === true) continue;
    if (lane === undefined && all.size >= MAX_LANES) continue;
    all.set(thread, { cells: new Uint8Array(columns).fill(WAITS), inside: new Uint8Array(columns), slices: [] });
  }
  return all;
}

/** The column in which a transition lies; -1 before the first, as many as there are after the last. */
export function columnOf({ edges }: Lanes, seq: number): number {
  const columns = edges.length - 1;
  if (seq < (edges[0] as number)) return -1;
  if (seq >= (edges[columns] as number)) return columns;
  let low = 0;
  let high = columns - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((edges[middle] as number) <= seq) low = middle;
    else high = middle - 1;
  }
  return low;
}
