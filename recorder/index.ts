/** The recorder's only door. `record` loads apache-arrow and `connect` loads kysely on demand: opening a trace needs neither. */

export type { BatchEntry, TransitionReader } from "./arrow-read.ts";
export { openTransitions } from "./arrow-read.ts";
export type { CallPlace } from "./call-walk.ts";
export type { Database } from "./database.ts";
export { connect } from "./database.ts";
export type { Natives } from "./derive.ts";
export { OUTCOME } from "./derive-signals.ts";
export type { Digest } from "./digest.ts";
export { createDigest } from "./digest.ts";
export { TraceError } from "./errors.ts";
export type { FindingRecord, RuleRun } from "./findings.ts";
export type { Keyframe, OpenOptions, Trace } from "./open.ts";
export { openTrace, openTraceGently } from "./open.ts";
export type { Cell, QueryOptions, QueryResult } from "./query.ts";
export { query } from "./query.ts";
export { QueryError } from "./query-check.ts";
export type { Recorded, RecordOptions, RecordProgress } from "./record.ts";
export { record } from "./record.ts";
export type { ColumnEntry, TableEntry, ViewEntry } from "./schema.ts";
export { describeSchema, schemaSql } from "./schema.ts";
export type { Sealed, SealOptions } from "./seal.ts";
export { seal } from "./seal.ts";
export type { Seen, SeenCalls } from "./seen-calls.ts";
export { callKey, outcome, watchCalls } from "./seen-calls.ts";
export { SIGNAL_NAMES } from "./signal-names.ts";
export type { QualityCounter, RunEnd, RunInfo } from "./trace-format.ts";
export { ARROW_NAME, DB_NAME } from "./trace-format.ts";
