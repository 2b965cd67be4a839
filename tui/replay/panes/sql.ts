/** The last question in SQL and its rows, one of them chosen. */

import { cellText } from "../../present/results.ts";
import { displayWidth, fit, safe } from "../../present/safe.ts";
import { wrapCells } from "../../present/two-column.ts";
import type { SqlResult } from "../state.ts";
import { type Pane, windowFrom } from "./pane.ts";

/** Widest column. */
const CELLS = 40;
/** Panes of this height tell a wide row's cells below the table, and leave so many lines to the table. */
const TELLS_HEIGHT = 12;
const TABLE_LINES = 6;
/** Longest cell that is told there. */
const TOLD = 1000;

export const sqlPane: Pane<"sql"> = {
  id: "sql",
  title: "rows of the last question; Enter jumps to a row's seq",
  wide: true,
  lines(session, s, width, height) {
    const { paint } = session;
    if (s.sql === null) return [paint.dim(safe("; writes a query, such as SELECT * FROM signals; Enter on a row jumps to its seq", width))];
    const { sql, rows, truncated } = s.sql;
    const { names, texts, widths } = drawnOf(s.sql);
    // A row that is wider than the pane is told below, column by column.
    const wide = widths.reduce((sum, one) => sum + one + 2, 0) > width;
    const below = wide && height >= TELLS_HEIGHT ? rowCells(s.sql, s.sqlRow, width).slice(0, height - TABLE_LINES) : [];
    const room = Math.max(1, height - 2 - below.length);
    const from = windowFrom(s.sqlRow, room, rows.length);
    const line = (mark: string, cells: readonly string[]): string =>
      fit(`${mark} ${cells.map((cell, i) => fit(cell, widths[i] ?? 0)).join("  ")}`, width);
    const table = texts.slice(from, from + room).map((row, i) => (from + i === s.sqlRow ? paint.here(line(">", row)) : line(" ", row)));
    return [
      paint.dim(safe(`${sql}  (${rows.length}${truncated ? "+" : ""} rows; , . move, Enter jumps, ; edits)`, width)),
      paint.strong(line(" ", names)),
      ...table,
      ...below,
    ];
  },
  scroll: (_, s, __, by) => ({ type: "sqlRow", row: s.sqlRow + by }),
};

interface Drawn {
  readonly names: readonly string[];
  readonly texts: readonly (readonly string[])[];
  readonly widths: readonly number[];
}

const drawn = new WeakMap<SqlResult, Drawn>();

/** A result has many rows and is drawn many times: its texts are made once. */
function drawnOf(result: SqlResult): Drawn {
  const known = drawn.get(result);
  if (known !== undefined) return known;
  const names = result.columns.map((name) => safe(name, CELLS));
  const texts = result.rows.map((row) => row.map((cell) => safe(cellText(cell), CELLS)));
  const widths = names.map((name, i) => texts.reduce((most, row) => Math.max(most, displayWidth(row[i] ?? "")), displayWidth(name)));
  const made = { names, texts, widths };
  drawn.set(result, made);
  return made;
}

function rowCells({ columns, rows }: SqlResult, at: number, width: number): string[] {
  const cells = rows[at] ?? [];
  return [
    "",
    ...columns.flatMap((name, i) =>
      wrapCells(safe(`${name}: ${safe(cellText(cells[i] ?? null), TOLD)}`), width, 2).map((part, line) =>
        line === 0 ? part : `  ${part}`,
      ),
    ),
  ];
}
