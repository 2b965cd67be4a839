/**
 * Makes `trace.db` from `transitions.arrow`, in one pass over the rows: after recording, after importing, and
 * when a recording was killed. The database appears by a rename, whole or not at all.
 */

import fs from "node:fs";
import path from "node:path";
import { newBlock, shownBy } from "../../engine/index.ts";
import { openTransitions, type TransitionReader } from "../arrow/read.ts";
import { inSignalContext } from "../derive/tables.ts";
import { createDigest } from "../format/digest.ts";
import { errorCode, errorText, isFileError, isFullDisk, TraceError } from "../format/errors.ts";
import { inTurns } from "../format/in-turns.ts";
import { ARROW_NAME, DB_NAME, type QualityCounter } from "../format/metadata.ts";
import { insertSmallTables } from "./seal-tables.ts";
import { type PassFacts, startTablePass, type TablePass } from "./table-pass.ts";

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

/** Build or rebuild the database of the trace in `dir`. Null when `signal` was aborted: then no database was made. Throws TraceError. */
export const seal = (dir: string, options: SealOptions & { readonly signal?: AbortSignal | undefined } = {}): Promise<Sealed | null> =>
  inTurns(sealSteps(dir, options), options.signal);

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
  const into = options.into ?? dir;
  const tmp = temporaryName(into);
  let pass: TablePass | null = null;
  try {
    removeStale(into);
    const { sites, absent } = reader;
    pass = startTablePass(tmp, { inSignalContext: inSignalContext(sites), absent, events: shownBy(reader.info.stack).events });
    const digest = createDigest(reader.format);
    const block = newBlock(0);
    for (let index = 0; index < reader.batches.length; index++) {
      reader.readBlock(index, block);
      pass.put(block, reader.threads.length);
      digest.put(block);
      options.onProgress?.(block.seq0 + block.n, reader.rows);
      yield;
    }
    const facts = pass.finish();
    return yield* completeDatabase(reader, into, tmp, pass, facts, digest.finish(reader.texts, reader.threads));
  } catch (error) {
    throw sealError(tmp, error);
  } finally {
    pass?.cleanUp();
  }
}

/** The name that a database has until it is whole. By process: two that open the same killed recording must not write into each other's file. */
export const temporaryName = (into: string): string => path.join(into, `${DB_NAME}.${process.pid}.tmp`);

/** Insert the small tables into the database at `tmp`, whose pass is finished, and give it its name. `digest` is that of the rows. */
export function* completeDatabase(
  reader: TransitionReader,
  into: string,
  tmp: string,
  pass: TablePass,
  facts: PassFacts,
  digest: string,
): Generator<void, Sealed, void> {
  const all = [...facts.quality, ...readerQuality(reader, digest)];
  const quality = yield* insertSmallTables(tmp, reader, { ...facts, digest, quality: all }, pass.spills);
  // SQLite would take what lies beside the older database for a part of the new one.
  for (const ending of COMPANIONS) fs.rmSync(path.join(into, `${DB_NAME}${ending}`), { force: true });
  fs.renameSync(tmp, path.join(into, DB_NAME));
  return { rows: reader.rows, digest, quality };
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

/** Remove what killed processes left behind, and this one. */
export function removeStale(dir: string): void {
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
