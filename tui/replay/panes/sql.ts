/** The last question in SQL and its rows, one of them chosen. */

import type { Cell } from "../../../recorder/index.ts";
import { cellText } from "../../present/results.ts";
import { displayWidth, fit, safe } from "../../present/safe.ts";
import { durationText } from "../../present/time.ts";
import { wrapCells } from "../../present/two-column.ts";
import { RECIPES } from "../../recipes.ts";
import type { ReplaySession } from "../session.ts";
import type { ReplayState, SqlResult } from "../state.ts";
import { type Pane, windowFrom } from "./pane.ts";
import { chartLines } from "./sql-chart.ts";

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
    if (s.sql === null) return recipeLines(session, s, width, height);
    const { sql, rows, truncated } = s.sql;
    const whole = drawnOf(s.sql);
    const [names, widths] = [whole.names.slice(s.sqlColumn), whole.widths.slice(s.sqlColumn)];
    const { texts } = whole;
    // A row that is wider than the pane is told below, column by column.
    const wide = widths.reduce((sum, one) => sum + one + 2, 0) > width;
    const below = wide && height >= TELLS_HEIGHT ? rowCells(s.sql, s.sqlRow, width).slice(0, height - TABLE_LINES) : [];
    const room = Math.max(1, height - 2 - below.length);
    const from = windowFrom(s.sqlRow, room, rows.length);
    const line = (mark: string, cells: readonly string[]): string =>
      fit(`${mark} ${cells.map((cell, i) => fit(cell, widths[i] ?? 0)).join("  ")}`, width);
    const table = texts.slice(from, from + room).map((row, i) => {
      const cells = row.slice(s.sqlColumn);
      return from + i === s.sqlRow ? paint.here(line(">", cells)) : line(" ", cells);
    });
    if (s.chart) {
      const first = windowFrom(s.sqlRow, height - 1, rows.length);
      return [paint.dim(safe(`${nameOf(sql)}  (G: the rows again)`, width)), ...chartLines(s.sql, first, width, height - 1, session.ascii)];
    }
    return [
      paint.dim(
        safe(
          `${nameOf(sql)}: ${rows.length}${truncated ? "+" : ""} rows (arrows move, Enter jumps, ; asks, Q questions, G bars, X csv${wide || s.sqlColumn > 0 ? ", A D sideways" : ""})`,
          width,
        ),
      ),
      paint.strong(line(" ", names)),
      ...table,
      ...below,
    ];
  },
  scroll: (_, s, __, by) => ({ type: "sqlRow", row: s.sqlRow + by }),
};

/** A question of the list by its name, one's own as it was written. */
const nameOf = (sql: string): string => RECIPES.find((recipe) => recipe.sql === sql)?.name ?? safe(sql, OWN);
/** Of one's own question; ; has all of it. */
const OWN = 60;

/** Before anything was asked: what can be. */
function recipeLines({ paint }: ReplaySession, s: ReplayState, width: number, height: number): string[] {
  const head = "Enter asks the chosen question, arrows choose; ; writes one of your own (Tab completes names)";
  const room = Math.max(1, height - 1);
  const from = windowFrom(s.picked.recipe, room, RECIPES.length);
  const lines = RECIPES.slice(from, from + room).map(({ name, text }, i) => {
    const chosen = from + i === s.picked.recipe;
    const line = safe(`${chosen ? ">" : " "} ${name.padEnd(16)} ${text}`, width);
    return chosen ? paint.strong(line) : line;
  });
  return [paint.dim(safe(head, width)), ...lines];
}

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
  const isTime = result.columns.map((name) => name.endsWith("_ns"));
  const texts = result.rows.map((row) => row.map((cell, i) => safe(isTime[i] === true ? timeCell(cell) : cellText(cell), CELLS)));
  const widths = names.map((name, i) => texts.reduce((most, row) => Math.max(most, displayWidth(row[i] ?? "")), displayWidth(name)));
  const made = { names, texts, widths };
  drawn.set(result, made);
  return made;
}

/** Times in ns are read with a unit; what X writes has all digits. */
const timeCell = (cell: Cell): string =>
  (typeof cell === "number" || typeof cell === "bigint") && Number(cell) >= 0 ? durationText(Number(cell)) : cellText(cell);

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
