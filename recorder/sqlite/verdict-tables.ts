/** The verdict in `trace.db`: how the run and its threads ended, and what differs from Linux alone. */

import Sqlite from "better-sqlite3";
import { errorText, TraceError } from "../format/errors.ts";
import type { QualityCounter } from "../format/metadata.ts";

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

/** Replaces the verdict. One transaction: readers see the old one or the new one. Throws TraceError. */
export function writeVerdict(dbPath: string, verdict: VerdictRecord): void {
  try {
    const db = new Sqlite(dbPath, { fileMustExist: true });
    try {
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
  const addOutcome = db.prepare(`INSERT INTO outcome VALUES (${"?, ".repeat(13)}?)`);
  for (const [id, o] of outcomes.entries()) {
    const counts = o.subject === "run" ? [compared, omitted, beyond] : [0, 0, 0];
    addOutcome.run(id, o.subject, o.name, o.thread, o.how, o.text, o.seq, other, o.otherHow, o.otherText, ...counts, o.comparedSeq);
  }
  const addDifference = db.prepare(`INSERT INTO difference VALUES (${"?, ".repeat(12)}?)`);
  for (const [i, d] of differences.entries()) {
    const { one, other: there } = d;
    addDifference.run(
      i + 1,
      d.kind,
      d.weight,
      d.thread,
      d.what,
      one.seq,
      one.text,
      one.result,
      there.seq,
      there.text,
      there.result,
      d.line,
      Number(d === cause),
    );
  }
  const addNotice = db.prepare("INSERT OR REPLACE INTO quality VALUES (?, ?, ?, ?)");
  for (const { name, count, severity, advice } of notices) addNotice.run(name, count, severity, advice);
}
