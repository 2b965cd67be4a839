/** Rows of a query as a table for people. */

import type { Cell } from "../../recorder/index.ts";
import { columnsOf, fittedWidths, GAP, natural, totalWidth } from "./column-widths.ts";
import { displayWidth, safe } from "./safe.ts";

/** Makes text of rows, chunk by chunk. */
export interface Printer {
  rows(chunk: readonly Cell[][]): string;
  end(): string;
}

/** Widest column. */
const MAX_COLUMN = 60;

/**
 * Widths come from the first chunk; wider cells of a later one widen it. Where a line of `room` cells is too short, texts are cut, and
 * where that does not do, each row is told column by column. `room` null: as wide as it is.
 */
export function tablePrinter(names: readonly string[], room: number | null): Printer {
  const columns = names.map((name) => safe(name, MAX_COLUMN));
  let widths: number[] | null = null;
  /** Texts of a column are cut to its width. */
  let isCut = false;
  let told = 0;
  const records = (chunk: readonly Cell[][]): string => chunk.map((row) => recordText(columns, row, (told += 1), room ?? 0)).join("");
  return {
    rows(chunk) {
      if (told > 0) return records(chunk);
      const isNumber = (row: number, at: number): boolean => isNumeric(chunk[row]?.[at]);
      const texts = chunk.map((row) => row.map((cell) => safe(cellText(cell), MAX_COLUMN)));
      const found = columnsOf(columns, texts, isNumber);
      let head = "";
      if (widths === null) {
        widths = found.map(natural);
        if (room !== null && totalWidth(widths) > room) {
          const fitted = fittedWidths(found, room);
          if (fitted === null) return records(chunk);
          widths = fitted;
          isCut = true;
        }
        const rules = widths.map((width) => "─".repeat(width));
        head = line(columns, widths, isCut, () => false) + line(rules, widths, isCut, () => false);
      } else {
        widths = widths.map((width, i) => Math.max(width, (isCut ? found[i]?.number : found[i]?.value) ?? 0));
      }
      const all = widths;
      return head + texts.map((row, r) => line(row, all, isCut, (at) => isNumber(r, at))).join("");
    },
    end: () => (widths === null && told === 0 ? `(no rows; columns: ${columns.join(", ")})\n` : ""),
  };
}

/** Numbers stand at the right of their column. */
function line(cells: readonly string[], widths: readonly number[], isCut: boolean, isNumber: (at: number) => boolean): string {
  const parts = cells.map((cell, i) => {
    const width = widths[i] ?? 0;
    const text = isCut ? safe(cell, width) : cell;
    const pad = " ".repeat(Math.max(0, width - displayWidth(text)));
    return isNumber(i) ? pad + text : text + pad;
  });
  return `${parts.join(" ".repeat(GAP)).trimEnd()}\n`;
}

/** A row that has a line for each column. */
function recordText(columns: readonly string[], row: readonly Cell[], number: number, room: number): string {
  const width = columns.reduce((most, name) => Math.max(most, displayWidth(name)), 0);
  const left = Math.max(MAX_COLUMN / 2, room - width - 2 * GAP);
  const lines = columns.map(
    (name, i) => `  ${name}${" ".repeat(width - displayWidth(name) + GAP)}${safe(cellText(row[i] ?? null), left)}\n`,
  );
  return `row ${number}\n${lines.join("")}`;
}

const isNumeric = (cell: Cell | undefined): boolean => typeof cell === "number" || typeof cell === "bigint";

/** Not safe for a terminal yet. */
export function cellText(cell: Cell): string {
  if (cell === null) return "NULL";
  if (cell instanceof Uint8Array) return `(${cell.length} bytes)`;
  return String(cell);
}
