/** Read-only SQL over a sealed trace: rows in chunks, at the reader's pace, stopped at once on abort. */

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as z from "zod/mini";
import { checkReads, placedMessage, QueryError } from "./check.ts";
import { QUERY_CHILD, TOO_MUCH_MEMORY } from "./child.ts";

/** Integers beyond 2^53 come as bigint. */
export type Cell = number | bigint | string | Uint8Array | null;

export interface QueryOptions {
  /** Values for `?` in the SQL. */
  readonly params?: readonly Cell[] | undefined;
  /** Most rows; `truncated` says whether there were more. */
  readonly limit?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Most rows of a chunk. */
  readonly chunkRows?: number | undefined;
}

export interface QueryResult {
  readonly columns: readonly string[];
  /** It has no index to go by and looks at so many transitions one by one, unless a LIMIT ends it earlier; 0: it need not. */
  readonly scans: number;
  /** Bytes read so far, from the database and from what SQLite sorts in files; null where the system does not tell. */
  bytesRead(): number | null;
  /** Known when the chunks are read to the end. */
  readonly truncated: boolean;
  /** Chunks of rows, each row its cells in column order. To be read once; leaving the loop early stops the query. */
  chunks(): AsyncGenerator<Cell[][], void>;
  /** Stop the query; needed only when `chunks` is not read to its end. */
  close(): void;
}

/**
 * A chunk is handed over with the first row after this time even if it is short, so that a slow query shows what it has. While SQLite
 * looks for that row nothing can be handed over: it is not interrupted.
 */
const CHUNK_MS = 200;
const DEFAULT_CHUNK_ROWS = 1000;
/** 25 days: a longer timer fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const answerForm = z.object({
  error: z.optional(z.string()),
  columns: z.optional(z.array(z.string())),
  scans: z.optional(z.number()),
  chunk: z.optional(z.array(z.array(z.custom<Cell>()))),
  done: z.optional(z.boolean()),
});
type Answer = z.infer<typeof answerForm>;

/**
 * Start a query. Throws QueryError for SQL that is wrong or does not only read, or when it was stopped
 * (`interrupted`); `chunks` throws the same.
 */
export async function query(dbPath: string, sql: string, options: QueryOptions = {}): Promise<QueryResult> {
  checkReads(sql);
  const asker = startChild(dbPath, options);
  const begun = await asker.ask({ sql, params: [...(options.params ?? [])] }).catch((error: unknown) => {
    asker.stop();
    throw error;
  });
  if (begun.error !== undefined) {
    asker.stop();
    throw new QueryError(placedMessage(sql, begun.error), false, sql);
  }
  let truncated = false;
  const limit = options.limit ?? Number.POSITIVE_INFINITY;
  return {
    columns: begun.columns ?? [],
    scans: begun.scans ?? 0,
    bytesRead: asker.bytesRead,
    get truncated() {
      return truncated;
    },
    async *chunks() {
      try {
        let given = 0;
        for (;;) {
          // One more than the limit, to know whether there is more.
          const count = Math.min(options.chunkRows ?? DEFAULT_CHUNK_ROWS, limit - given + 1);
          const answer = await asker.ask({ count, until: Date.now() + CHUNK_MS });
          if (answer.error !== undefined) throw new QueryError(placedMessage(sql, answer.error), false, sql);
          const chunk = answer.chunk ?? [];
          truncated = given + chunk.length > limit;
          const rows = truncated ? chunk.slice(0, limit - given) : chunk;
          given += rows.length;
          if (rows.length > 0) yield rows;
          if (truncated || answer.done === true) return;
        }
      } finally {
        asker.stop();
      }
    },
    close: () => asker.stop(),
  };
}

interface Asker {
  bytesRead(): number | null;
  ask(message: object): Promise<Answer>;
  stop(): void;
}

function startChild(dbPath: string, options: QueryOptions): Asker {
  const sqlite = createRequire(import.meta.url).resolve("better-sqlite3");
  const child: ChildProcess = spawn(process.execPath, ["-e", QUERY_CHILD, sqlite, dbPath], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    serialization: "advanced",
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  let stopped: QueryError | null = null;
  let complaint = "";
  let waiting: { resolve(answer: Answer): void; reject(error: Error): void } | null = null;

  const stop = (why: QueryError): void => {
    if (stopped !== null) return;
    stopped = why;
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", onAbort);
    process.removeListener("exit", kill);
    kill();
    waiting?.reject(why);
    waiting = null;
  };
  const kill = () => void child.kill("SIGKILL");
  const onAbort = () => stop(new QueryError("the query was stopped", true));
  const timer =
    options.timeoutMs === undefined
      ? undefined
      : setTimeout(
          () => stop(new QueryError(`the query took longer than ${options.timeoutMs} ms`, true)),
          Math.min(options.timeoutMs, LONGEST_TIMER_MS),
        );

  options.signal?.addEventListener("abort", onAbort);
  process.once("exit", kill);
  child.stderr?.on("data", (text: Buffer) => {
    complaint = (complaint + text.toString()).slice(-4000);
  });
  child.on("error", (error) => stop(new QueryError(`the query cannot be started: ${error.message}`)));
  child.on("close", () => stop(new QueryError(childFailure(complaint))));
  child.on("message", (message) => {
    waiting?.resolve(answerForm.parse(message));
    waiting = null;
  });
  if (options.signal?.aborted === true) onAbort();

  return {
    bytesRead: () => (child.pid === undefined ? null : bytesReadBy(child.pid)),
    ask: (message) =>
      new Promise<Answer>((resolve, reject) => {
        if (stopped !== null) return reject(stopped);
        waiting = { resolve, reject };
        child.send(message, (error) => {
          if (error !== null) stop(new QueryError(`the query cannot be started: ${error.message}`));
        });
      }),
    stop: () => stop(new QueryError("the query was closed", true)),
  };
}

/** Source: proc(5), /proc/pid/io, rchar. */
function bytesReadBy(pid: number): number | null {
  try {
    return Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1] ?? Number.NaN) || null;
  } catch {
    // Not Linux, or the process is over.
    return null;
  }
}

/** The line that says what went wrong, out of a stack trace on stderr. */
function childFailure(complaint: string): string {
  if (complaint.includes(TOO_MUCH_MEMORY)) return TOO_MUCH_MEMORY;
  const line = complaint.split("\n").find((text) => /^\w*Error\b/.test(text));
  return `the query process ended: ${line ?? "no reason given (was it killed, or out of memory?)"}`;
}
