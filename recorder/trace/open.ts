/** A recorded trace as others see it: the reader of its rows, the path of its database, its lists. */

import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Sqlite from "better-sqlite3";
import type { Block, Decision, Site, StateColumn, ThreadInfo } from "../../engine/index.ts";
import { type BatchEntry, openTransitions, type TransitionReader } from "../arrow/read.ts";
import { TraceError } from "../format/errors.ts";
import { ARROW_NAME, DB_NAME, type RunInfo } from "../format/metadata.ts";
import type { Cell } from "../query/query.ts";
import { type FindingRecord, type RuleRun, writeFindings } from "../sqlite/findings.ts";
import { isPlaceRefused, type SealOptions, seal } from "../sqlite/seal.ts";
import { isLocked, type Standing, standingOf } from "../sqlite/standing.ts";
import { type VerdictRecord, writeVerdict } from "../sqlite/verdict-tables.ts";
import { putBack } from "./folder.ts";
import { isPacked, unpackTrace } from "./pack.ts";

export interface OpenOptions {
  /** Called before the database is built anew, with the reason. */
  readonly onRebuild?: ((why: string) => void) | undefined;
  /** Called when an older trace was put back where a recording that was to replace it was killed. */
  readonly onPutBack?: ((what: string) => void) | undefined;
  /** Called when no database can be made beside the rows, with the reason: it is made in the temporary folder. */
  readonly onElsewhere?: ((why: string) => void) | undefined;
  readonly onProgress?: SealOptions["onProgress"];
}

export type Interruptible = OpenOptions & { readonly signal?: AbortSignal | undefined };

export interface Keyframe {
  /** The state is the one after this transition. */
  readonly seq: number;
  /** JSON text, as the source made it. */
  readonly state: string;
}

export interface Trace {
  readonly dir: string;
  readonly info: RunInfo;
  /** Columns of state of which the trace knows nothing: zeros in `rows`, NULL in the database. */
  readonly absent: readonly StateColumn[];
  readonly sites: readonly Site[];
  readonly threads: readonly ThreadInfo[];
  readonly texts: readonly string[];
  /** Read when asked for. Throws TraceError. */
  readonly decisions: readonly Decision[];
  readonly transitions: TransitionReader;
  /** Path of `trace.db`, an ordinary SQLite file. */
  readonly db: string;
  /** False when the recording was killed: what was flushed is here. */
  readonly complete: boolean;
  /** Where the newest keyframe up to transition `seq` stands, -1 when there is none. */
  keyframeSeq(seq: number): number;
  /** The newest keyframe whose state is the one after transition `seq` or earlier; null when there is none. */
  keyframeBefore(seq: number): Keyframe | null;
  /** Blocks that hold the rows `from` <= seq < `to`, whole: look at `seq0` and `n`. A block is reused for the next. */
  rows(from?: number, to?: number): Generator<Block, void>;
  /** The program's own questions to the database, small ones. SQL of a user goes through `query`. Throws TraceError. */
  ask(sql: string, ...parameters: readonly (number | string)[]): Cell[][];
  /** Replace the findings of the rules that `ran` in the database; all of them without it. */
  replaceFindings(findings: Iterable<FindingRecord>, ran?: readonly RuleRun[]): void;
  /** Replace the verdict in the database. Throws TraceError. */
  replaceVerdict(verdict: VerdictRecord): void;
  close(): void;
}

/** A lock on the database is waited for so long: whoever writes findings needs less. */
const LOCK_WAIT_MS = 10_000;
const LOCK_LOOK_MS = 50;
/** Small questions are asked in one piece, with Ctrl-C unheard: the wait is short. */
const ASK_WAIT_MS = 500;

/**
 * Open the trace in `dir`, or the packed trace of that name, which is unpacked for as long as it is open; its database is built when it is missing, older than the rows, of an older form or not eintr's. Null when
 * `signal` was aborted meanwhile. Where no database can be made beside the rows it is made in the temporary folder, for as long as the
 * trace is open. Throws TraceError.
 */
export async function openTrace(dir: string, options?: OpenOptions & { readonly signal?: undefined }): Promise<Trace>;
export async function openTrace(dir: string, options: Interruptible): Promise<Trace | null>;
export async function openTrace(dir: string, options: Interruptible = {}): Promise<Trace | null> {
  if (!isPacked(dir)) return openFolder(dir, dir, options, () => {});
  const unpacked = await unpackTrace(dir, options);
  if (unpacked === null) return null;
  try {
    return await openFolder(unpacked.dir, dir, options, unpacked.remove);
  } catch (error) {
    unpacked.remove();
    // Places in it are those of the file that was packed.
    if (!(error instanceof TraceError)) throw error;
    throw new TraceError(dir, error.place, error.problem, error.hint, { cause: error });
  }
}

/** `name` is what the user called it; `remove` is done when the trace is closed, or is not opened after all. */
async function openFolder(dir: string, name: string, options: Interruptible, remove: () => void): Promise<Trace | null> {
  tellPutBack(dir, options);
  const transitions = openTransitions(path.join(dir, ARROW_NAME));
  try {
    const made = await databaseFor(dir, transitions, options);
    if (made !== null)
      return traceOf(name, transitions, made.db, () => {
        made.remove();
        remove();
      });
  } catch (error) {
    transitions.close();
    throw error;
  }
  transitions.close();
  remove();
  return null;
}

