/**
 * Makes `trace.db` from `transitions.arrow`, in one pass over the rows: after recording, after importing, and
 * when a recording was killed. The database appears by a rename, whole or not at all.
 */

import fs from "node:fs";
import path from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import Sqlite from "better-sqlite3";
import { BLOCK_ROWS, COLUMN_NAMES, newBlock } from "../../engine/index.ts";
import { openTransitions, type TransitionReader } from "../arrow/read.ts";
import { createRowWindow, type RowWindow } from "../derive/row-window.ts";
import { createSpill, type Spill } from "../derive/spill.ts";
import { createDeriver, DERIVED, type DerivedTable } from "../derive/tables.ts";
import { createDigest } from "../format/digest.ts";
import { errorCode, errorText, isFileError, isFullDisk, TraceError } from "../format/errors.ts";
import { ARROW_NAME, DB_NAME, type QualityCounter } from "../format/metadata.ts";
import { schemaSql, TRANSITION_INDEX } from "../schema/sql.ts";
import { columnNames, emptyRow, SCHEMA_VERSION, TABLE_NAMES, TABLES, type TableName } from "../schema/tables.ts";
import { createIndexWriter, type IndexWriter } from "./index-pages.ts";
import { createTableWriter, openPageFile, type TableWriter } from "./pages.ts";
import { insertSmallTables, type SealFacts } from "./seal-tables.ts";

export interface SealOptions {
  /** Called after each batch: rows done of rows in all. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Folder that the database goes to, when not that of the rows. */
  readonly into?: string | undefined;
}

export interface Sealed {
  readonly rows: number;
  readonly digest: string;
  readonly quality: readonly QualityCounter[];
}

/** Counter of a file that is not what was recorded. */
export const DIGEST_DIFFERS = "digest-differs";

/** Files that SQLite would take for a part of the database. */
const COMPANIONS = ["-journal", "-wal", "-shm"] as const;

const PAGE_SIZE = 4096;
/** Pages written at a time: 1 MB for transitions, 128 kB for the rarer tables. */
const TRANSITION_PAGES = 256;
const DERIVED_PAGES = 32;

/** Build or rebuild the database of the trace in `dir`. Throws TraceError. */
export function seal(dir: string, options: SealOptions = {}): Sealed {
  const steps = sealSteps(dir, options);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** The same, but lets timers and signals in between batches. Null when `signal` was aborted: then no database was made. */
export async function sealGently(
  dir: string,
  options: SealOptions & { readonly signal?: AbortSignal | undefined } = {},
): Promise<Sealed | null> {
  const steps = sealSteps(dir, options);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    await turn();
    if (options.signal?.aborted === true) {
      steps.return(undefined as never);
      return null;
    }
  }
}

/** Yields after each batch, and as often otherwise. Left early, it takes back what it had begun. */
function* sealSteps(dir: string, options: SealOptions): Generator<void, Sealed, void> {
  const reader = openTransitions(path.join(dir, ARROW_NAME));
  try {
    return yield* sealFrom(reader, dir, options);
  } finally {
    reader.close();
  }
}

function* sealFrom(reader: TransitionReader, dir: string, options: SealOptions): Generator<void, Sealed, void> {
  // Named by process: two that open the same killed recording must not write into each other's file.
  const into = options.into ?? dir;
  const tmp = path.join(into, `${DB_NAME}.${process.pid}.tmp`);
  const spills = new Map<TableName, Spill>();
  const spill = (name: TableName): Spill => {
    const made = createSpill(`${tmp}.${name}`, columnNames(name).length);
    spills.set(name, made);
    return made;
  };
  try {
    removeStale(into);
    const roots = createDatabase(tmp);
    const facts = yield* writeAtdTables(reader, tmp, roots, spill, options);
    const quality = yield* insertSmallTables(tmp, reader, facts, spills);
    // SQLite would take what lies beside the older database for a part of the new one.
    for (const ending of COMPANIONS) fs.rmSync(path.join(into, `${DB_NAME}${ending}`), { force: true });
    fs.renameSync(tmp, path.join(into, DB_NAME));
    return { rows: reader.rows, digest: facts.digest, quality };
  } catch (error) {
    throw sealError(tmp, error);
  } finally {
    cleanUp(tmp, spills.values());
  }
}

