/** Columns of the lanes: which transitions each one stands for. Times are found by the table of blocks, not by a look through the trace. */

import type { Cell } from "../../../recorder/index.ts";
import type { ReplaySession } from "../session.ts";
import { type Interval, lengthOf, type Scale } from "./view.ts";

/** Windows of more blocks than this are divided between the blocks' ends, without reading the blocks. */
const READ_BLOCKS = 16;

interface TimeIndex {
  readonly seqs: Float64Array;
  readonly times: Float64Array;
}

const indexes = new WeakMap<ReplaySession, TimeIndex>();

function timeIndex(session: ReplaySession): TimeIndex {
  const known = indexes.get(session);
  if (known !== undefined) return known;
  const rows: Cell[][] = session.trace.ask("SELECT seq0, time0 FROM time_index ORDER BY seq0");
  const made = { seqs: Float64Array.from(rows, ([seq]) => Number(seq)), times: Float64Array.from(rows, ([, time]) => Number(time)) };
  indexes.set(session, made);
  return made;
}

/** Index of the last of `list` that is at most `value`, 0 when none is. */
function lastUpTo(list: Float64Array, value: number): number {
  let low = 0;
  let high = list.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((list[middle] as number) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** First transition at or after a place of the axis, the count of all when there is none. */
export function seqAt(session: ReplaySession, scale: Scale, place: number): number {
  const { count } = session.rows;
  if (scale === "steps") return Math.max(0, Math.min(count, Math.ceil(place)));
  return seqAtTime(session, place, true);
}

function seqAtTime(session: ReplaySession, time: number, exactly: boolean): number {
  const { rows } = session;
  const { seqs, times } = timeIndex(session);
  if (seqs.length === 0 || time <= (times[0] as number)) return 0;
  if (time >= lengthOf(session, "time")) return rows.count;
  // Blocks can begin at the same time: the first row at it lies in the one before all of them.
  const block = Math.max(0, lastUpTo(times, time - 1));
  const [seq0, end] = [seqs[block] as number, seqs[block + 1] ?? rows.count];
  if (!exactly) {
    const [from, to] = [times[block] as number, times[block + 1] ?? lengthOf(session, "time")];
    return Math.min(end, seq0 + Math.ceil(((end - seq0) * (time - from)) / Math.max(1, to - from)));
  }
  let [low, high] = [seq0, end];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows.at(middle)?.time ?? 0) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Seqs at which the columns begin, and where the last one ends: one more than there are columns. */
export function columnSeqs(session: ReplaySession, scale: Scale, { from, span }: Interval, columns: number): Float64Array {
  const edges = new Float64Array(columns + 1);
  const exactly = scale === "steps" || blocksWithin(session, from, span) <= READ_BLOCKS;
  for (let i = 0; i <= columns; i += 1) {
    const place = from + (i * span) / columns;
    edges[i] = scale === "steps" ? seqAt(session, scale, place) : seqAtTime(session, place, exactly);
    // Estimates keep their order.
    if (i > 0) edges[i] = Math.max(edges[i] as number, edges[i - 1] as number);
  }
  return edges;
}

function blocksWithin(session: ReplaySession, from: number, span: number): number {
  const { times } = timeIndex(session);
  return lastUpTo(times, from + span) - lastUpTo(times, from) + 1;
}
