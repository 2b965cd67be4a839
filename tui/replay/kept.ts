/**
 * What one found stays: bookmarks, notes, conditions, the sizes of the panes and the place one left, in a small file beside the trace.
 * It may come from a stranger with the trace: what is not as it should be is left out.
 */

import { lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { NOTES_NAME, type Trace } from "../../recorder/index.ts";
import { MAX_BOOKMARKS, MAX_NOTE } from "./navigate/bookmarks.ts";
import { MAX_CONDITIONS } from "./navigate/condition.ts";
import { PANE_IDS } from "./panes/index.ts";
import { DEFAULT_SIZES, type Sizes } from "./screen/sizes.ts";
import type { ReplayState } from "./state.ts";

const FORMAT = 1;
const MAX_BYTES = 1024 * 1024;
const MAX_CONDITION = 300;

/** Parts of the state that are kept. */
export type Kept = Partial<Pick<ReplayState, "seq" | "thread" | "pane" | "sizes" | "bookmarks" | "notes" | "conditions">>;

const fileOf = ({ dir }: Trace): string => path.join(dir, NOTES_NAME);

/** What was kept with the trace; nothing where there is no such file, or none of this trace. */
export function loadKept(trace: Trace): Kept {
  let value: unknown;
  try {
    const stat = lstatSync(fileOf(trace));
    if (!stat.isFile() || stat.size > MAX_BYTES) return {};
    value = JSON.parse(readFileSync(fileOf(trace), "utf8"));
  } catch {
    return {};
  }
  return keptOf(value, trace.transitions.rows, trace.threads.length);
}

type Fields = Readonly<Record<string, unknown>>;
const fieldsOf = (value: unknown): Fields =>
  value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Fields) : {};
const listOf = (value: unknown, most: number): readonly unknown[] => (Array.isArray(value) ? value.slice(0, most) : []);
const isWithin = (value: unknown, end: number): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < end;

/** Of anything that may stand in the file, what can be used. */
export function keptOf(value: unknown, rows: number, threads: number): Kept {
  const { format, transitions, seq, thread, pane, sizes, bookmarks, conditions } = fieldsOf(value);
  if (format !== FORMAT || transitions !== rows) return {};
  const marks = listOf(bookmarks, MAX_BOOKMARKS)
    .map(fieldsOf)
    .filter((mark): mark is { seq: number; note: unknown } => isWithin(mark.seq, rows));
  const notes = marks.filter(({ note }) => typeof note === "string" && note !== "");
  return {
    bookmarks: [...new Set(marks.map((mark) => mark.seq))].sort((a, b) => a - b),
    notes: Object.fromEntries(notes.map((mark) => [mark.seq, String(mark.note).slice(0, MAX_NOTE)])),
    conditions: listOf(conditions, MAX_CONDITIONS)
      .map(fieldsOf)
      .filter(({ text }) => typeof text === "string" && text.length <= MAX_CONDITION)
      .map(({ text, enabled }) => ({ text: String(text), enabled: enabled === true, hits: 0 })),
    sizes: sizesOf(fieldsOf(sizes)),
    ...(isWithin(seq, rows) && isWithin(thread, threads) ? { seq, thread } : {}),
    ...(typeof pane === "string" && PANE_IDS.includes(pane) ? { pane } : {}),
  };
}

function sizesOf(given: Fields): Sizes {
  const share = (value: unknown, otherwise: number): number =>
    typeof value === "number" && value >= 0.05 && value <= 0.95 ? value : otherwise;
  const { high, wide, upper } = DEFAULT_SIZES;
  const strip = share(given.strip, 0);
  return {
    high: share(given.high, high),
    wide: share(given.wide, wide),
    upper: share(given.upper, upper),
    strip: strip === 0 ? null : strip,
  };
}

/** Writes it beside the trace, whole or not at all. Throws what node:fs throws. */
export function saveKept(trace: Trace, s: ReplayState): void {
  const { seq, thread, pane, sizes, bookmarks, notes, conditions } = s;
  const kept = {
    format: FORMAT,
    transitions: trace.transitions.rows,
    seq,
    thread,
    pane,
    sizes,
    bookmarks: bookmarks.map((mark) => ({ seq: mark, note: notes[mark] ?? "" })),
    conditions: conditions.map(({ text, enabled }) => ({ text, enabled })),
  };
  const file = fileOf(trace);
  const aside = `${file}.${process.pid}`;
  try {
    writeFileSync(aside, `${JSON.stringify(kept, null, 1)}\n`, { flag: "wx" });
    renameSync(aside, file);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
}