/** What cannot be removed here is removed by the next who seals; the error that led here is the one to tell. */
function cleanUp(tmp: string, spills: Iterable<Spill>): void {
  try {
    for (const made of spills) made.close();
    fs.rmSync(tmp, { force: true });
  } catch {
    // See above.
  }
}

type Roots = ReadonlyMap<TableName | typeof TRANSITION_INDEX, number>;

/** An empty database with the whole schema. Returns the root page of each paged table, and of the index. */
function createDatabase(tmp: string): Roots {
  fs.rmSync(tmp, { force: true });
  const db = new Sqlite(tmp);
  try {
    db.pragma(`page_size = ${PAGE_SIZE}`);
    // Nobody reads the file before it is whole and renamed.
    db.pragma("journal_mode = OFF");
    db.pragma("synchronous = OFF");
    db.exec(schemaSql());
    db.pragma(`user_version = ${SCHEMA_VERSION}`);
    const rootPage = db.prepare<[string], { rootpage: number }>("SELECT rootpage FROM sqlite_schema WHERE name = ?");
    const paged = [...TABLE_NAMES.filter((name) => TABLES[name].paged), TRANSITION_INDEX] as const;
    return new Map(paged.map((name) => [name, rootPage.get(name)?.rootpage ?? 0]));
  } finally {
    db.close();
  }
}

function* writeAtdTables(
  reader: TransitionReader,
  tmp: string,
  roots: Roots,
  spill: (name: TableName) => Spill,
  options: SealOptions,
): Generator<void, SealFacts, void> {
  const file = openPageFile(tmp);
  try {
    const tableWriter = (name: TableName, pages: number): TableWriter =>
      createTableWriter(file, roots.get(name) ?? 0, columnNames(name).length, pages);
    const transition = tableWriter("transition", TRANSITION_PAGES);
    const derived = DERIVED.map((name) => ({ name, writer: tableWriter(name, DERIVED_PAGES) }));
    const windows = Object.fromEntries(
      derived.map(({ name, writer }) => [
        name,
        createRowWindow(emptyRow(name), (columns, n, from) => writer.put(columns, n, from), spill(name)),
      ]),
    ) as Record<DerivedTable, RowWindow>;
    const spills = { signals: spill("signal"), counts: spill("count_by_kind") };
    const deriver = createDeriver(windows, spills, reader.sites, reader.threads.length);
    const byKind = createIndexWriter(file, roots.get(TRANSITION_INDEX) ?? 0);
    const facts = yield* passOver(reader, { transition, byKind }, deriver, options.onProgress);
    transition.finish();
    byKind.finish();
    for (const { writer } of derived) writer.finish();
    file.finish();
    return facts;
  } finally {
    file.abandon();
  }
}

/** The one pass over all rows: page writer, derived tables, digest, time index. */
function* passOver(
  reader: TransitionReader,
  { transition, byKind }: { readonly transition: TableWriter; readonly byKind: IndexWriter },
  deriver: ReturnType<typeof createDeriver>,
  onProgress: SealOptions["onProgress"],
): Generator<void, SealFacts, void> {
  const digest = createDigest();
  const times: { time0: number; time1: number }[] = [];
  const block = newBlock(0);
  const absent: ReadonlySet<string> = new Set(reader.absent);
  let seqs = new Float64Array(BLOCK_ROWS);
  for (let index = 0; index < reader.batches.length; index++) {
    reader.readBlock(index, block);
    if (seqs.length < block.n) seqs = new Float64Array(block.n);
    for (let i = 0; i < block.n; i++) seqs[i] = block.seq0 + i;
    transition.put([seqs, ...COLUMN_NAMES.map((name) => (absent.has(name) ? null : block[name]))], block.n);
    byKind.put(block.kind, block.n, block.seq0);
    deriver.put(block);
    digest.put(block);
    times.push(timeRange(block.time, block.n));
    onProgress?.(block.seq0 + block.n, reader.rows);
    yield;
  }
  const quality = deriver.finish();
  const hex = digest.finish(reader.texts, reader.threads);
  const { byKind: kinds, callTotals } = deriver;
  return { digest: hex, times, kinds, callTotals, quality: [...quality, ...readerQuality(reader, hex)] };
}

