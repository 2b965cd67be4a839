/** Keys and mouse over the lanes: zoom, pan, the other axis, and a click on a cell. */

import type { Context } from "../context.ts";
import { goTo } from "../navigate/navigation.ts";
import { columnsOf, laneColumn, threadAtLine } from "../panes/lanes.ts";
import type { Size } from "../screen/layout.ts";
import { seqAt } from "./columns.ts";
import { panned, rescaled, shownInterval, WHOLE_RUN, zoomed } from "./view.ts";

export function zoom(c: Context, by: 1 | -1): void {
  const { lanes, seq } = c.state();
  c.dispatch({ type: "lanes", lanes: zoomed(c.session, lanes, seq, by) });
}

export function wholeRun(c: Context): void {
  const { scale } = c.state().lanes;
  c.dispatch({ type: "lanes", lanes: { ...WHOLE_RUN, scale } });
}

export function pan(c: Context, direction: 1 | -1): void {
  const { lanes, seq } = c.state();
  if (lanes.interval === null) return c.dispatch({ type: "say", message: "the lanes show the whole run: i zooms in" });
  c.dispatch({ type: "lanes", lanes: panned(c.session, lanes, seq, direction) });
}

export function otherScale(c: Context): void {
  const { lanes, seq } = c.state();
  c.dispatch({ type: "lanes", lanes: rescaled(c.session, lanes, seq, (place) => seqAt(c.session, lanes.scale, place)) });
}

/** The place of the axis at a column of the pane. */
function placeAt(c: Context, width: number, column: number): number {
  const { lanes, seq } = c.state();
  const { from, span } = shownInterval(c.session, lanes, seq);
  return from + (Math.max(0, laneColumn(column)) * span) / columnsOf(width);
}

/** The wheel zooms around what the mouse points at. */
export function zoomAt(c: Context, width: number, column: number, by: 1 | -1): void {
  const { lanes, seq } = c.state();
  c.dispatch({ type: "lanes", lanes: zoomed(c.session, lanes, seq, by, placeAt(c, width, column)) });
}

/** A click goes to the first transition of the cell's column that its thread makes, or else to the column's first. */
export function clickAt(c: Context, { width, height }: Size, line: number, column: number): void {
  const { session } = c;
  const s = c.state();
  if (laneColumn(column) < 0) {
    const thread = threadAtLine(session, s, width, height, line);
    return thread === null ? undefined : c.dispatch({ type: "thread", thread });
  }
  const { scale } = s.lanes;
  const [seq, end] = [0, 1].map((more) => seqAt(session, scale, placeAt(c, width, column + more)));
  const at = Math.min(seq ?? 0, session.rows.count - 1);
  const thread = threadAtLine(session, s, width, height, line);
  if (thread === null) return goTo(c, at, null);
  const found = session.rows.find(at - 1, 1, (block, i) => block.thread[i] === thread || block.seq0 + i >= (end ?? 0));
  const there = found !== null && "seq" in found ? session.rows.at(found.seq) : null;
  goTo(c, there?.thread === thread ? there.seq : at, there?.thread === thread ? thread : null);
}

/** The mouse that holds the lanes at a column moves them along. */
export function dragTo(c: Context, width: number, column: number): void {
  const { lanes, lanesHeld, seq } = c.state();
  if (lanesHeld === null || lanesHeld === column) return;
  const share = Math.abs(lanesHeld - column) / columnsOf(width);
  c.dispatch({ type: "lanes", lanes: panned(c.session, lanes, seq, lanesHeld > column ? 1 : -1, share), held: column });
}