function tellPutBack(dir: string, options: OpenOptions): void {
  const done = putBack(dir);
  if (done !== null) options.onPutBack?.(done);
}

interface MadeDatabase {
  readonly db: string;
  /** When the trace is closed. */
  remove(): void;
}

async function databaseFor(dir: string, transitions: TransitionReader, options: Interruptible): Promise<MadeDatabase | null> {
  const db = path.join(dir, DB_NAME);
  const standing = await unlocked(db, transitions, options.signal);
  if (standing === null) return null;
  const beside: MadeDatabase = { db, remove() {} };
  if (standing.is === "use") return beside;
  options.onRebuild?.(standing.why);
  try {
    return (await seal(dir, options)) === null ? null : beside;
  } catch (error) {
    if (!isPlaceRefused(error)) throw error;
    return elsewhere(dir, options, error);
  }
}

/** The standing once nobody holds a lock; null when `signal` was aborted. Throws TraceError when the lock stays. */
async function unlocked(
  db: string,
  transitions: TransitionReader,
  signal?: AbortSignal,
): Promise<Exclude<Standing, { is: "locked" }> | null> {
  const until = performance.now() + LOCK_WAIT_MS;
  for (;;) {
    const standing = standingOf(db, transitions);
    if (standing.is !== "locked") return standing;
    if (signal?.aborted === true) return null;
    if (performance.now() > until) throw locked(db);
    await sleep(LOCK_LOOK_MS);
  }
}

/** A database in the temporary folder, in a folder of its own that nobody else may enter. */
async function elsewhere(dir: string, options: Interruptible, refused: TraceError): Promise<MadeDatabase | null> {
  const folder = fs.mkdtempSync(path.join(tmpdir(), "eintr-db-"));
  const remove = (): void => {
    process.off("exit", remove);
    fs.rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", remove);
  try {
    options.onElsewhere?.(refused.message);
    const sealed = await seal(dir, { ...options, into: folder });
    if (sealed !== null) return { db: path.join(folder, DB_NAME), remove };
    remove();
    return null;
  } catch (error) {
    remove();
    throw error instanceof TraceError ? refused : error;
  }
}

const locked = (db: string): TraceError =>
  new TraceError(db, "", "is locked by another program", "Wait until that is done, or end it; then open the trace again");

function traceOf(dir: string, transitions: TransitionReader, db: string, remove: () => void): Trace {
  const { info, absent, sites, threads, texts, complete } = transitions;
  let decisions: Decision[] | null = null;
  let connection: Sqlite.Database | null = null;
  return {
    dir,
    info,
    absent,
    sites,
    threads,
    texts,
    get decisions() {
      decisions ??= [...transitions.decisions()];
      return decisions;
    },
    transitions,
    db,
    complete,
    keyframeSeq: (seq) => lastSeq(transitions.batches[keyframeBatch(transitions, seq)]),
    keyframeBefore(seq): Keyframe | null {
      const index = keyframeBatch(transitions, seq);
      const state = transitions.keyframe(index);
      return state === null ? null : { seq: lastSeq(transitions.batches[index]), state: state.toString("utf8") };
    },
    *rows(from = 0, to = transitions.rows) {
      let block: Block | undefined;
      const first = transitions.batchOf(from);
      for (let index = first; index >= 0 && index < transitions.batches.length; index++) {
        if ((transitions.batches[index]?.seq0 ?? to) >= to) return;
        block = transitions.readBlock(index, block);
        yield block;
      }
    },
    ask(sql, ...parameters) {
      try {
        connection ??= new Sqlite(db, { readonly: true, fileMustExist: true, timeout: ASK_WAIT_MS });
        return connection
          .prepare<unknown[], Cell[]>(sql)
          .raw()
          .all(...parameters);
      } catch (error) {
        // A stranger's database may lack anything.
        if (!(error instanceof Sqlite.SqliteError)) throw error;
        if (isLocked(error)) throw locked(db);
        throw new TraceError(db, "", `cannot be asked (${error.message})`, "Remove it: the next command builds it anew", { cause: error });
      }
    },
    replaceFindings: (findings, ran) => writeFindings(db, findings, ran),
    replaceVerdict: (verdict) => writeVerdict(db, verdict),
    close() {
      connection?.close();
      transitions.close();
      remove();
    },
  };
}

const lastSeq = (batch: BatchEntry | undefined): number => (batch === undefined ? -1 : batch.seq0 + batch.rows - 1);

/** Index of the newest batch with a keyframe that ends at `seq` or before; -1 when there is none. */
function keyframeBatch({ batches, batchOf, rows }: TransitionReader, seq: number): number {
  let index = batchOf(Math.min(seq, rows - 1));
  while (index >= 0 && (batches[index]?.keyframe === null || lastSeq(batches[index]) > seq)) index--;
  return index;
}
