/**
 * What one found stays: bookmarks, notes, conditions, the sizes of the panes and the place one left, in a small file beside the trace.
 * It may come from a stranger with the trace: what is not as it should be is left out.
 */

import { renameSync, rmSync, writeFileSync } from "node:fs";
import type { Trace } from "../../recorder/index.ts";
import { type Fields, fieldsOf, isWithin, KEPT_FORMAT, keptFile, listOf, marksIn, readKept } from "../marks.ts";
import { MAX_CONDITIONS } from "./navigate/condition.ts";
import { PANE_IDS } from "./panes/index.ts";
import { DEFAULT_SIZES, type Sizes } from "./screen/sizes.ts";
import type { ReplayState } from "./state.ts";

const MAX_CONDITION = 300;

/** Parts of the state that are kept. */
export type Kept = Partial<Pick<ReplayState, "seq" | "thread" | "pane" | "sizes" | "bookmarks" | "notes" | "conditions">>;

/** What was kept with the trace; nothing where there is no such file, or none of this trace. */
export const loadKept = (trace: Trace): Kept => keptOf(readKept(trace), trace.transitions.rows, trace.threads.length);

/** Of anything that may stand in the file, what can be used. */
export function keptOf(value: unknown, rows: number, threads: number): Kept {
  const { format, transitions, seq, thread, pane, sizes, conditions } = fieldsOf(value);
  if (format !== KEPT_FORMAT || transitions !== rows) return {};
  const marks = marksIn(value, rows);
  return {
    bookmarks: marks.map((mark) => mark.seq),
    notes: Object.fromEntries(marks.filter(({ note }) => note !== "").map((mark) => [mark.seq, mark.note])),
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
    format: KEPT_FORMAT,
    transitions: trace.transitions.rows,
    seq,
    thread,
    pane,
    sizes,
    bookmarks: bookmarks.map((mark) => ({ seq: mark, note: notes[mark] ?? "" })),
    conditions: conditions.map(({ text, enabled }) => ({ text, enabled })),
  };
  const file = keptFile(trace);
  const aside = `${file}.${process.pid}`;
  try {
    writeFileSync(aside, `${JSON.stringify(kept, null, 1)}\n`, { flag: "wx" });
    renameSync(aside, file);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
}
