/**
 * The recorder's door. `record` loads apache-arrow and `connect` loads kysely on demand: opening a trace needs neither. The importers are
 * behind a door of their own, `import/index.ts`.
 */

export type { BatchEntry, TransitionReader } from "./arrow/read.ts";
export { openTransitions } from "./arrow/read.ts";
export { type CallPlace, createCallWalk, HANDLER, WALKED } from "./derive/call-walk.ts";
export { addExporter, EXPORTERS, type Exporter, type ExportSink, type NamedRow, namedRows } from "./export/index.ts";
export type { Digest } from "./format/digest.ts";
export { createDigest } from "./format/digest.ts";
export { TraceError } from "./format/errors.ts";
export { openRegular, writeWhole } from "./format/files.ts";
export { inTurns } from "./format/in-turns.ts";
export { letGo } from "./format/let-go.ts";
export type { QualityCounter, RunEnd, RunInfo } from "./format/metadata.ts";
export { ARROW_NAME, DB_NAME, NOTES_NAME } from "./format/metadata.ts";
export { FORMAT_VERSION } from "./format/version.ts";
export { QueryError } from "./query/check.ts";
export type { Cell, QueryOptions, QueryResult } from "./query/query.ts";
export { query } from "./query/query.ts";
export type { Database } from "./schema/database.ts";
export { connect } from "./schema/database.ts";
export { OUTCOME } from "./schema/outcomes.ts";
export type { ColumnEntry, TableEntry, ViewEntry } from "./schema/sql.ts";
export { describeSchema, schemaSql } from "./schema/sql.ts";
export type { Row, TableName } from "./schema/tables.ts";
export type { FindingRecord, RuleRun } from "./sqlite/findings.ts";
export type { Sealed, SealOptions } from "./sqlite/seal.ts";
export { seal } from "./sqlite/seal.ts";
export type { DifferenceRecord, OutcomeRecord, VerdictRecord } from "./sqlite/verdict-tables.ts";
export { isBeingRecorded } from "./trace/folder-lock.ts";
export { type Followed, followTrace, recorderIsDone } from "./trace/follow.ts";
export type { Keyframe, OpenOptions, Trace } from "./trace/open.ts";
export { openTrace } from "./trace/open.ts";
export { isPacked, PACK_EXTENSION, type PackOptions, packTrace } from "./trace/pack.ts";
export type { Recorded, RecordOptions, RecordProgress, StreamedSource } from "./trace/record.ts";
export { record } from "./trace/record.ts";
