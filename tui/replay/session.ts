/** What the replay looks at: a trace with everything the panes ask of it. */

import { type Finding, nameOfRun, storedSummary } from "../../analyzer/index.ts";
import { type Block, HOPS, type Hop, type Shown, shownBy, signalIdReader, signalName } from "../../engine/index.ts";
import type { Cell, Trace } from "../../recorder/index.ts";
import type { Paint } from "../present/style.ts";
import { hasEnclave } from "../present/two-column.ts";
import { withUnits } from "../present/units.ts";
import { summaryLines } from "../present/verdict.ts";
import { allRulesRan } from "../rules-ran.ts";
import { loadCatalogue } from "./catalogue.ts";
import { type MachineAt, machinesOf } from "./machine/machine-at.ts";
import { type Differences, firstDifferences } from "./navigate/differences.ts";
import { type Rows, rowsOf } from "./navigate/rows.ts";

export interface StoredFinding {
  readonly id: number;
  readonly rule: string;
  readonly severity: string;
  readonly title: string;
  readonly thread: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** `isTurn`: here it went wrong. */
  readonly evidence: readonly { readonly seq: number; readonly caption: string; readonly isTurn?: boolean | undefined }[];
}

/** The path of one signal: its hops in order, each with the seq at which it happened. */
export interface SignalPath {
  readonly id: number;
  readonly name: string;
  readonly outcome: string;
  readonly hops: readonly { readonly name: Hop; readonly seq: number }[];
}

export interface ReplaySession {
  readonly trace: Trace;
  readonly rows: Rows;
  readonly machines: MachineAt;
  /** Findings in the database; null when not all rules looked yet. */
  readonly stored: readonly StoredFinding[] | null;
  /** Number of findings that the database only counts, because of a limit, and of those beyond `MAX_FINDINGS`. */
  readonly onlyCounted: number;
  /** Parts of the trace (of `MINIMAP_PARTS`) by number of signals; for the minimap. */
  readonly density: Float64Array;
  readonly paint: Paint;
  readonly ascii: boolean;
  readonly sgx: boolean;
  /** What the trace's stack declares for its readers. */
  readonly shown: Shown;
  /** The id of the signal that a row is a hop of, 0 for none. */
  readonly signalId: (block: Block, i: number) => number;
  /** The same scenario run otherwise, for the compare pane. */
  readonly other: ReplaySession | null;
  /** What became of the run and what went otherwise first, in a line each; empty when it was not compared yet. */
  readonly verdict: readonly string[];
  /** The first difference from Linux alone, and where it shows; null when there is none. */
  readonly firstDifference: { readonly from: number; readonly seq: number } | null;
  /** What the application sees otherwise than on Linux alone, where it sees it. */
  readonly differences: Differences;
  /** What was opened, as it was written on the command line. */
  readonly opened?: string;
}

/** The stack and its fixes, as they are told. */
export const stackOf = ({ trace }: ReplaySession): string => nameOfRun(trace);

/** The other run of two, told apart from this one: by its case where that is another one, too. */
export function otherName({ trace }: ReplaySession, other: ReplaySession): string {
  const { scenario } = other.trace.info;
  return scenario === trace.info.scenario ? stackOf(other) : `${scenario} on ${stackOf(other)}`;
}

export const MINIMAP_PARTS = 200;
/** Findings that are kept for showing; `eintr query` has them all. */
const MAX_FINDINGS = 2000;
/** Limits: pieces of evidence over all findings, and characters of one text. */
const MAX_EVIDENCE = 50 * MAX_FINDINGS;
const MAX_TEXT = 2000;
/** A trace that not all rules looked through is analyzed for the replay when it is not longer than this. */
const ANALYZE_ROWS = 2_000_000;

export function openSession(
  trace: Trace,
  look: Pick<ReplaySession, "paint" | "ascii" | "opened">,
  other: ReplaySession | null,
): ReplaySession {
  const rows = rowsOf(trace);
  const stored = loadFindings(trace);
  const shown = shownBy(trace.info.stack);
  return {
    trace,
    rows,
    machines: machinesOf(trace, rows),
    stored,
    onlyCounted: stored === null ? 0 : Number(trace.ask("SELECT coalesce(sum(findings), 0) FROM analysis")[0]?.[0]) - stored.length,
    density: loadDensity(trace),
    verdict: loadVerdict(trace),
    firstDifference: loadFirstDifference(trace),
    differences: firstDifferences(trace),
    ...look,
    sgx: hasEnclave(trace.sites),
    shown,
    signalId: signalIdReader(shown.events),
    other,
  };
}

function loadVerdict(trace: Trace): readonly string[] {
  const summary = storedSummary(trace);
  return summary === null ? [] : summaryLines(summary);
}