function timeRange(time: Float64Array, n: number): { time0: number; time1: number } {
  let time0 = time[0] ?? 0;
  let time1 = time0;
  for (let i = 1; i < n; i++) {
    const t = time[i] as number;
    if (t < time0) time0 = t;
    if (t > time1) time1 = t;
  }
  return { time0, time1 };
}

/** What the file itself says about its quality, and whether it is still what was written. */
function readerQuality(reader: TransitionReader, digest: string): QualityCounter[] {
  const counters: QualityCounter[] = [...(reader.end?.quality ?? [])];
  if (!reader.complete) {
    const advice = `the recording was killed or the file cut: ${reader.stopped}. What is here is whole; record again for the rest`;
    counters.push({ name: "bytes-lost", count: reader.lostBytes, severity: "data-loss", advice });
  }
  if (reader.end !== null && reader.end.digest !== digest) {
    const advice = "transitions.arrow was changed or damaged after it was recorded: record it again";
    counters.push({ name: DIGEST_DIFFERS, count: 1, severity: "error", advice });
  }
  return counters;
}

/** Remove what killed processes left behind. */
function removeStale(dir: string): void {
  for (const name of fs.readdirSync(dir)) {
    const pid = new RegExp(`^${DB_NAME}\\.(\\d+)\\.tmp`).exec(name)?.[1];
    if (pid !== undefined && (Number(pid) === process.pid || !isAlive(Number(pid)))) fs.rmSync(path.join(dir, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === "EPERM";
  }
}

/** SQLite's codes for what the place of the file does not allow; its other codes are about what is in the file. */
const SQLITE_PLACE = /^SQLITE_(CANTOPEN|READONLY|IOERR|PERM|AUTH|BUSY|LOCKED|PROTOCOL|NOLFS|NOMEM)/;

/** Codes with which a place refuses to be written to, or has no room; another place may take the file. */
const REFUSED = /^(EROFS|EACCES|EPERM|ENOSPC|EDQUOT|EFBIG|SQLITE_(CANTOPEN|READONLY|IOERR_WRITE|PERM|FULL))/;

export const isPlaceRefused = (error: unknown): error is TraceError =>
  error instanceof TraceError && REFUSED.test(errorCode((error as Error).cause));

/** What a failing disk, folder or SQLite means to a person. An error of any other sort is our bug and stays as it is. */
function sealError(tmp: string, error: unknown): unknown {
  if (error instanceof TraceError) return error;
  const code = errorCode(error);
  const text = errorText(error);
  // Errors of node:fs begin with their code, those of SQLite do not have it.
  const what = text.startsWith(code) ? text : `${code}: ${text}`;
  if (!fs.existsSync(path.dirname(tmp)))
    return new TraceError(path.dirname(tmp), "", "the folder was removed while its database was made", "Record it again", { cause: error });
  const failed = (problem: string, hint: string) =>
    new TraceError(path.join(path.dirname(tmp), DB_NAME), "", problem, hint, { cause: error });
  if (isFullDisk(code)) {
    return failed(`no space is left for the database (${what})`, `Free some space and open the trace again: ${ARROW_NAME} is as it was`);
  }
  if (isFileError(code) || SQLITE_PLACE.test(code)) {
    const hint = `Make its folder writable, or copy the trace to a place that can be written and open the copy: ${ARROW_NAME} is as it was`;
    return failed(`the database cannot be made here (${what})`, hint);
  }
  if (code.startsWith("SQLITE_")) {
    const hint = "Record it again; if this version of eintr recorded it, that is a bug: please report it with the trace";
    return failed(`no database can be made of what is in ${ARROW_NAME} (${what})`, hint);
  }
  return error;
}
