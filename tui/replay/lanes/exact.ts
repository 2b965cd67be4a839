/** Lanes of an interval that is short enough to look at each of its rows. */

import { type Block, KIND, type Site, signalName } from "../../../engine/index.ts";
import { withUnits } from "../../present/units.ts";
import type { ReplaySession } from "../session.ts";
import { CALLS, CODES, codeOf, type Lane, MAX_LANES, MAX_SLICES, NOTHING, type Slice, WAITS, WAITS_MOST } from "./lane.ts";
import type { Interval, Scale } from "./view.ts";

/** Rows before the interval that are looked at, for what a thread does as it begins. */
const LOOK_BACK = 8192;

interface Builder extends Lane {
  readonly cells: Uint8Array;
  readonly inside: Uint8Array;
  readonly slices: Slice[];
  /** Rows of each code in the current column; where the axis is time, ns. */
  readonly counts: Float64Array;
  column: number;
  /** Rows in the current column. */
  rows: number;
  /** Time up to which `counts` tells what the thread did. */
  since: number;
  code: number;
  waits: boolean;
  isInside: boolean;
  /** Begin and text of what is open: a call, and handlers. */
  call: { readonly from: number; readonly text: string } | null;
  readonly handlers: { readonly from: number; readonly text: string }[];
}

/** By thread, in order of their first row. */
export function exactLanes(session: ReplaySession, scale: Scale, interval: Interval, edges: Float64Array): ReadonlyMap<number, Lane> {
  const columns = edges.length - 1;
  const axis = {
    isTime: scale === "time",
    from: interval.from,
    step: interval.span / columns,
    callsAreDark: session.trace.info.origin === "imported",
  };
  const codes = codesOf(session.trace.sites);
  const outside = Uint8Array.from(session.trace.sites, ({ flow }) => (flow === "(outside)" ? 1 : 0));
  const builders = new Map<number, Builder>();
  const [first, last] = [edges[0] as number, edges[columns] as number];
  const { sites } = session.trace;
  let column = -1;
  for (let seq = Math.max(0, first - LOOK_BACK); seq < last; ) {
    const place = session.rows.block(seq);
    if (place === null) break;
    const { block, row } = place;
    const end = Math.min(block.n, last - block.seq0);
    for (let i = row; i < end; i += 1) {
      const here = block.seq0 + i;
      while (here >= first && column < columns - 1 && here >= (edges[column + 1] as number)) column += 1;
      const thread = block.thread[i] as number;
      let b = builders.get(thread);
      if (b === undefined) {
        if (builders.size >= MAX_LANES) continue;
        builders.set(thread, (b = newBuilder(columns, block.time[i] as number)));
      }
      if (column !== b.column) advance(b, column, axis);
      takeRow(b, axis, block, i, codes[block.site[i] as number] ?? NOTHING, outside[block.site[i] as number] === 1);
      takeSlice(b, block, i, sites);
    }
    seq = block.seq0 + block.n;
  }
  for (const builder of builders.values()) finish(builder, columns, axis);
  return builders;
}

const codesOf = (sites: readonly Site[]): Uint8Array => Uint8Array.from(sites, ({ layer, context }) => codeOf(layer, context === "signal"));

/** What the columns count, and in time where they begin. */
interface Axis {
  readonly isTime: boolean;
  readonly from: number;
  readonly step: number;
  /** A log tells calls, and not what was done in them. */
  readonly callsAreDark: boolean;
}

/** So much a row counts where time counts: a column without time has what its rows did. */
const A_ROW_NS = 1e-3;

/** `isOutside`: the outside world makes the row, not the thread. */
function takeRow(b: Builder, axis: Axis, block: Block, i: number, code: number, isOutside: boolean): void {
  if (axis.isTime) goOnTo(b, block.time[i] as number);
  if (b.column >= 0) {
    b.counts[code] = (b.counts[code] as number) + (axis.isTime ? A_ROW_NS : 1);
    b.rows += 1;
  }
  const kind = block.kind[i] as number;
  // A thread goes on waiting when data comes or a timer expires; what one does that was not seen yet, such a row does not tell.
  if (isOutside && (b.waits || b.code === NOTHING) && kind !== EXIT) return;
  b.code = kind === EXIT ? NOTHING : axis.callsAreDark && kind === CALL ? CALLS : code;
  b.waits = kind === KIND["thread.block"] || kind === EXIT;
  if (kind === KIND["sgx.eenter"] || kind === KIND["sgx.eresume"]) b.isInside = true;
  else if (kind === KIND["sgx.eexit"] || kind === KIND["sgx.aex"] || kind === EXIT) b.isInside = false;
}

