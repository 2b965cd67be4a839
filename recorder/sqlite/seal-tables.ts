/** The small tables of `trace.db`, and the rows that came late: inserted through SQLite, in one transaction. */

import { deflateSync } from "node:zlib";
import Sqlite, { type Database as Connection } from "better-sqlite3";
import { KINDS } from "../../engine/index.ts";
import type { TransitionReader } from "../arrow/read.ts";
import { SIGNAL_UPSERT } from "../derive/signals.ts";
import type { Spill } from "../derive/spill.ts";
import { COUNT_UPSERT } from "../derive/thread-counts.ts";
import { TraceError } from "../format/errors.ts";
import { FORMAT_VERSION, type QualityCounter } from "../format/metadata.ts";
import { tableEntry } from "../schema/schema.ts";
import { SIGNAL_NAMES } from "../schema/signal-names.ts";

/** What the pass over the rows has found out. */
export interface SealFacts {
  readonly digest: string;
  /** By batch, ns. */
  readonly times: readonly { readonly time0: number; readonly time1: number }[];
  readonly quality: readonly QualityCounter[];
}

type Value = number | string | Buffer | null;

/** Rows inserted between two looks at the world outside: some milliseconds, and less than that for rows with a state in them. */
const YIELD_ROWS = 4096;
const YIELD_BYTES = 200_000;

/** Insert rows of values in column order. */
function* insertRows(db: Connection, name: string, rows: Iterable<readonly Value[]>): Generator<void, void, void> {
  const marks = tableEntry(name).columns.map(() => "?");
  const insert = db.prepare(`INSERT INTO "${name}" VALUES (${marks.join(", ")})`);
  let done = 0;
  let bytes = 0;
  for (const row of rows) {
    insert.run(...row);
    for (const value of row) if (value !== null && typeof value === "object") bytes += value.length;
    if (++done % YIELD_ROWS !== 0 && bytes < YIELD_BYTES) continue;
    bytes = 0;
    yield;
  }
}

/** NaN is NULL in rows of numbers. */
const nulls = (row: Float64Array): Value[] => Array.from(row, (v) => (Number.isNaN(v) ? null : v));

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
  spills: ReadonlyMap<string, Spill>,
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
    for (const [name, rows] of smallTables(reader, facts, quality)) yield* insertRows(db, name, rows);
    for (const [name, spill] of spills) yield* insertSpilled(db, name, spill);
    const merged = mergedQuality(quality);
    yield* insertRows(
      db,
      "quality",
      merged.map((q) => [q.name, q.count, q.severity, q.advice]),
    );
    db.exec("COMMIT");
    return merged;
  } finally {
    db.close();
  }
}

/** Tables and their rows, in the order in which they are filled; `quality` gains what reading them brings up. */
function smallTables(reader: TransitionReader, facts: SealFacts, quality: QualityCounter[]): [string, Iterable<readonly Value[]>][] {
  const { threads, sites, texts, batches } = reader;
  return [
    ["run", [runRow(reader, facts)]],
    ["thread", mapped(threads, (t, id) => [id, t.name, t.pid, t.tid, Number(t.internal)])],
    ["site", mapped(sites, (s, id) => [id, s.flow, s.step, s.label, s.layer, s.context, s.source])],
    ["text", mapped(texts.length === 0 ? [""] : texts, (text, id) => [id, text])],
    ["kind", mapped(KINDS, (k, id) => [id, k.name, k.text, k.value, k.extra])],
    ["signal_name", SIGNAL_NAMES],
    ["decision", decisionRows(reader, quality)],
    ["time_index", mapped(batches, (b, i) => [b.seq0, b.rows, facts.times[i]?.time0 ?? 0, facts.times[i]?.time1 ?? 0])],
    ["keyframe", keyframeRows(reader)],
  ];
}

/** Row by row: a list of them would stand in memory beside the list they are made from. */
function* mapped<T>(list: readonly T[], row: (entry: T, index: number) => Value[]): Generator<Value[], void, void> {
  for (const [index, entry] of list.entries()) yield row(entry, index);
}

/** Tables whose rows may come in several pieces. */
const UPSERTS: Readonly<Record<string, string>> = { signal: SIGNAL_UPSERT, count_by_kind: COUNT_UPSERT };

function* insertSpilled(db: Connection, name: string, spill: Spill): Generator<void, void, void> {
  const marks = tableEntry(name)
    .columns.map(() => "?")
    .join(", ");
  const insert = db.prepare(UPSERTS[name] ?? `INSERT OR REPLACE INTO "${name}" VALUES (${marks})`);
  let done = 0;
  for (const row of spill.read()) {
    insert.run(...nulls(row));
    if (++done % YIELD_ROWS === 0) yield;
  }
}

function runRow(reader: TransitionReader, facts: SealFacts): Value[] {
  const { info, end } = reader;
  const time = facts.times.reduce((latest, range) => Math.max(latest, range.time1), 0);
  return [
    1,
    FORMAT_VERSION,
    info.eintr,
    info.stack,
    JSON.stringify(info.fixes),
    info.scenario,
    info.scenarioText,
    info.seed,
    info.scheduler,
    info.origin,
    reader.rows,
    reader.threads.length,
    end?.time ?? time,
    end?.reason ?? "killed",
    Number(reader.complete),
    reader.lostBytes,
    reader.bytes,
    facts.digest,
  ];
}

/** As many as can be read: the trace is worth having without them. */
function* decisionRows(reader: TransitionReader, quality: QualityCounter[]): Generator<Value[]> {
  let id = 0;
  try {
    for (const { seq, door, choice } of reader.decisions()) yield [id++, seq, door, choice];
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
    quality.push({ name: "decisions-lost", count: 1, severity: "data-loss", advice: error.message });
  }
}

function* keyframeRows(reader: TransitionReader): Generator<Value[]> {
  for (const [index, batch] of reader.batches.entries()) {
    const state = reader.keyframe(index);
    if (state !== null) yield [batch.seq0 + batch.rows - 1, deflateSync(state, DEFLATE)];
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
