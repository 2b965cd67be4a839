/** The whole trace on one line: how dense signals are, where findings are, and where now is. */

import { MINIMAP_PARTS, type ReplaySession } from "../session.ts";
import type { ReplayState } from "../state.ts";

const LEVELS = " ▁▂▃▄▅▆▇█";
const ASCII_LEVELS = " .:-=+*#%";
const BEGIN = " begin ";
const END = " end ";

/** Cells of the map itself, for those who draw on it and those who click on it. */
const mapWidth = (width: number): number => Math.max(1, width - BEGIN.length - END.length);

/** Exactly `width` cells. */
export function minimap(session: ReplaySession, s: ReplayState, width: number): string {
  const { paint, rows } = session;
  const cells = densityCells(session, mapWidth(width));
  const column = (seq: number): number => Math.min(cells.length - 1, Math.floor((seq * cells.length) / Math.max(1, rows.count)));
  const found = new Set(s.findings.map((finding) => column(finding.firstSeq)));
  const matched = new Set(s.matches?.seqs.map(column));
  const now = column(s.seq);
  const drawn = cells.map((cell, i) =>
    i === now
      ? paint.here(session.ascii ? "v" : "▼")
      : found.has(i)
        ? paint.warn("!")
        : matched.has(i)
          ? paint.cross(session.ascii ? "/" : "╱")
          : paint.dim(cell),
  );
  return `${paint.dim(BEGIN)}${drawn.join("")}${paint.dim(END)}`;
}

const drawnCells = new WeakMap<Float64Array, string[]>();

/** Changes with the width only. */
function densityCells({ density, ascii }: ReplaySession, width: number): string[] {
  const known = drawnCells.get(density);
  if (known?.length === width) return known;
  const sums = Array.from({ length: width }, (_, column) => {
    const first = Math.floor((column * MINIMAP_PARTS) / width);
    const last = Math.max(first + 1, Math.floor(((column + 1) * MINIMAP_PARTS) / width));
    return density.subarray(first, last).reduce((sum, part) => sum + part, 0);
  });
  const most = Math.max(1, ...sums);
  const levels = ascii ? ASCII_LEVELS : LEVELS;
  const cells = sums.map((sum) =>
    sum === 0 ? (ascii ? "_" : "─") : (levels[Math.max(1, Math.ceil((sum / most) * (levels.length - 1)))] ?? " "),
  );
  drawnCells.set(density, cells);
  return cells;
}

/** The seq a click on the minimap means. */
export function seqAtColumn(column: number, width: number, count: number): number {
  const cells = mapWidth(width);
  const share = (column - BEGIN.length) / Math.max(1, cells - 1);
  return Math.round(Math.max(0, Math.min(1, share)) * (count - 1));
}