const EXIT = KIND["thread.exit"];
const CALL = KIND["app.call"];

/** What goes on is what it did until `time`. */
function goOnTo(b: Builder, time: number): void {
  const code = b.waits && b.code !== NOTHING ? WAITS : b.code;
  b.counts[code] = (b.counts[code] as number) + Math.max(0, time - b.since);
  b.since = Math.max(b.since, time);
}

const newBuilder = (columns: number, since: number): Builder => ({
  cells: new Uint8Array(columns),
  inside: new Uint8Array(columns),
  slices: [],
  counts: new Float64Array(CODES),
  column: -1,
  rows: 0,
  since,
  code: NOTHING,
  waits: false,
  isInside: false,
  call: null,
  handlers: [],
});

/** What it did in its column is settled, and the columns up to the next one are filled with what goes on. */
function advance(b: Builder, column: number, axis: Axis): void {
  if (axis.isTime) goOnTo(b, axis.from + (b.column + 1) * axis.step);
  if (b.column >= 0) b.cells[b.column] = most(b.counts, b.code, b.rows);
  b.counts.fill(0);
  b.rows = 0;
  if (axis.isTime) b.since = Math.max(b.since, axis.from + column * axis.step);
  // Where the axis counts transitions, a column of others' is none of this thread's.
  const between = b.waits ? (b.code === NOTHING ? NOTHING : WAITS) : axis.isTime ? b.code : NOTHING;
  for (let i = Math.max(0, b.column + 1); i < column; i += 1) b.cells[i] = between;
  for (let i = Math.max(0, b.column); i < column; i += 1) b.inside[i] = b.isInside ? 1 : 0;
  b.column = column;
}

function most(counts: Float64Array, otherwise: number, rows: number): number {
  let best = 0;
  let code = otherwise;
  for (let i = 0; i < counts.length; i += 1) {
    if ((counts[i] as number) <= best) continue;
    best = counts[i] as number;
    code = i;
  }
  return code === WAITS && rows > 0 ? WAITS_MOST : code;
}

function takeSlice(b: Builder, block: Block, i: number, sites: readonly Site[]): void {
  const kind = block.kind[i] as number;
  const from = Math.max(0, b.column);
  if (kind === KIND["app.call"]) b.call = { from, text: withUnits(sites[block.site[i] as number]?.label ?? "") };
  else if (kind === KIND["app.return"]) {
    const text = b.call?.text ?? (sites[block.site[i] as number]?.flow ?? "").replace(/^libc /, "");
    addSlice(b, { what: "call", from: b.call?.from ?? 0, to: b.column, text });
    b.call = null;
  } else if (kind === KIND["app.handler.enter"]) b.handlers.push({ from, text: signalName(block.signal[i] as number) });
  else if (kind === KIND["app.handler.return"] || kind === KIND["app.handler.longjmp"]) {
    const { from: begun, text } = b.handlers.pop() ?? { from: 0, text: signalName(block.signal[i] as number) };
    addSlice(b, { what: "handler", from: begun, to: b.column, text });
  } else if (kind === EXIT) closeSlices(b, b.column);
}

/** What is open goes on up to that column: the interval ends there, or the thread does. */
function closeSlices(b: Builder, to: number): void {
  if (b.call !== null) addSlice(b, { what: "call", from: b.call.from, to, text: b.call.text });
  for (const { from, text } of b.handlers) addSlice(b, { what: "handler", from, to, text });
  b.call = null;
  b.handlers.length = 0;
}

function addSlice(b: Builder, slice: Slice): void {
  if (slice.to >= 0 && b.slices.length < MAX_SLICES) b.slices.push(slice);
}

function finish(b: Builder, columns: number, axis: Axis): void {
  advance(b, columns, axis);
  closeSlices(b, columns - 1);
}
