/** The small tables of `trace.db`, and the rows that came late: inserted through SQLite, in one transaction. */

import { deflateSync } from "node:zlib";
import Sqlite, { type Database as Connection } from "better-sqlite3";
import { KINDS, resultText, SIGNAL_NAMES } from "../../engine/index.ts";
import type { TransitionReader } from "../arrow/read.ts";
import { SIGNAL_UPSERT } from "../derive/signals.ts";
import type { Spill } from "../derive/spill.ts";
import { COUNT_UPSERT } from "../derive/thread-counts.ts";
import { TraceError } from "../format/errors.ts";
import type { QualityCounter } from "../format/metadata.ts";
import { insertSql } from "../schema/sql.ts";
import type { Row, TableName } from "../schema/tables.ts";
import { inserter } from "./insert.ts";
import type { PassFacts } from "./table-pass.ts";

/** What is known of the rows. */
export interface SealFacts extends PassFacts {
  readonly digest: string;
}

/** Rows inserted between two looks at the world outside: some milliseconds, and less than that for rows with a state in them. */
const YIELD_ROWS = 4096;
const YIELD_BYTES = 200_000;

function* insertRows<T extends TableName>(db: Connection, name: T, rows: Iterable<Row<T>>): Generator<void, void, void> {
  const insert = inserter(db, name);
  let done = 0;
  let bytes = 0;
  for (const row of rows) {
    insert(row);
    if ("state" in row) bytes += (row.state as Uint8Array).length;
    if (++done % YIELD_ROWS !== 0 && bytes < YIELD_BYTES) continue;
    bytes = 0;
    yield;
  }
}

/** NaN is NULL in rows of numbers. */
const nulls = (row: Float64Array): (number | null)[] => Array.from(row, (v) => (Number.isNaN(v) ? null : v));

/** Small pieces: what is deflated of a state has some 3 kB, and memory outside of V8's heap is long in coming back. */
const DEFLATE = { level: 1, chunkSize: 4096 };

/** SQLite would take 16 MB for it; rows come in order of their keys, nearly. */
const CACHE_KB = 1024;

/**
 * `spills` by table: rows that replace (or for `signal`, complete) what the page writer wrote. Returns what there is to say about the
 * quality of the whole trace, one counter a name.
 */
export function* insertSmallTables(
  dbPath: string,
  reader: TransitionReader,
  facts: SealFacts,
  spills: ReadonlyMap<TableName, Spill>,
): Generator<void, QualityCounter[], void> {
  const quality = [...facts.quality];
  const db = new Sqlite(dbPath);
  try {
    // The file is a temporary one: if this fails it is thrown away, so no journal. Parents come after children.
    db.pragma("journal_mode = OFF");
    db.pragma("synchronous = OFF");
    db.pragma("foreign_keys = OFF");
    db.pragma(`cache_size = -${CACHE_KB}`);
    db.exec("BEGIN");
    for (const filling of smallTables(db, reader, facts, quality)) yield* filling;
    for (const [name, spill] of spills) yield* insertSpilled(db, name, spill);
    for (const sql of TOTALS) {
      db.exec(sql);
      yield;
    }
    const merged = mergedQuality(quality);
    yield* insertRows(db, "quality", merged);
    db.exec("COMMIT");
    return merged;
  } finally {
    db.close();
  }
}

/** The filling of each table, in order; `quality` gains what reading them brings up. */
function smallTables(db: Connection, reader: TransitionReader, facts: SealFacts, quality: QualityCounter[]): Generator<void, void, void>[] {
  const { threads, sites, texts, batches } = reader;
  return [
    insertRows(db, "run", [runRow(reader, facts)]),
    insertRows(
      db,
      "thread",
      mapped(threads, ({ name, pid, tid, internal }, id) => ({ id, name, pid, tid, internal: Number(internal), count: 0 })),
    ),
    insertRows(
      db,
      "site",
      mapped(sites, (site, id) => ({ id, ...site })),
    ),
    insertRows(
      db,
      "text",
      mapped(texts.length === 0 ? [""] : texts, (text, id) => ({ id, text })),
    ),
    insertRows(
      db,
      "kind",
      mapped(KINDS, (kind, id) => ({ id, ...kind, count: facts.kinds[id] ?? 0 })),
    ),
    insertRows(
      db,
      "signal_name",
      mapped(SIGNAL_NAMES, (name, i) => ({ number: i + 1, name })),
    ),
    insertRows(db, "error_name", ERROR_ROWS),
    insertRows(db, "decision", decisionRows(reader, quality)),
    insertRows(
      db,
      "time_index",
      mapped(batches, ({ seq0, rows }, i) => ({ seq0, rows, time0: facts.times[i]?.time0 ?? 0, time1: facts.times[i]?.time1 ?? 0 })),
    ),
    insertRows(db, "keyframe", keyframeRows(reader)),
    insertRows(db, "call_total", facts.callTotals.rows()),
  ];
}

