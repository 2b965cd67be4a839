/**
 * The database that sgx-perf writes (ibr-ds/sgx-perf at a3be21a, logger/src/store.cpp and events.h): ecalls, ocalls, AEXs, signals and
 * threads of a program with an enclave, in real time.
 */

import Sqlite from "better-sqlite3";
import type { QualityCounter } from "../../format/metadata.ts";
import { ImportError, type Importer } from "../importer.ts";
import { type ImportedRow, sourceOfRows } from "../rows.ts";
import { createEventTeller, type EventTeller, type PerfEvent } from "./events.ts";

const MAGIC = "SQLite format 3\0";
/** Rows that are told at a time. */
const BATCH = 10_000;

/** Columns that are read; an older version of the tool may lack the later ones. */
const COLUMNS = ["id", "type", "time", "involved_thread", "other_thread", "arg", "return_value", "eid", "call_id", "call_event"] as const;

export const sgxPerf: Importer = {
  id: "sgx-perf",
  text: "a database of sgx-perf",
  clock: "monotonic",
  // SQLite reads it from memory.
  mostBytes: 512 * 1024 * 1024,
  sniff(start) {
    const text = Buffer.from(start.buffer, start.byteOffset, start.byteLength).toString("latin1");
    return text.startsWith(MAGIC) && /CREATE TABLE [`"']?events[`"']? ?\(/.test(text) && text.includes("involved_thread");
  },
  async read(chunks, name) {
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk);
    const db = openStranger(Buffer.concat(parts), name);
    const told = tellerOf(db, name);
    return {
      is: "transitions",
      source: sourceOfRows(told.happened, ["depth"], batches(db, told, name)),
      counters: (): QualityCounter[] =>
        told.odd === 0
          ? []
          : [{ name: "sgx-perf.other", count: told.odd, severity: "info", advice: "events of other kinds, and ends without a beginning" }],
    };
  },
};

function tellerOf(db: Sqlite.Database, name: string): EventTeller {
  try {
    return createEventTeller(namesOf(db, "ecalls"), namesOf(db, "ocalls"), threadNames(db));
  } catch (error) {
    db.close();
    throw broken(error, name);
  }
}

/** Only plain tables: no view, trigger or virtual table of a stranger's database is ever looked at. Throws ImportError. */
function openStranger(bytes: Buffer, name: string): Sqlite.Database {
  try {
    const db = new Sqlite(bytes, { readonly: true });
    db.pragma("trusted_schema = OFF");
    db.pragma("cell_size_check = ON");
    const odd = db
      .prepare("SELECT type, name FROM sqlite_master WHERE type NOT IN ('table', 'index') OR sql LIKE 'CREATE VIRTUAL%' LIMIT 1")
      .get();
    if (odd !== undefined) throw new ImportError(`${name}: a database with a view, trigger or virtual table, which sgx-perf does not make`);
    if (columnsOf(db, "events").size === 0) throw new ImportError(`${name}: no table events; expected a database of sgx-perf`);
    return db;
  } catch (error) {
    throw broken(error, name);
  }
}

const broken = (error: unknown, name: string): unknown =>
  error instanceof Sqlite.SqliteError
    ? new ImportError(`${name}: the database is damaged (${error.code}); copy it again, after the program has ended`)
    : error;

const columnsOf = (db: Sqlite.Database, table: string): Set<string> =>
  new Set((db.pragma(`table_info(${table})`) as { name: string }[]).map((column) => column.name));

async function* batches(db: Sqlite.Database, told: EventTeller, name: string): AsyncGenerator<ImportedRow[], void> {
  try {
    const there = columnsOf(db, "events");
    const columns = COLUMNS.map((column) => (there.has(column) ? column : `NULL AS ${column}`)).join(", ");
    let read = 0;
    for (const event of db.prepare(`SELECT ${columns} FROM events ORDER BY time, id`).iterate() as IterableIterator<PerfEvent>) {
      told.take(event);
      read += 1;
      if (read % BATCH === 0) yield told.happened.take();
    }
    yield told.happened.take();
    if (read === 0) throw new ImportError(`${name}: the database has no events; was the program run with LD_PRELOAD=liblogger.so?`);
  } catch (error) {
    throw broken(error, name);
  } finally {
    db.close();
  }
}

/** Names of ecalls or ocalls by enclave and number. */
function namesOf(db: Sqlite.Database, table: "ecalls" | "ocalls"): ReadonlyMap<string, string> {
  if (!columnsOf(db, table).has("symbol_name")) return new Map();
  const rows = db.prepare(`SELECT id, eid, symbol_name FROM ${table} WHERE symbol_name IS NOT NULL LIMIT 100000`).all() as {
    id: number;
    eid: number;
    symbol_name: unknown;
  }[];
  return new Map(rows.map(({ id, eid, symbol_name }) => [`${eid} ${id}`, String(symbol_name).slice(0, 100)]));
}

function threadNames(db: Sqlite.Database): ReadonlyMap<number, string> {
  if (!columnsOf(db, "threads").has("name")) return new Map();
  const rows = db.prepare("SELECT id, name FROM threads LIMIT 100000").all() as { id: number; name: unknown }[];
  return new Map(rows.filter(({ name }) => name !== "").map(({ id, name }) => [Number(id), String(name).slice(0, 40)]));
}
