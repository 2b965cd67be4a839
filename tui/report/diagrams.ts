/** The two-column diagram of an interval for a report: all rows where they are few, else those around the evidence. */

import { signalName } from "../../engine/index.ts";
import type { Trace } from "../../recorder/index.ts";
import { around, rowsOfThread } from "../interval.ts";
import type { Io } from "../io.ts";
import { type DiagramLine, type DiagramOptions, diagramOf } from "../present/diagram.ts";
import { chooseRows, type ShownRow } from "../present/interval.ts";
import { safe } from "../present/safe.ts";
import { LAYER_TEXT } from "../present/two-column.ts";
import type { Stretch } from "../stretch.ts";
import type { ReportDiagram, ReportLine } from "./data.ts";

/** Rows of the thread that are looked at in one piece. */
const MOST_SCANNED = 20_000;
/** Rows drawn of one interval; beyond that only what is near the evidence. */
const MOST_DRAWN = 400;
const NEAR = 15;
const MOST_TEXT = 300;

export interface MadeDiagram {
  readonly diagram: ReportDiagram;
  /** Rows of the thread that are left out. */
  readonly cut: boolean;
}

export async function diagramFor(io: Io, trace: Trace, interval: Stretch, options: Omit<DiagramOptions, "marks">): Promise<MadeDiagram> {
  const { pieces, cut } = await piecesOf(io, trace, interval);
  const lines = diagramOf(
    pieces.flatMap(({ rows }) => rows),
    { ...options, marks: interval.marks },
  );
  const gaps = new Map(pieces.flatMap(({ rows, before }) => (before === 0 || rows[0] === undefined ? [] : [[rows[0].row.seq, before]])));
  let inside = false;
  const drawn = lines.flatMap((line): ReportLine[] => {
    const gap = line.is === "row" ? gaps.get(line.row.seq) : undefined;
    const made = lineOf(line, inside);
    inside = made.inside;
    return gap === undefined ? [made] : [{ is: "gap", count: gap, inside: false }, made];
  });
  return { diagram: { sgx: options.sgx, lines: drawn }, cut };
}

/** Rows next to each other, and about how many were left out before them. */
interface Piece {
  readonly rows: readonly ShownRow[];
  readonly before: number;
}

async function piecesOf(io: Io, trace: Trace, interval: Stretch): Promise<{ pieces: Piece[]; cut: boolean }> {
  const { thread, from, to, marks } = interval;
  const marked = new Set(marks.keys());
  const whole = await rowsOfThread(io, trace, thread, from, to, MOST_SCANNED);
  if (!whole.cut) {
    const rows = chooseRows(whole.rows, { all: false, depthBefore: whole.depthBefore, marked });
    if (rows.length <= MOST_DRAWN) return { pieces: [{ rows, before: 0 }], cut: false };
    return { pieces: nearMarks(rows, marked), cut: true };
  }
  const pieces: Piece[] = [];
  let next = from;
  for (const seq of [...marked].sort((a, b) => a - b)) {
    const near = around(trace, thread, seq, NEAR);
    const begin = Math.max(near.from, next);
    if (near.to < begin) continue;
    const { rows, depthBefore } = await rowsOfThread(io, trace, thread, begin, near.to, MOST_SCANNED);
    pieces.push({ rows: chooseRows(rows, { all: false, depthBefore, marked }), before: begin - next });
    next = near.to + 1;
  }
  return { pieces, cut: true };
}

/** The rows up to NEAR before and after a marked one. */
function nearMarks(rows: readonly ShownRow[], marked: ReadonlySet<number>): Piece[] {
  const kept = new Set<number>();
  rows.forEach(({ row }, i) => {
    if (!marked.has(row.seq)) return;
    for (let j = Math.max(0, i - NEAR); j <= Math.min(rows.length - 1, i + NEAR); j += 1) kept.add(j);
  });
  const pieces: { rows: ShownRow[]; before: number }[] = [];
  let last = -1;
  for (const i of [...kept].sort((a, b) => a - b)) {
    if (i !== last + 1 || pieces.length === 0) pieces.push({ rows: [], before: i - last - 1 });
    pieces.at(-1)?.rows.push(rows[i] as ShownRow);
    last = i;
  }
  return pieces;
}

function lineOf(line: DiagramLine, before: boolean): ReportLine {
  if (line.is === "others") return line;
  if (line.is === "crossing") {
    const text = line.toSignal ? (line.signal > 0 ? signalName(line.signal) : "signal") : "back";
    return { is: "crossing", toSignal: line.toSignal, text, inside: before };
  }
  return {
    is: "row",
    seq: line.row.seq,
    layer: line.site === undefined ? "" : LAYER_TEXT[line.site.layer],
    signal: line.signal,
    bars: line.bars,
    text: safe(line.text, MOST_TEXT),
    notes: [...line.notes, ...(line.folded > 0 ? [`…${line.folded}`] : [])].join(", "),
    caption: line.caption === null ? null : safe(line.caption, MOST_TEXT),
    inside: line.inside,
    gate: line.gate,
  };
}
