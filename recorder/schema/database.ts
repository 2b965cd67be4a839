/** The schema of `trace.db` as types for kysely. A test keeps it and `schema.ts` in agreement. */

import type { Kysely } from "kysely";
import type { Transition } from "../../engine/index.ts";

/** 0 or 1. */
export type Flag = number;
type Nullable = number | null;

export interface RunTable {
  id: number;
  format: number;
  eintr: string;
  stack: string;
  fixes: string;
  scenario: string;
  scenario_text: string;
  seed: number;
  scheduler: string;
  origin: string;
  transitions: number;
  threads: number;
  time: number;
  reason: string;
  complete: Flag;
  lost_bytes: number;
  arrow_bytes: number;
  digest: string;
}
export interface ThreadTable {
  id: number;
  name: string;
  pid: number;
  tid: number;
  internal: Flag;
}
export interface SiteTable {
  id: number;
  flow: string;
  step: number;
  label: string;
  layer: string;
  context: string;
  source: string;
}
export interface TextTable {
  id: number;
  text: string;
}
export interface KindTable {
  id: number;
  name: string;
  text: string;
  value: string;
  extra: string;
}
export interface SignalNameTable {
  number: number;
  name: string;
}
/** A row is a transition of the engine, as it is. */
export type TransitionTable = { [C in keyof Transition]: number };
export interface KeyframeTable {
  seq: number;
  state: Buffer;
}
export interface DecisionTable {
  id: number;
  seq: number;
  door: string;
  choice: number;
}
export interface SyscallTable {
  seq: number;
  exit_seq: Nullable;
  thread: number;
  site: number;
  nr: number;
  time: number;
  duration: Nullable;
  result: Nullable;
  interrupted: Flag;
}
export interface SignalTable {
  id: number;
  signal: number;
  thread: number;
  generated: Nullable;
  delivered: Nullable;
  pended: Nullable;
  upcall: Nullable;
  decided: Nullable;
  appended: Nullable;
  fetched: Nullable;
  handled: Nullable;
  ended: Nullable;
  outcome: number;
  time_generated: Nullable;
  time_handled: Nullable;
  delay: Nullable;
}
export interface EntryTable {
  seq: number;
  thread: number;
  how: number;
  left_seq: Nullable;
  left_how: Nullable;
  time: number;
  duration: Nullable;
}
export interface UpcallTable {
  seq: number;
  thread: number;
  event: number;
  return_seq: Nullable;
  time: number;
  duration: Nullable;
}
export interface HandlerTable {
  seq: number;
  thread: number;
  signal: number;
  signal_id: number;
  left_seq: Nullable;
  left_how: Nullable;
  time: number;
  duration: Nullable;
  context: number;
}
export interface AnalysisTable {
  rule: string;
  findings: number;
  cost_ns: number;
  omitted: number;
}
export interface FindingTable {
  id: number;
  rule: string;
  severity: string;
  title: string;
  thread: Nullable;
  first_seq: number;
  last_seq: number;
  cost_ns: number;
  fingerprint: string;
}
export interface EvidenceTable {
  finding: number;
  position: number;
  seq: number;
  caption: string;
}
export interface OutcomeTable {
  id: number;
  subject: string;
  name: string;
  thread: Nullable;
  how: string;
  text: string;
  seq: Nullable;
  other: string | null;
  other_how: string | null;
  other_text: string | null;
  compared: number;
  omitted: number;
  beyond: number;
  compared_seq: Nullable;
}
export interface DifferenceTable {
  id: number;
  kind: string;
  weight: string;
  thread: string;
  what: string;
  seq: Nullable;
  here: string;
  result: Nullable;
  other_seq: Nullable;
  there: string;
  other_result: Nullable;
  line: Nullable;
  cause: Flag;
}
export interface CountByKindTable {
  thread: number;
  kind: number;
  count: number;
}
export interface TimeIndexTable {
  seq0: number;
  rows: number;
  time0: number;
  time1: number;
}
export interface QualityTable {
  name: string;
  count: number;
  severity: string;
  advice: string;
}
/** View: transition with names. */
export interface TransitionsView {
  seq: number;
  time_ns: number;
  thread: string;
  kind: string;
  signal: string | null;
  value: number;
  extra: number;
  flow: string;
  label: string;
  layer: string;
  context: string;
  depth: number;
  cssa: number;
  preempt: number;
  pending: number;
  detail: string | null;
}
/** View: syscall with names. */
export interface SyscallsView {
  seq: number;
  exit_seq: Nullable;
  thread: string;
  call: string;
  flow: string;
  nr: number;
  time_ns: number;
  duration_ns: Nullable;
  result: Nullable;
  native: Nullable;
  interrupted: Flag;
}
/** View: signal with names. */
export interface SignalsView {
  id: number;
  signal: string | null;
  thread: string;
  outcome: string;
  delay_ns: Nullable;
  generated: Nullable;
  delivered: Nullable;
  pended: Nullable;
  upcall: Nullable;
  decided: Nullable;
  appended: Nullable;
  fetched: Nullable;
  handled: Nullable;
  ended: Nullable;
}

export interface Database {
  run: RunTable;
  thread: ThreadTable;
  site: SiteTable;
  text: TextTable;
  kind: KindTable;
  signal_name: SignalNameTable;
  transition: TransitionTable;
  keyframe: KeyframeTable;
  decision: DecisionTable;
  syscall: SyscallTable;
  signal: SignalTable;
  entry: EntryTable;
  upcall: UpcallTable;
  handler: HandlerTable;
  analysis: AnalysisTable;
  finding: FindingTable;
  evidence: EvidenceTable;
  outcome: OutcomeTable;
  difference: DifferenceTable;
  count_by_kind: CountByKindTable;
  time_index: TimeIndexTable;
  quality: QualityTable;
  transitions: TransitionsView;
  syscalls: SyscallsView;
  signals: SignalsView;
}

/** kysely over a sealed trace, read-only. Loaded on demand: most commands do without. Call `destroy()` when done. */
export async function connect(dbPath: string): Promise<Kysely<Database>> {
  const [{ Kysely, SqliteDialect }, { default: Sqlite }] = await Promise.all([import("kysely"), import("better-sqlite3")]);
  const database = new Sqlite(dbPath, { readonly: true, fileMustExist: true });
  return new Kysely<Database>({ dialect: new SqliteDialect({ database }) });
}
