/** A result of two columns as bars: what, and how much of it. */

import { displayWidth, fit, safe } from "../../present/safe.ts";
import { cellText } from "../../present/table.ts";
import { durationText } from "../../present/time.ts";
import type { SqlResult } from "../state.ts";

const WIDEST_NAME = 30;

/** Columns of a result that can be drawn: the first with names, and the first number after it. Null where there are none. */
export function chartColumns({ columns, rows }: SqlResult): { readonly name: number; readonly value: number } | null {
  const isNumber = (at: number): boolean =>
    rows.some((row) => isAmount(row[at])) && rows.every((row) => row[at] === null || isAmount(row[at]));
  // A place in the trace, or a number by which something is called, is no amount.
  const isPlace = (column: string): boolean => /(?:^|_)(?:seq|id|nr)$/.test(column);
  const value = columns.findIndex((column, at) => at > 0 && !isPlace(column) && isNumber(at));
  return value < 0 ? null : { name: 0, value };
}

const isAmount = (cell: unknown): boolean => (typeof cell === "number" || typeof cell === "bigint") && Number(cell) >= 0;

/** A line a row, `from` the first one shown; the longest bar is the room there is. */
export function chartLines(result: SqlResult, from: number, width: number, height: number, ascii: boolean): string[] {
  const drawn = chartColumns(result);
  if (drawn === null) return [safe("a chart needs a name in the first column and an amount after it (G: the rows again)", width)];
  const amounts = result.rows.map((row) => Number(row[drawn.value] ?? 0));
  const most = amounts.reduce((a, b) => Math.max(a, b), 1);
  const names = result.rows.map((row) => safe(cellText(row[drawn.name] ?? null), WIDEST_NAME));
  const widest = names.reduce((a, name) => Math.max(a, displayWidth(name)), 1);
  // Times have their unit: nobody reads ten digits of nanoseconds.
  const isTime = (result.columns[drawn.value] ?? "").endsWith("_ns");
  const labels = amounts.map((amount) => (isTime ? durationText(amount) : String(amount)));
  const digits = labels.reduce((a, label) => Math.max(a, label.length), 1);
  const room = Math.max(4, width - widest - digits - 6);
  return result.rows.slice(from, from + height).map((_, i) => {
    const amount = amounts[from + i] as number;
    const bar = (ascii ? "#" : "█").repeat(Math.round((amount / most) * room));
    return safe(
      `  ${fit(names[from + i] as string, widest)}  ${(labels[from + i] as string).padStart(digits)}  ${amount > 0 && bar === "" ? (ascii ? "." : "▏") : bar}`,
      width,
    );
  });
}
