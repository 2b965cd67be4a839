/** The analyzer's findings in `trace.db`, and which rules ran: no finding of a rule that ran is an answer, too. */

import Sqlite from "better-sqlite3";
import { errorText, TraceError } from "../format/errors.ts";
import { inserter } from "./insert.ts";
import { hasOurSchema, isLocked } from "./standing.ts";

/** Another writer is waited for so long, with Ctrl-C unheard. */
const WAIT_MS = 700;

export interface FindingRecord {
  readonly rule: string;
  readonly severity: string;
  readonly title: string;
  /** Null when it is about no thread in particular. */
  readonly thread: number | null;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly costNs: number;
  /** Enclave exits of its thread between its first and last transition. */
  readonly exits?: number | undefined;
  /** The same for the same thing in other runs. */
  readonly fingerprint: string;
  /** `isTurn`: here it went wrong. */
  readonly evidence: readonly { readonly seq: number; readonly caption: string; readonly isTurn?: boolean | undefined }[];
}

/** A rule that ran over the whole trace, and all it found. */
export interface RuleRun {
  readonly rule: string;
  /** 0 = it found nothing. */
  readonly findings: number;
  /** Of all its findings together. */
  readonly costNs: number;
  /** How many of them are only counted, because so many are alike. */
  readonly omitted: number;
}

/**
 * Replace the findings of the rules that `ran`; those of other rules stay, behind the new ones, so that a finding's id is its
 * position in the report that was just made. Without `ran` all findings are replaced, and the rules that ran are those that found
 * something. One transaction: readers see the old state or the new one. Throws TraceError.
 */
export function writeFindings(dbPath: string, findings: Iterable<FindingRecord>, ran?: readonly RuleRun[]): void {
  try {
    const db = new Sqlite(dbPath, { fileMustExist: true, timeout: WAIT_MS });
    try {
      db.pragma("trusted_schema = OFF");
      // No trigger of a stranger's runs: the file may be another one than was opened.
      if (!hasOurSchema(db)) throw new Error("its tables are not eintr's: open the trace again");
      const news = [...findings];
      // Immediate: what is read inside must still be so when it is written back.
      db.transaction(() => replace(db, news, ran)).immediate();
    } finally {
      db.close();
    }
  } catch (error) {
    const hint = isLocked(error)
      ? "Wait until the other program is done with it, then try again"
      : "Check that the trace's folder is writable";
    throw new TraceError(dbPath, "", `the findings cannot be written (${errorText(error)})`, hint, { cause: error });
  }
}

function replace(db: Sqlite.Database, findings: readonly FindingRecord[], ran: readonly RuleRun[] | undefined): void {
  const others = ran === undefined ? { runs: [], findings: [] } : stored(db, new Set(ran.map((run) => run.rule)));
  db.exec("DELETE FROM evidence; DELETE FROM finding; DELETE FROM analysis");
  const addRun = inserter(db, "analysis");
  for (const run of [...(ran ?? counted(findings)), ...others.runs])
    addRun({ rule: run.rule, findings: run.findings, cost_ns: run.costNs, omitted: run.omitted });
  const addFinding = inserter(db, "finding");
  const addEvidence = inserter(db, "evidence");
  let id = 0;
  for (const { rule, severity, title, thread, firstSeq, lastSeq, costNs, exits = 0, fingerprint, evidence } of [
    ...findings,
    ...others.findings,
  ]) {
    id += 1;
    addFinding({ id, rule, severity, title, thread, first_seq: firstSeq, last_seq: lastSeq, cost_ns: costNs, exits, fingerprint });
    for (const [position, { seq, caption, isTurn }] of evidence.entries())
      addEvidence({ finding: id, position, seq, caption, turn: isTurn === true ? 1 : 0 });
  }
}

function counted(findings: readonly FindingRecord[]): RuleRun[] {
  const runs = new Map<string, RuleRun>();
  for (const { rule, costNs } of findings) {
    const before = runs.get(rule) ?? { findings: 0, costNs: 0 };
    runs.set(rule, { rule, findings: before.findings + 1, costNs: before.costNs + costNs, omitted: 0 });
  }
  return [...runs.values()];
}

type StoredFinding = Omit<FindingRecord, "evidence"> & { readonly id: number };

/** What is there of all rules except these. */
function stored(db: Sqlite.Database, except: ReadonlySet<string>): { runs: RuleRun[]; findings: FindingRecord[] } {
  const evidence = db.prepare<[number], { seq: number; caption: string; turn: number }>(
    "SELECT seq, caption, turn FROM evidence WHERE finding = ? ORDER BY position",
  );
  const findings = db.prepare<[], StoredFinding>(
    `SELECT id, rule, severity, title, thread, first_seq AS firstSeq, last_seq AS lastSeq, cost_ns AS costNs, exits, fingerprint
     FROM finding ORDER BY id`,
  );
  const runs = db.prepare<[], RuleRun>("SELECT rule, findings, cost_ns AS costNs, omitted FROM analysis");
  const isOther = ({ rule }: { readonly rule: string }): boolean => !except.has(rule);
  return {
    runs: runs.all().filter(isOther),
    findings: findings
      .all()
      .filter(isOther)
      .map((finding) => ({ ...finding, evidence: evidence.all(finding.id).map(({ turn, ...one }) => ({ ...one, isTurn: turn === 1 })) })),
  };
}
