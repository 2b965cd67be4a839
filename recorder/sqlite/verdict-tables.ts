/** The verdict in `trace.db`: how the run and its threads ended, and what differs from Linux alone. */

import Sqlite from "better-sqlite3";
import { errorText, TraceError } from "../format/errors.ts";
import type { QualityCounter } from "../format/metadata.ts";
import { inserter } from "./insert.ts";

export interface OutcomeRecord {
  readonly subject: "run" | "process" | "thread";
  readonly name: string;
  /** Number of the thread, or of the first one of a process; null for the run. */
  readonly thread: number | null;
  readonly how: string;
  readonly text: string;
  readonly seq: number | null;
  readonly otherHow: string | null;
  readonly otherText: string | null;
  /** From this seq on the thread's calls were not compared; null: all were. */
  readonly comparedSeq: number | null;
}

export interface DifferenceRecord {
  readonly kind: string;
  readonly weight: string;
  readonly thread: string;
  readonly what: string;
  /** Line of the log that the call comes from. */
  readonly line: number | null;
  /** A null seq: it does not happen in that run. */
  readonly one: { readonly seq: number | null; readonly text: string; readonly result: number | null };
  readonly other: { readonly seq: number | null; readonly text: string; readonly result: number | null };
}

export interface VerdictRecord {
  /** What the run was compared with; null when there is nothing. */
  readonly other: string | null;
  /** Calls and handlers' runs that both have. */
  readonly compared: number;
  /** Differences that are only counted, those beyond the end of a run apart. */
  readonly omitted: number;
  /** Of weight `cut`, kept or not. */
  readonly beyond: number;
  /** The run first. */
  readonly outcomes: readonly OutcomeRecord[];
  /** In causal order. */
  readonly differences: readonly DifferenceRecord[];
  /** The one of them that is told first. */
  readonly cause: DifferenceRecord | undefined;
  /** What is to be known about the comparison itself; joins the counters of the trace. */
  readonly notices: readonly QualityCounter[];
}

/** SQLite would take 16 MB for many differences; they come in order of their keys. */
const CACHE_KB = 1024;

/** Replaces the verdict. One transaction: readers see the old one or the new one. Throws TraceError. */
export function writeVerdict(dbPath: string, verdict: VerdictRecord): void {
  try {
    const db = new Sqlite(dbPath, { fileMustExist: true });
    try {
      db.pragma(`cache_size = -${CACHE_KB}`);
      db.transaction(() => replace(db, verdict)).immediate();
    } finally {
      db.close();
    }
  } catch (error) {
    throw new TraceError(dbPath, "", `the verdict cannot be written (${errorText(error)})`, "Check that the trace's folder is writable", {
      cause: error,
    });
  }
}

function replace(db: Sqlite.Database, { other, compared, omitted, beyond, outcomes, differences, cause, notices }: VerdictRecord): void {
  db.exec("DELETE FROM outcome; DELETE FROM difference");
  const addOutcome = inserter(db, "outcome");
  for (const [id, o] of outcomes.entries()) {
    const { subject, name, thread, how, text, seq } = o;
    const counts = subject === "run" ? { compared, omitted, beyond } : { compared: 0, omitted: 0, beyond: 0 };
    const there = { other, other_how: o.otherHow, other_text: o.otherText };
    addOutcome({ id, subject, name, thread, how, text, seq, ...there, ...counts, compared_seq: o.comparedSeq });
  }
  const addDifference = inserter(db, "difference");
  for (const [i, d] of differences.entries()) {
    const { kind, weight, thread, what, line, one, other: there } = d;
    addDifference({
      id: i + 1,
      kind,
      weight,
      thread,
      what,
      seq: one.seq,
      here: one.text,
      result: one.result,
      other_seq: there.seq,
      there: there.text,
      other_result: there.result,
      line,
      cause: Number(d === cause),
    });
  }
  const addNotice = inserter(db, "quality", "INSERT OR REPLACE");
  for (const notice of notices) addNotice(notice);
}
