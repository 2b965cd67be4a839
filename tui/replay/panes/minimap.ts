/** The whole trace on one line: how dense signals are, where findings are, and where now is. */

import { SEVERITIES } from "../../../analyzer/index.ts";
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
  const found = findingColumns(s.findings, column, cells.length);
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

/** At most so many cells are marked: what is below them, how dense signals are, is to be seen as well. */
const MOST_MARKED = 1 / 3;

const RANKS: readonly string[] = SEVERITIES;

/** By severity, from the least: the columns that have such a finding. */
const columnsByRank = (findings: Findings, column: (seq: number) => number): Set<number>[] => {
  const columns = RANKS.map(() => new Set<number>());
  for (const { severity, firstSeq } of findings) columns[RANKS.indexOf(severity)]?.add(column(firstSeq));
  return columns;
};

type Findings = readonly { readonly severity: string; readonly firstSeq: number }[];

/** Columns that have a finding; of a trace full of them those of the graver ones. */
export function findingColumns(findings: Findings, column: (seq: number) => number, cells: number): ReadonlySet<number> {
  const marked = new Set<number>();
  for (const columns of columnsByRank(findings, column).reverse()) {
    const both = new Set([...marked, ...columns]);
    if (marked.size > 0 && both.size > cells * MOST_MARKED) break;
    for (const one of columns) marked.add(one);
  }
  return marked;
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
