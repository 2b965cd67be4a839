/** A recorded trace as others see it: the reader of its rows, the path of its database, its lists. */

import path from "node:path";
import Sqlite from "better-sqlite3";
import type { Block } from "../engine/block.ts";
import type { Decision, Site, ThreadInfo } from "../engine/transition.ts";
import { type BatchEntry, openTransitions, type TransitionReader } from "./arrow-read.ts";
import { errorText, TraceError } from "./errors.ts";
import { type FindingRecord, type RuleRun, writeFindings } from "./findings.ts";
import type { Cell } from "./query.ts";
import { SCHEMA_VERSION } from "./schema.ts";
import { DIGEST_DIFFERS, type SealOptions, seal, sealGently } from "./seal.ts";
import { ARROW_NAME, DB_NAME, FORMAT_VERSION, type RunInfo } from "./trace-format.ts";

export interface OpenOptions {
  /** Called before the database is built anew, with the reason. */
  readonly onRebuild?: ((why: string) => void) | undefined;
  readonly onProgress?: SealOptions["onProgress"];
}

export interface Keyframe {
  /** The state is the one after this transition. */
  readonly seq: number;
  /** JSON text, as the source made it. */
  readonly state: string;
}

export interface Trace {
  readonly dir: string;
  readonly info: RunInfo;
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
  close(): void;
}

/**
 * Open the trace in `dir`; its database is built when it is missing, older than the rows or of an older form.
 * Throws TraceError.
 */
export function openTrace(dir: string, options: OpenOptions = {}): Trace {
  const transitions = openTransitions(path.join(dir, ARROW_NAME));
  try {
    if (isStale(dir, transitions, options)) seal(dir, options);
  } catch (error) {
    transitions.close();
    throw error;
  }
  return traceOf(dir, transitions);
}

/** The same, but lets timers and signals in while the database is built. Null when `signal` was aborted. */
export async function openTraceGently(
  dir: string,
  options: OpenOptions & { readonly signal?: AbortSignal | undefined } = {},
): Promise<Trace | null> {
  const transitions = openTransitions(path.join(dir, ARROW_NAME));
  try {
    const fresh = !isStale(dir, transitions, options) || (await sealGently(dir, options)) !== null;
    if (fresh) return traceOf(dir, transitions);
  } catch (error) {
    transitions.close();
    throw error;
  }
  transitions.close();
  return null;
}

function traceOf(dir: string, transitions: TransitionReader): Trace {
  const db = path.join(dir, DB_NAME);
  const { info, sites, threads, texts, complete } = transitions;
  let decisions: Decision[] | null = null;
  let connection: Sqlite.Database | null = null;
  return {
    dir,
    info,
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
        connection ??= new Sqlite(db, { readonly: true, fileMustExist: true });
        return connection
          .prepare<unknown[], Cell[]>(sql)
          .raw()
          .all(...parameters);
      } catch (error) {
        // A stranger's database may lack anything.
        if (!(error instanceof Sqlite.SqliteError)) throw error;
        throw new TraceError(db, "", `cannot be asked (${error.message})`, "Remove it: the next command builds it anew", { cause: error });
      }
    },
    replaceFindings: (findings, ran) => writeFindings(db, findings, ran),
    close() {
      connection?.close();
      transitions.close();
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

function isStale(dir: string, transitions: TransitionReader, options: OpenOptions): boolean {
  const why = staleness(path.join(dir, DB_NAME), transitions);
  if (why !== null) options.onRebuild?.(why);
  return why !== null;
}

/** Why the database does not belong to these rows, or null when it does. */
function staleness(db: string, transitions: TransitionReader): string | null {
  let connection: Sqlite.Database;
  try {
    connection = new Sqlite(db, { readonly: true, fileMustExist: true });
  } catch {
    return "there is no database yet";
  }
  try {
    if (connection.pragma("user_version", { simple: true }) !== SCHEMA_VERSION) return "the database has another form";
    const run = connection.prepare<[], { format: number; bytes: number; rows: number; digest: string; damaged: number }>(
      `SELECT format, arrow_bytes AS bytes, transitions AS rows, digest,
        (SELECT count(*) FROM quality WHERE name = '${DIGEST_DIFFERS}') AS damaged FROM run`,
    );
    const row = run.get();
    const same =
      row?.format === FORMAT_VERSION &&
      row.bytes === transitions.bytes &&
      row.rows === transitions.rows &&
      // A damaged file keeps the digest it was recorded with.
      (transitions.end === null || row.damaged > 0 || row.digest === transitions.end.digest);
    return same ? null : "the database does not belong to these transitions";
  } catch (error) {
    return `the database cannot be read (${errorText(error)})`;
  } finally {
    connection.close();
  }
}
