/** Which stretch of a trace shows a finding, or a difference: its thread, its first and last seq, and what to mark in it. */

import type { Trace } from "../recorder/index.ts";
import { around, threadAt } from "./interval.ts";
import { InputError } from "./io.ts";
import { allRulesRan } from "./rules-ran.ts";

export interface Stretch {
  readonly thread: number;
  readonly from: number;
  readonly to: number;
  /** Captions by seq. */
  readonly marks: ReadonlyMap<number, string>;
  /** The finding that it shows. */
  readonly finding?: { readonly severity: string; readonly title: string };
}

/** Rows of the thread shown before the end of a thread or process. */
const ROWS_BEFORE_END = 60;

/** Throws InputError when there is no such finding. */
export function stretchOfFinding(trace: Trace, id: number): Stretch {
  const [finding] = trace.ask("SELECT thread, first_seq, last_seq, severity, substr(title, 1, 500) FROM finding WHERE id = ?", id);
  if (finding === undefined) {
    const known = Number(trace.ask("SELECT count(*) FROM finding")[0]?.[0]);
    const none = allRulesRan(trace) ? "nothing was found in this trace" : `run eintr analyze ${trace.dir} first`;
    const why = known > 0 ? `they are numbered 1 to ${known}` : none;
    throw new InputError(`${trace.dir}: no finding ${id}; ${why}`);
  }
  const evidence = trace.ask("SELECT seq, caption FROM evidence WHERE finding = ? ORDER BY position", id);
  const [thread, from, to, severity, title] = finding;
  return {
    thread: Number(thread ?? 0),
    from: Number(from),
    to: Number(to),
    marks: new Map(evidence.map(([seq, caption]) => [Number(seq), String(caption)])),
    finding: { severity: String(severity), title: String(title) },
  };
}

/** Of the difference that has this seq: its call or handler from begin to end; of an end what came before it. Null where nothing is. */
export function stretchOfDifference(trace: Trace, seq: number): Stretch | null {
  const [one] = trace.ask(
    "SELECT thread, exit_seq FROM syscall WHERE seq = ? UNION ALL SELECT thread, left_seq FROM handler WHERE seq = ?",
    seq,
    seq,
  );
  if (one === undefined) {
    const thread = threadAt(trace, seq);
    if (thread === null) return null;
    return { thread, ...around(trace, thread, seq, ROWS_BEFORE_END), marks: new Map([[seq, "the first difference"]]) };
  }
  const [thread, end] = one;
  const marks: [number, string][] = [[seq, "what comes out otherwise begins here"]];
  if (end !== null) marks.push([Number(end), "and ends here"]);
  return { thread: Number(thread), from: seq, to: Number(end ?? trace.transitions.rows - 1), marks: new Map(marks) };
}
