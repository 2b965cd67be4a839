/** All threads along an axis of time or of transitions: whose code runs, where a thread waits, its calls, handlers and stays in the enclave. */

import { LAYERS } from "../../../engine/index.ts";
import { LAYER_SHAPES } from "../../present/palette.ts";
import { displayWidth, fit, safe } from "../../present/safe.ts";
import { plain, type Style } from "../../present/style.ts";
import { LAYER_TEXT } from "../../present/two-column.ts";
import { axisText } from "../lanes/axis.ts";
import { CALLS, isSignalCode, type Lane, type Lanes, layerOf, NOTHING, type Slice, WAITS, WAITS_MOST } from "../lanes/lane.ts";
import { columnOf, lanesOf } from "../lanes/lanes-of.ts";
import { shownInterval } from "../lanes/view.ts";
import { differsWithin } from "../navigate/differences.ts";
import type { ReplaySession } from "../session.ts";
import { activeFinding, type ReplayState } from "../state.ts";
import { type Pane, windowFrom } from "./pane.ts";

const NAME_WIDTH = 14;
/** Axis, marks and legend. */
const AROUND_LANES = 3;
/** Lines of a lane: its cells; its calls and stays in the enclave; its handlers. */
const MOST_LINES = 3;

export const lanesPane: Pane<"lanes"> = {
  id: "lanes",
  title: "all threads along the time, or a letter a transition; i I zoom",
  wide: true,
  lines(session, s, width, height) {
    const { paint, ascii } = session;
    const { scale } = s.lanes;
    const columns = columnsOf(width);
    const interval = shownInterval(session, s.lanes, s.seq);
    const lanes = lanesOf(session, scale, interval, columns);
    const now = columnOf(lanes, s.seq);
    const hops = hopsOn(session, s, lanes);
    const rows = laneRows(session, s, lanes, height);
    const drawn = rows.flatMap(({ thread, lines }) => {
      const lane = lanes.lanes.get(thread) ?? null;
      const shown = threadName(session.trace.threads[thread]?.name ?? String(thread), NAME_WIDTH - 1);
      const name = fit(`${thread === s.thread ? ">" : " "}${shown}`, NAME_WIDTH);
      const overlay = overlayOf(session, rows, thread, hops);
      const cells = `${thread === s.thread ? paint.strong(name) : name} ${cellsLine(session, lane, columns, now, overlay)}`;
      const below = lane === null ? [] : [callsLine(session, lane, columns, lines < MOST_LINES), handlersLine(session, lane, columns)];
      return [cells, ...below.slice(0, lines - 1).map((line) => `${" ".repeat(NAME_WIDTH + 1)}${line}`)].concat(
        Array.from({ length: lane === null ? lines - 1 : 0 }, () => ""),
      );
    });
    return [
      `${paint.dim(fit(scale === "time" ? " time" : " transitions", NAME_WIDTH + 1))}${paint.dim(axisText(scale, interval, columns, ascii))}`,
      `${" ".repeat(NAME_WIDTH + 1)}${marksLine(session, s, lanes, now, hops)}`,
      ...drawn,
      legend(session, lanes, width),
    ];
  },
};

