/** Results of a query as table, JSON lines or CSV, chunk by chunk: memory does not grow with the result. */

import { statSync } from "node:fs";
import { type Cell, type QueryOptions, type QueryResult, query } from "../../recorder/index.ts";
import type { Io } from "../io.ts";
import { startProgress } from "../progress.ts";
import { safeJson } from "./safe.ts";
import { cellText, type Printer, tablePrinter } from "./table.ts";

export const FORMATS = ["table", "json", "csv"] as const;
export type Format = (typeof FORMATS)[number];

export interface ResultForm {
  readonly format: Format;
  /** In csv: no cell is a formula to a spreadsheet. */
  readonly csvSafe?: boolean | undefined;
}

/** Print a query's result. Throws QueryError. */
export async function printQuery(io: Io, db: string, sql: string, options: QueryOptions & ResultForm): Promise<number> {
  const result = await query(db, sql, options);
  const printer = PRINTERS[options.format](result.columns, { room: io.columns, safeForSheets: options.csvSafe === true });
  const watch = watchScan(io, db, result);
  let rows = 0;
  try {
    for await (const chunk of result.chunks()) {
      watch.pause();
      rows += chunk.length;
      await io.out(printer.rows(chunk));
    }
  } finally {
    watch.end();
  }
  await io.out(printer.end());
  if (result.truncated) io.talk(`(more rows follow: --limit ${options.limit})\n`);
  return rows;
}

/** So many transitions are looked at in less time than a person waits. */
const FEW = 1_000_000;
/** What ends sooner, such as one with a LIMIT, needs no words. */
const WARN_AFTER_MS = 400;
const PROGRESS_MS = 200;

/** Warns of a query that looks at all of a long trace, and shows how far it is, while it has nothing to show itself. */
function watchScan(io: Io, db: string, result: QueryResult): { pause(): void; end(): void } {
  if (result.scans < FEW) return { pause() {}, end() {} };
  const progress = startProgress();
  const transitions = result.scans.toLocaleString("en");
  const size = statSync(db, { throwIfNoEntry: false })?.size ?? 0;
  const warning = setTimeout(() => {
    io.talk(`this looks at all ${transitions} transitions; conditions on seq or kind have an index, and totals are in kind, thread,\n`);
    io.talk("call_totals and signal_totals (eintr schema)\n");
  }, WARN_AFTER_MS);
  const look = setInterval(() => {
    const read = result.bytesRead();
    const known = read !== null && size > 0;
    progress.update(`looking at ${transitions} transitions`, known ? Math.min(read, size) : 0, known ? size : null);
  }, PROGRESS_MS);
  const end = (): void => {
    clearTimeout(warning);
    clearInterval(look);
    progress.end();
  };
  const pause = (): void => {
    clearTimeout(warning);
    progress.end();
  };
  return { pause, end };
}

interface Medium {
  /** Cells of a line of the terminal; null for a file or a pipe. */
  readonly room: number | null;
  readonly safeForSheets: boolean;
}

const PRINTERS: Readonly<Record<Format, (columns: readonly string[], medium: Medium) => Printer>> = {
  table: (names, { room }) => tablePrinter(names, room),
  /** An array with an object per line, its fields in the order of the columns. */
  json(columns) {
    const keys = told(columns).map((name) => `${safeJson(name)}:`);
    let before = "[";
    return {
      rows(chunk) {
        return chunk
          .map((row) => {
            const text = `${before}\n{${keys.map((key, i) => key + safeJson(jsonCell(row[i] ?? null))).join(",")}}`;
            before = ",";
            return text;
          })
          .join("");
      },
      end: () => (before === "[" ? "[]\n" : "\n]\n"),
    };
  },
  /** RFC 4180, lines end in LF. What is dangerous in it stays, for a program to read: `Io` keeps it from a terminal. */
  csv(columns, { safeForSheets }) {
    const csvCell = csvCells(safeForSheets);
    let head = `${told(columns).map(csvCell).join(",")}\n`;
    return {
      rows(chunk) {
        const text = head + chunk.map((row) => `${row.map((cell) => csvCell(cell === null ? "" : cellText(cell))).join(",")}\n`).join("");
        head = "";
        return text;
      },
      end: () => head,
    };
  },
};

/** Names for programs, each different, so that no column hides another: the second "seq" is "seq:2". */
function told(columns: readonly string[]): string[] {
  const taken = new Set(columns);
  return columns.map((name, i) => {
    if (columns.indexOf(name) === i) return name;
    let number = 2;
    while (taken.has(`${name}:${number}`)) number += 1;
    taken.add(`${name}:${number}`);
    return `${name}:${number}`;
  });
}

const csvCells =
  (safeForSheets: boolean) =>
  (text: string): string => {
    const cell = safeForSheets ? notAFormula(text) : text;
    return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
  };

/** A spreadsheet takes a cell that begins so for a formula and computes it; a number may begin with its sign. Source: OWASP, CSV injection. */
const notAFormula = (text: string): string => (/^[=+\-@\t\r]/.test(text) && !/^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(text) ? `'${text}` : text);

/** JSON has no integers beyond 2^53, no infinity and no bytes: these become texts. */
function jsonCell(cell: Cell): number | string | null {
  if (cell instanceof Uint8Array) return Buffer.from(cell).toString("base64");
  return typeof cell === "bigint" || (typeof cell === "number" && !Number.isFinite(cell)) ? String(cell) : cell;
}

/** A whole result as CSV, as `--format csv --csv-safe` writes it. */
export function csvText(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const printer = PRINTERS.csv(columns, { room: null, safeForSheets: true });
  return printer.rows(rows.map((row) => [...row])) + printer.end();
}
