/** Every transition as a line of text: CSV, and JSON objects. */

import type { Exporter } from "./exporter.ts";
import { NAMED_COLUMNS, type NamedRow, namedRows } from "./named-rows.ts";

const lines = (head: string, line: (row: NamedRow) => string): Exporter["write"] =>
  async function write(trace, sink) {
    const rowOf = namedRows(trace);
    if (head !== "") await sink(head);
    for (const block of trace.rows()) {
      let text = "";
      for (let i = 0; i < block.n; i += 1) text += line(rowOf(block, i));
      await sink(text);
    }
  };

/** RFC 4180, lines end in LF; NULL is an empty cell. Texts stay as they are: it is for programs, not for spreadsheets. */
const csvCell = (cell: number | string | null): string => {
  if (typeof cell !== "string") return cell === null ? "" : String(cell);
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
};

export const csv: Exporter = {
  id: "csv",
  extension: ".csv",
  text: "a line for each transition, with names; for programs",
  binary: false,
  write: lines(`${NAMED_COLUMNS.join(",")}\n`, (row) => `${row.map(csvCell).join(",")}\n`),
};

export const jsonl: Exporter = {
  id: "jsonl",
  extension: ".jsonl",
  text: "a JSON object for each transition, with names",
  binary: false,
  write: lines("", (row) => `{${row.map((cell, i) => `"${NAMED_COLUMNS[i]}":${JSON.stringify(cell)}`).join(",")}}\n`),
};