/** The last error that Linux has a name for. */
const LAST_ERROR = 133;
const ERROR_ROWS = Array.from({ length: LAST_ERROR }, (_, i) => ({ number: -(i + 1), name: resultText(-(i + 1)) }));

/** Row by row: a list of them would stand in memory beside the list they are made from. */
function* mapped<T, R>(list: readonly T[], row: (entry: T, index: number) => R): Generator<R, void, void> {
  for (const [index, entry] of list.entries()) yield row(entry, index);
}

/** What is added up when all rows of the other tables are there. `longest_id` is of the row that `max` takes. */
const TOTALS = [
  "UPDATE thread SET count = (SELECT ifnull(sum(count), 0) FROM count_by_kind WHERE thread = thread.id)",
  `INSERT INTO signal_total
SELECT signal, outcome, count(*), count(delay), ifnull(sum(delay), 0), max(delay), CASE WHEN count(delay) > 0 THEN id END
FROM signal GROUP BY signal, outcome`,
];

/** Tables whose rows may come in several pieces. */
const UPSERTS: Partial<Record<TableName, string>> = { signal: SIGNAL_UPSERT, count_by_kind: COUNT_UPSERT };

function* insertSpilled(db: Connection, name: TableName, spill: Spill): Generator<void, void, void> {
  const insert = db.prepare(UPSERTS[name] ?? insertSql(name, "INSERT OR REPLACE"));
  let done = 0;
  for (const row of spill.read()) {
    insert.run(...nulls(row));
    if (++done % YIELD_ROWS === 0) yield;
  }
}

function runRow({ info, end, ...reader }: TransitionReader, facts: SealFacts): Row<"run"> {
  const time = facts.times.reduce((latest, range) => Math.max(latest, range.time1), 0);
  return {
    id: 1,
    format: reader.format,
    eintr: info.eintr,
    stack: info.stack,
    fixes: JSON.stringify(info.fixes),
    options: JSON.stringify(info.options),
    scenario: info.scenario,
    scenario_text: info.scenarioText,
    seed: info.seed,
    scheduler: info.scheduler,
    origin: info.origin,
    clock: info.clock ?? "virtual",
    transitions: reader.rows,
    threads: reader.threads.length,
    time: end?.time ?? time,
    reason: end?.reason ?? "killed",
    complete: Number(reader.complete),
    lost_bytes: reader.lostBytes,
    arrow_bytes: reader.bytes,
    digest: facts.digest,
  };
}

/** As many as can be read: the trace is worth having without them. */
function* decisionRows(reader: TransitionReader, quality: QualityCounter[]): Generator<Row<"decision">> {
  let id = 0;
  try {
    for (const { seq, point, choice } of reader.decisions()) yield { id: id++, seq, point, choice };
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
    quality.push({ name: "decisions-lost", count: 1, severity: "data-loss", advice: error.message });
  }
}

function* keyframeRows(reader: TransitionReader): Generator<Row<"keyframe">> {
  for (const [index, batch] of reader.batches.entries()) {
    const state = reader.keyframe(index);
    if (state !== null) yield { seq: batch.seq0 + batch.rows - 1, state: deflateSync(state, DEFLATE) };
  }
}

/** One counter per name: an importer and the seal may both have counted. */
function mergedQuality(counters: readonly QualityCounter[]): QualityCounter[] {
  const merged = new Map<string, QualityCounter>();
  for (const counter of counters) {
    const before = merged.get(counter.name);
    merged.set(counter.name, before === undefined ? counter : { ...before, count: before.count + counter.count });
  }
  return [...merged.values()];
}