/** At the end of the call that differs, when it has one: there the application sees it. */
function loadFirstDifference(trace: Trace): ReplaySession["firstDifference"] {
  const [row] = trace.ask(
    "SELECT d.seq, (SELECT c.exit_seq FROM syscall c WHERE c.seq = d.seq) FROM difference d WHERE d.cause = 1 AND d.seq IS NOT NULL ORDER BY d.id LIMIT 1",
  );
  return row === undefined ? null : { from: Number(row[0]), seq: Number(row[1] ?? row[0]) };
}

function loadFindings(trace: Trace): StoredFinding[] | null {
  if (!allRulesRan(trace)) return null;
  const stored = trace.ask(
    `SELECT id, rule, severity, substr(title, 1, ${MAX_TEXT}), coalesce(thread, 0), first_seq, last_seq FROM finding ORDER BY id LIMIT ${MAX_FINDINGS}`,
  );
  const evidence = trace.ask(
    `SELECT finding, seq, substr(caption, 1, ${MAX_TEXT}), turn FROM evidence WHERE finding <= ${MAX_FINDINGS} ORDER BY finding, position LIMIT ${MAX_EVIDENCE}`,
  );
  const byFinding = new Map<number, Cell[][]>();
  for (const row of evidence) {
    const id = Number(row[0]);
    const list = byFinding.get(id);
    if (list === undefined) byFinding.set(id, [row]);
    else list.push(row);
  }
  return stored.map(([id, rule, severity, title, thread, firstSeq, lastSeq]) => ({
    id: Number(id),
    rule: String(rule),
    severity: String(severity),
    title: withUnits(String(title)),
    thread: Number(thread),
    firstSeq: Number(firstSeq),
    lastSeq: Number(lastSeq),
    evidence: (byFinding.get(Number(id)) ?? []).map(([, seq, caption, turn]) => ({
      seq: Number(seq),
      caption: withUnits(String(caption)),
      isTurn: Number(turn) === 1,
    })),
  }));
}

/** Whether the replay has to run the rules itself: they have not run yet, and the trace is short enough. */
export const needsAnalysis = (session: ReplaySession): boolean => session.stored === null && session.rows.count <= ANALYZE_ROWS;

/** Not all rules have analyzed the trace, and the replay does not: the trace is too long. */
export const isTooLongToAnalyze = (session: ReplaySession): boolean => session.stored === null && session.rows.count > ANALYZE_ROWS;

/** The stored findings, or those of the rules run now, block by block so that keys are answered meanwhile. Throws TraceError. */
export async function findingsOf(session: ReplaySession, signal?: AbortSignal): Promise<readonly StoredFinding[]> {
  if (!needsAnalysis(session)) return session.stored ?? [];
  const { analyze } = await loadCatalogue();
  return shownFindings((await analyze(session.trace, { signal }))?.findings ?? []);
}

/** What the rules find in a trace of any length, kept with it. Null when `signal` was aborted. Throws TraceError. */
export async function analyzeLong(
  { trace }: ReplaySession,
  signal: AbortSignal,
  onProgress: (rows: number) => void,
): Promise<readonly StoredFinding[] | null> {
  const { analyze } = await loadCatalogue();
  const result = await analyze(trace, { signal, onProgress });
  if (result === null) return null;
  trace.replaceFindings(result.findings, result.ran);
  return shownFindings(result.findings);
}

const shownFindings = (findings: readonly Finding[]): StoredFinding[] =>
  findings.slice(0, MAX_FINDINGS).map((finding, i) => ({
    ...finding,
    id: i + 1,
    thread: finding.thread ?? 0,
    title: withUnits(finding.title),
    evidence: finding.evidence.map((one) => ({ ...one, caption: withUnits(one.caption) })),
  }));

/** Where signals are busy: entries of the signal table by share of the trace. */
function loadDensity(trace: Trace): Float64Array {
  const density = new Float64Array(MINIMAP_PARTS);
  const last = Math.max(1, trace.transitions.rows);
  const counted = trace.ask(
    `SELECT min(${MINIMAP_PARTS - 1}, ${FIRST_HOP} * ${MINIMAP_PARTS} / ${last}) AS part, count(*) FROM signal WHERE ${FIRST_HOP} IS NOT NULL GROUP BY part`,
  );
  for (const [part, count] of counted) density[Number(part)] = Number(count);
  return density;
}

/** In SQL: where a signal is seen first. A log of a library OS does not tell what the kernel did before. */
export const FIRST_HOP = `coalesce(${HOPS.join(", ")})`;

/** Null when there is no such signal. */
export function loadSignalPath(trace: Trace, id: number): SignalPath | null {
  const [row] = trace.ask(`SELECT signal, outcome, ${HOPS.join(", ")} FROM signals WHERE id = ?`, id);
  if (row === undefined) return null;
  const [name, outcome, ...seqs] = row;
  const hops = HOPS.flatMap((hop, i) => (seqs[i] === null || seqs[i] === undefined ? [] : [{ name: hop, seq: Number(seqs[i] as Cell) }]));
  return { id, name: String(name ?? signalName(0)), outcome: String(outcome), hops: hops.sort((a, b) => a.seq - b.seq) };
}
