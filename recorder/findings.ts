/** The analyzer's findings in `trace.db`. */

import Sqlite from "better-sqlite3";
import { errorText, TraceError } from "./errors.ts";

export interface FindingRecord {
  readonly rule: string;
  readonly severity: string;
  readonly title: string;
  /** Null when it is about no thread in particular. */
  readonly thread: number | null;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly costNs: number;
  /** The same for the same thing in other runs. */
  readonly fingerprint: string;
  readonly evidence: readonly { readonly seq: number; readonly caption: string }[];
}

/** Replace all findings, in one transaction: readers see the old ones or the new ones. Throws TraceError. */
export function writeFindings(dbPath: string, findings: Iterable<FindingRecord>): void {
  try {
    const db = new Sqlite(dbPath, { fileMustExist: true });
    try {
      replaceAll(db, findings);
    } finally {
      db.close();
    }
  } catch (error) {
    throw new TraceError(dbPath, "", `the findings cannot be written (${errorText(error)})`, "Check that the trace's folder is writable", {
      cause: error,
    });
  }
}

function replaceAll(db: Sqlite.Database, findings: Iterable<FindingRecord>): void {
  const addFinding = db.prepare("INSERT INTO finding VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const addEvidence = db.prepare("INSERT INTO evidence VALUES (?, ?, ?, ?)");
  db.transaction(() => {
    db.exec("DELETE FROM evidence; DELETE FROM finding");
    let id = 0;
    for (const f of findings) {
      id += 1;
      addFinding.run(id, f.rule, f.severity, f.title, f.thread, f.firstSeq, f.lastSeq, f.costNs, f.fingerprint);
      for (const [position, e] of f.evidence.entries()) addEvidence.run(id, position, e.seq, e.caption);
    }
  })();
}
