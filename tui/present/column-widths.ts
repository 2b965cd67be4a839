/** How wide the columns of a table are where there is less room than they would take: texts are cut, numbers never. */

import { displayWidth } from "./safe.ts";

export interface Column {
  /** Cells of its name. */
  readonly name: number;
  /** Cells of its longest value. */
  readonly value: number;
  /** Cells of its longest number, 0 where there is none. */
  readonly number: number;
}

/** Cells between two columns. */
export const GAP = 2;
/** A text or a name that is cut to fewer cells says nothing. */
const LEAST = 8;

/** Cells where there is room. */
export const natural = ({ name, value }: Column): number => Math.max(name, value);
const least = (column: Column): number => Math.min(natural(column), Math.max(LEAST, column.number));

/** Cells of a line with columns of these widths. */
export const totalWidth = (widths: readonly number[]): number => widths.reduce((sum, one) => sum + one + GAP, -GAP);

/** The columns of a table with these names and rows, of which `isNumber` tells what a cell is. */
export const columnsOf = (
  names: readonly string[],
  texts: readonly (readonly string[])[],
  isNumber: (row: number, column: number) => boolean,
): Column[] =>
  names.map((name, i) => {
    const cells = texts.map((row) => displayWidth(row[i] ?? ""));
    return {
      name: displayWidth(name),
      value: cells.reduce((most, one) => Math.max(most, one), 0),
      number: cells.reduce((most, one, row) => (isNumber(row, i) ? Math.max(most, one) : most), 0),
    };
  });

/** The widths with which all columns fit into so many cells, the widest texts cut first; null where they do not fit. */
export function fittedWidths(columns: readonly Column[], room: number): number[] | null {
  const widest = columns.reduce((most, one) => Math.max(most, natural(one)), LEAST);
  for (let most = widest; most >= LEAST; most -= 1) {
    const widths = columns.map((one) => Math.max(least(one), Math.min(natural(one), most)));
    if (totalWidth(widths) <= room) return widths;
  }
  return null;
}

/** The widths of as many columns from the first on as fit, of one at least. */
export function fittingWidths(columns: readonly Column[], room: number): number[] {
  let count = 1;
  while (count < columns.length && totalWidth(columns.slice(0, count + 1).map(least)) <= room) count += 1;
  const shown = columns.slice(0, count);
  return fittedWidths(shown, room) ?? shown.map(least);
}
