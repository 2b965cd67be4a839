/** Every transition as a line of text: CSV, and JSON objects. What rows have in common (places, names) is made into text once. */

import { type Block, KINDS, STATE_COLUMNS, type StateColumn, signalName } from "../../engine/index.ts";
import type { Trace } from "../trace/open.ts";
import type { Exporter } from "./exporter.ts";
import { NAMED_COLUMNS } from "./named-rows.ts";

type ColumnName = (typeof NAMED_COLUMNS)[number];

/** How a line is written. */
interface Form {
  /** First line of the output, empty when there is none. */
  readonly head: string;
  readonly begin: string;
  readonly end: string;
  /** Before the digits of a number in that column. */
  readonly before: (column: ColumnName) => string;
  /** A text or NULL, with what is before it. */
  readonly text: (column: ColumnName, cell: string | null) => string;
}

/** The column `signal` has numbers below. */
const SIGNAL_NUMBERS = 256;

/** Gives the line of row `i` of a block, or a part of it. */
type LineOf = (block: Block, i: number) => string;

function linesOf({ sites, threads, texts, absent }: Trace, { begin, end, before, text }: Form): LineOf {
  const kinds = KINDS.map(({ name }) => text("kind", name));
  const names = threads.map(({ name }) => text("thread", name));
  const signals = Array.from({ length: SIGNAL_NUMBERS }, (_, number) => text("signal", number === 0 ? null : signalName(number)));
  const places = sites.map(({ flow, label, layer, context }) =>
    [text("flow", flow), text("label", label), text("layer", layer), text("context", context)].join(","),
  );
  const details = texts.length === 0 ? [text("detail", "")] : texts.map((detail) => text("detail", detail));
  const [seq, time, value, extra] = [`${begin}${before("seq")}`, `,${before("time_ns")}`, `,${before("value")}`, `,${before("extra")}`];
  const cell = (column: StateColumn): LineOf => {
    const [name, nothing] = [`,${before(column)}`, `,${text(column, null)}`];
    return absent.includes(column) ? () => nothing : (block, i) => name + block[column][i];
  };
  const state = STATE_COLUMNS.map(cell).reduce((before, next) => (block, i) => before(block, i) + next(block, i));
  return (block, i) =>
    `${seq}${block.seq0 + i}${time}${block.time[i]},${names[block.thread[i] as number]},${kinds[block.kind[i] as number]},${signals[block.signal[i] as number]}` +
    `${value}${block.value[i]}${extra}${block.extra[i]},${places[block.site[i] as number]}` +
    `${state(block, i)},${details[block.detail[i] as number]}${end}`;
}

const lines = (form: Form): Exporter["write"] =>
  async function write(trace, sink) {
    const lineOf = linesOf(trace, form);
    if (form.head !== "") await sink(form.head);
    for (const block of trace.rows()) {
      let text = "";
      for (let i = 0; i < block.n; i += 1) text += lineOf(block, i);
      await sink(text);
    }
  };

/** RFC 4180, lines end in LF; NULL is an empty cell. Texts stay as they are: it is for programs, not for spreadsheets. */
const csvText = (cell: string | null): string => {
  if (cell === null) return "";
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
};

export const csv: Exporter = {
  id: "csv",
  extension: ".csv",
  text: "a line for each transition, with names; for programs",
  binary: false,
  write: lines({ head: `${NAMED_COLUMNS.join(",")}\n`, begin: "", end: "\n", before: () => "", text: (_, cell) => csvText(cell) }),
};

export const jsonl: Exporter = {
  id: "jsonl",
  extension: ".jsonl",
  text: "a JSON object for each transition, with names",
  binary: false,
  write: lines({
    head: "",
    begin: "{",
    end: "}\n",
    before: (column) => `"${column}":`,
    text: (column, cell) => `"${column}":${JSON.stringify(cell)}`,
  }),
};