/** Of threads of one name the number tells which: the name before it is cut. */
function threadName(name: string, width: number): string {
  const [, number = ""] = /(#\d{1,6})$/.exec(name) ?? [];
  return displayWidth(safe(name)) <= width || number === ""
    ? safe(name, width)
    : `${safe(name.slice(0, -number.length), width - number.length - 1)}${number}`;
}

export const columnsOf = (width: number): number => Math.max(10, width - NAME_WIDTH - 1);

/** Column of the lanes at this column of the pane; negative on the names. */
export const laneColumn = (column: number): number => column - NAME_WIDTH - 1;

interface LaneRow {
  readonly thread: number;
  readonly lines: number;
}

/** Which threads are shown, and how many lines each has. */
function laneRows(session: ReplaySession, s: ReplayState, { lanes }: Lanes, height: number): LaneRow[] {
  const room = Math.max(1, height - AROUND_LANES);
  const threads = shownThreads(lanes, s.thread, session.trace.threads.length, room);
  const each = Math.max(1, Math.min(MOST_LINES, Math.floor(room / threads.length)));
  let left = room - each * threads.length;
  return threads.map((thread) => {
    const more = thread === s.thread ? Math.min(left, MOST_LINES - each) : 0;
    left -= more;
    return { thread, lines: each + more };
  });
}

/** The thread whose lane has this line of the pane; null for lines above and below the lanes. */
export function threadAtLine(session: ReplaySession, s: ReplayState, width: number, height: number, line: number): number | null {
  const lanes = lanesOf(session, s.lanes.scale, shownInterval(session, s.lanes, s.seq), columnsOf(width));
  let top = AROUND_LANES - 1;
  for (const { thread, lines } of laneRows(session, s, lanes, height)) {
    if (line >= top && line < top + lines) return thread;
    top += lines;
  }
  return null;
}

/** Threads active in the interval, the selected thread, then others while space remains. */
function shownThreads(lanes: ReadonlyMap<number, unknown>, chosen: number, count: number, room: number): number[] {
  const shown = new Set([...lanes.keys(), chosen]);
  for (let thread = 0; thread < count && shown.size < room; thread += 1) shown.add(thread);
  const threads = [...shown].sort((a, b) => a - b);
  const first = windowFrom(threads.indexOf(chosen), room, threads.length);
  return threads.slice(first, first + room);
}

interface HopAt {
  readonly thread: number;
  readonly column: number;
}

/** The followed signal's hops, in order. */
function hopsOn(session: ReplaySession, s: ReplayState, lanes: Lanes): HopAt[] {
  return (s.signalPath?.hops ?? []).flatMap(({ seq }) => {
    const row = session.rows.at(seq);
    return row === null ? [] : [{ thread: row.thread, column: columnOf(lanes, seq) }];
  });
}

/** What lies over a lane's cells: the signal's hops there, and its way from a thread above to one below or back. */
function overlayOf({ ascii }: ReplaySession, rows: readonly LaneRow[], thread: number, hops: readonly HopAt[]): Map<number, string> {
  const over = new Map<number, string>();
  const line = (of: number): number => rows.findIndex((row) => row.thread === of);
  for (const [i, hop] of hops.entries()) {
    const before = hops[i - 1];
    if (before !== undefined && before.thread !== hop.thread) {
      const [from, to] = [line(before.thread), line(hop.thread)];
      const here = line(thread);
      if (here > Math.min(from, to) && here < Math.max(from, to)) over.set(hop.column, ascii ? "|" : "│");
      if (here === from) over.set(hop.column, ascii ? "+" : to > from ? "┐" : "┘");
    }
  }
  for (const hop of hops) if (hop.thread === thread) over.set(hop.column, ascii ? "*" : "◆");
  return over;
}

/** Characters joined as long as they have the same style. */
function styled(length: number, at: (i: number) => { readonly character: string; readonly style: Style }): string {
  let out = "";
  let run = "";
  let style: Style = plain;
  for (let i = 0; i < length; i += 1) {
    const cell = at(i);
    if (cell.style !== style && run !== "") {
      out += style(run);
      run = "";
    }
    style = cell.style;
    run += cell.character;
  }
  return run === "" ? out : out + style(run);
}

/** Styles of codes, before now and after. */
const laneStyles = new WeakMap<ReplaySession["paint"], { readonly past: Style[]; readonly future: Style[] }>();

function stylesOf({ paint }: ReplaySession): { readonly past: Style[]; readonly future: Style[] } {
  const known = laneStyles.get(paint);
  if (known !== undefined) return known;
  const past: Style[] = [plain, paint.dim, paint.dim, paint.tone.libos];
  for (const layer of LAYERS) past.push(paint.tone[layer], paint.tone[layer]);
  const made = { past, future: past.map((style) => (style === paint.dim ? style : (text: string) => paint.dim(style(text)))) };
  laneStyles.set(paint, made);
  return made;
}

/** Of cells without a layer. */
const SHAPES = {
  [WAITS]: { unicode: "·", ascii: "." },
  [WAITS_MOST]: { unicode: "┊", ascii: ":" },
  [CALLS]: { unicode: "▤", ascii: "c" },
} as const;

function cellCharacter(code: number, ascii: boolean): string {
  if (code === NOTHING) return " ";
  if (code === WAITS || code === WAITS_MOST || code === CALLS) return SHAPES[code][ascii ? "ascii" : "unicode"];
  const layer = layerOf(code) ?? "app";
  const { unicode, ascii: letter } = LAYER_SHAPES[layer];
  return isSignalCode(code) ? letter.toUpperCase() : ascii ? letter : unicode;
}

function cellsLine(session: ReplaySession, lane: Lane | null, columns: number, now: number, over: ReadonlyMap<number, string>): string {
  const { paint, ascii } = session;
  const { past, future } = stylesOf(session);
  return styled(columns, (i) => {
    const code = lane?.cells[i] ?? NOTHING;
    const hop = over.get(i);
    const character = hop ?? cellCharacter(code, ascii);
    if (i === now) return { character, style: paint.here };
    return { character, style: hop !== undefined ? paint.cross : ((i < now ? past : future)[code] ?? plain) };
  });
}

/** Stays in the enclave as a line, and over it the names of calls; handlers, too, where these have no line of their own. */
function callsLine(session: ReplaySession, lane: Lane, columns: number, withHandlers: boolean): string {
  const line = session.ascii ? "=" : "━";
  const cells = Array.from(lane.inside, (inside) => (inside === 1 ? line : " "));
  for (const slice of lane.slices) if (slice.what === "call") write(cells, slice, "");
  if (withHandlers) for (const slice of lane.slices) if (slice.what === "handler") write(cells, slice, line);
  return session.paint.dim(cells.slice(0, columns).join(""));
}

function handlersLine(session: ReplaySession, lane: Lane, columns: number): string {
  const cells = Array.from({ length: columns }, () => " ");
  for (const slice of lane.slices) if (slice.what === "handler") write(cells, slice, session.ascii ? "-" : "─");
  return session.paint.cross(cells.join(""));
}

/** The narrowest slice that has a name. */
const NAMED = 4;

/** The slice's text where it lies; `filler` where that is shorter than the slice. A cell is kept free between two of them. */
function write(cells: string[], { from, to, text }: Slice, filler: string): void {
  const room = to - from;
  const name = room >= NAMED ? safe(text, room) : "";
  // Wide characters would need two cells: such a name is left out.
  const shown = displayWidth(name) === [...name].length ? [...name] : [];
  for (let i = 0; i <= room; i += 1) {
    const character = shown[i] ?? (filler === "" ? undefined : i < room || room === 0 ? filler : undefined);
    if (character !== undefined) cells[from + i] = character;
  }
}

/** Where something is to be seen: the cursor, findings, evidence, differences, the signal's hops, bookmarks; what matters most last. */
function marksLine(session: ReplaySession, s: ReplayState, lanes: Lanes, now: number, hops: readonly HopAt[]): string {
  const { paint, ascii } = session;
  const marks = new Map<number, { readonly character: string; readonly style: Style }>();
  const put = (seq: number, character: string, style: Style): void => void marks.set(columnOf(lanes, seq), { character, style });
  const differs = { character: ascii ? "x" : "≠", style: paint.tone.difference };
  for (let i = 0; i < lanes.edges.length - 1; i += 1)
    if (differsWithin(session, lanes.edges[i] as number, lanes.edges[i + 1] as number)) marks.set(i, differs);
  for (const seq of s.bookmarks) put(seq, "+", paint.strong);
  for (const { column } of hops) marks.set(column, { character: ascii ? "*" : "◆", style: paint.cross });
  for (const { seq } of activeFinding(s)?.evidence ?? []) put(seq, ascii ? "^" : "▴", paint.warn);
  for (const { firstSeq } of s.findings) put(firstSeq, "!", paint.warn);
  marks.set(now, { character: ascii ? "v" : "▼", style: paint.strong });
  const none = { character: " ", style: plain };
  return styled(lanes.edges.length - 1, (i) => marks.get(i) ?? none);
}

/** What the shapes mean at this level of detail. */
function legend(session: ReplaySession, { exact }: Lanes, width: number): string {
  const { paint, ascii } = session;
  if (exact === null) return paint.dim(safe("calls and handlers are being counted; i zooms in", width));
  const set = ascii ? "ascii" : "unicode";
  const waits = SHAPES[WAITS][set];
  if (!exact) {
    const text = `${LAYER_SHAPES.app[set]} application  ${SHAPES[CALLS][set]} calls and their waits  ${waits} one long call  ${ascii ? "-" : "─"} handlers; from the tables: i zooms in to the layers`;
    return paint.dim(safe(text, width));
  }
  if (session.trace.info.origin === "imported") {
    const text = `${LAYER_SHAPES.app[set]} application  ${SHAPES[CALLS][set]} calls and their waits  ${waits} waits  ${LAYER_SHAPES.libos[set]} library OS; capitals: signal context`;
    return paint.dim(safe(text, width));
  }
  const texts = LAYERS.map((layer) => `${LAYER_SHAPES[layer][set]} ${LAYER_TEXT[layer]}`);
  if (width < LEGEND_LAYERS) return paint.dim(safe(texts.join("  "), width));
  const layers = LAYERS.map((layer, i) => paint.tone[layer](texts[i] ?? ""));
  const rest = `  ${waits} waits; capitals: signal context${session.sgx ? `; ${ascii ? "=" : "━"} in the enclave` : ""}; ${SHAPES[WAITS_MOST][set]} waits nearly always`;
  return `${layers.join("  ")}${paint.dim(safe(rest, width - LEGEND_LAYERS))}`;
}

/** Cells of the legend's layers. */
const LEGEND_LAYERS = LAYERS.reduce((sum, layer) => sum + 2 + LAYER_TEXT[layer].length, 0) + 2 * (LAYERS.length - 1);
