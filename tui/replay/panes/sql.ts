/** The last question in SQL and its rows, one of them chosen. */

import type { Cell } from "../../../recorder/index.ts";
import { type Column, columnsOf, fittingWidths, GAP, natural } from "../../present/column-widths.ts";
import { fit, safe } from "../../present/safe.ts";
import { cellText } from "../../present/table.ts";
import { durationText } from "../../present/time.ts";
import { wrapCells } from "../../present/two-column.ts";
import { RECIPES, type Recipe } from "../../recipes.ts";
import type { ReplaySession } from "../session.ts";
import type { ReplayState, SqlResult } from "../state.ts";
import { type Entry, entryLines, type Pane, windowFrom } from "./pane.ts";
import { chartLines } from "./sql-chart.ts";

/** Widest column. */
const CELLS = 40;
/** Cells before a row, where the chosen one has its mark. */
const MARK = 2;
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
    const { names, texts, columns } = drawnOf(s.sql);
    const first = s.sqlColumn;
    // A number is whole or not there: what does not fit is seen sideways.
    const widths = fittingWidths(columns.slice(first), width - MARK);
    const isAll = widths.length === columns.length;
    // A row that is wider than the pane is told below, column by column.
    const isWide = !isAll || widths.some((one, i) => one < natural(columns[i] as Column));
    const below = isWide && height >= TELLS_HEIGHT ? rowCells(s.sql, s.sqlRow, width).slice(0, height - TABLE_LINES) : [];
    const room = Math.max(1, height - 2 - below.length);
    const from = windowFrom(s.sqlRow, room, rows.length);
    const line = (mark: string, cells: readonly string[]): string =>
      fit(`${mark} ${widths.map((one, i) => fit(safe(cells[first + i] ?? "", one), one)).join(" ".repeat(GAP))}`, width);
    const table = texts.slice(from, from + room).map((row, i) => (from + i === s.sqlRow ? paint.here(line(">", row)) : line(" ", row)));
    if (s.chart) {
      const top = windowFrom(s.sqlRow, height - 1, rows.length);
      return [
        paint.dim(safe(`${nameOf(sql, width)}  (G: the rows again)`, width)),
        ...chartLines(s.sql, top, width, height - 1, session.ascii),
      ];
    }
    const count = `${nameOf(sql, width)}: ${rows.length}${truncated ? "+" : ""} ${rows.length === 1 ? "row" : "rows"}`;
    const part = isAll ? "" : `, columns ${first + 1} to ${first + widths.length} of ${columns.length}`;
    const keys = `${isAll ? "" : "A D sideways, "}arrows move, Enter jumps, ; asks, Q questions, G bars, X csv`;
    return [paint.dim(safe(`${count}${part} (${keys})`, width)), paint.strong(line(" ", names)), ...table, ...below];
  },
  scroll: (_, s, __, by) => ({ type: "sqlRow", row: s.sqlRow + by }),
};

/** A question of the list by its name, one's own as it was written. */
const nameOf = (sql: string, width: number): string =>
  RECIPES.find((recipe) => recipe.sql === sql)?.name ?? safe(sql, Math.max(20, Math.min(OWN, width - KEYS)));
/** Of one's own question; ; has all of it. */
const OWN = 60;
/** Of what follows it. */
const KEYS = 60;

/** Before anything was asked: what can be. */
function recipeLines({ paint }: ReplaySession, s: ReplayState, width: number, height: number): string[] {
  const own = s.prompt === "sql" ? "or type one of your own" : "; writes one of your own";
  const head = `Enter asks, arrows choose; ${own} (Tab completes names)`;
  const at = s.picked.recipe;
  const chosen = entryLines(RECIPES.slice(at, at + 1).map(entryOf(">")), width, height)[0] ?? [];
  const room = Math.max(1, height - chosen.length);
  const from = windowFrom(at, room, RECIPES.length);
  const lines = RECIPES.slice(from, from + room).flatMap((recipe, i) => {
    if (from + i === at) return chosen.map(paint.strong);
    const { head, text } = entryOf(" ")(recipe);
    return [safe(head + text, width)];
  });
  return [paint.dim(safe(head, width)), ...lines];
}

const entryOf =
  (mark: string) =>
  ({ name, text }: Recipe): Entry => ({ head: `${mark} ${name.padEnd(16)} `, text });

interface Drawn {
  readonly names: readonly string[];
  readonly texts: readonly (readonly string[])[];
  readonly columns: readonly Column[];
}

const drawn = new WeakMap<SqlResult, Drawn>();

/** A result has many rows and is drawn many times: its texts are made once. */
function drawnOf(result: SqlResult): Drawn {
  const known = drawn.get(result);
  if (known !== undefined) return known;
  const names = result.columns.map((name) => safe(name, CELLS));
  const isTime = result.columns.map((name) => name.endsWith("_ns"));
  const texts = result.rows.map((row) => row.map((cell, i) => safe(isTime[i] === true ? timeCell(cell) : cellText(cell), CELLS)));
  const made = { names, texts, columns: columnsOf(names, texts, (row, i) => isNumber(result.rows[row]?.[i])) };
  drawn.set(result, made);
  return made;
}

const isNumber = (cell: Cell | undefined): cell is number | bigint => typeof cell === "number" || typeof cell === "bigint";

/** Times in ns are read with a unit; what X writes has all digits. */
const timeCell = (cell: Cell): string => (isNumber(cell) && Number(cell) >= 0 ? durationText(Number(cell)) : cellText(cell));

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
