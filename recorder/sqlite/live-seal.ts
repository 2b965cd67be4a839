/**
 * Makes `trace.db` while the rows are still coming, in a thread of its own: engine and database keep a processor each. Whatever goes wrong
 * here is no harm: the database is then made of `transitions.arrow` afterwards, as that of a killed recording is.
 */

import { existsSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { BLOCK_ROWS, type Block, type Source } from "../../engine/index.ts";
import type { SignalEvents } from "../derive/signals.ts";
import { inSignalContext } from "../derive/tables.ts";
import { newRing, type RingMemory, ringWriter } from "./block-ring.ts";
import { type Sealed, temporaryName } from "./seal.ts";

export interface SealTask {
  readonly dir: string;
  readonly inSignalContext: Uint8Array;
  readonly absent: readonly string[];
  readonly events: SignalEvents;
  readonly ring: RingMemory;
}

export interface LiveSeal {
  /** The next block. Shorter recordings than one block are sealed faster without a thread: the first full one starts it. */
  put(block: Block, threads: number): void;
  /**
   * The recording is closed, its file whole: wait for the database. Null when there is none (`signal` was aborted, there were few rows,
   * something failed): nothing is left of it.
   */
  finish(onProgress: (rows: number) => void, signal: AbortSignal | undefined): Promise<Sealed | null>;
  /** The recording failed. */
  abandon(): Promise<void>;
}

/** Built beside the program; there is none where the sources are run as they are. */
const WORKER = fileURLToPath(new URL("./seal-worker.js", import.meta.url));
const PROGRESS_MS = 100;
/** Little that the thread makes lives long: more room for it would be held and not used. */
const YOUNG_MB = 6;

/** `events` are those of the source's stack; `program` is the thread's. */
export function startLiveSeal(dir: string, source: Pick<Source, "sites" | "absent">, events: SignalEvents, program = WORKER): LiveSeal {
  let running: Running | null = null;
  let possible = existsSync(program);
  /** Known to the thread. */
  let sites = 0;
  const giveUp = (): void => {
    possible = false;
    void running?.stop();
    running = null;
  };
  return {
    put(block, threads): void {
      if (!possible) return;
      // Sites that were found on the way are not those that the thread knows.
      if (running !== null && source.sites.length > sites) return giveUp();
      if (running === null && block.seq0 === 0 && block.n === BLOCK_ROWS) {
        running = start(dir, source, events, program);
        sites = source.sites.length;
      }
      if (running?.put(block, threads) !== true) giveUp();
    },
    finish: async (onProgress, signal) => (possible ? ((await running?.finish(onProgress, signal)) ?? null) : null),
    abandon: async () => running?.stop(),
  };
}

interface Running {
  put(block: Block, threads: number): boolean;
  finish(onProgress: (rows: number) => void, signal: AbortSignal | undefined): Promise<Sealed | null>;
  stop(): Promise<void>;
}

function start(dir: string, { sites, absent }: Pick<Source, "sites" | "absent">, events: SignalEvents, program: string): Running {
  const ring = newRing();
  const { withoutSignal, consumed } = events;
  const task: SealTask = { dir, inSignalContext: inSignalContext(sites), absent: absent ?? [], events: { withoutSignal, consumed }, ring };
  const worker = new Worker(program, { workerData: task, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } });
  const writer = ringWriter(ring);
  const sealed = new Promise<Sealed | null>((resolve) => {
    worker.once("message", resolve);
    worker.once("error", () => resolve(null));
    worker.once("exit", () => resolve(null));
  });

  const stop = async (): Promise<void> => {
    await worker.terminate();
    removeLeft(dir);
  };

  return {
    put: (block, threads) => writer.put(block, threads),
    async finish(onProgress, signal) {
      writer.end();
      const look = setInterval(() => onProgress(writer.taken), PROGRESS_MS);
      let onAbort = (): void => {};
      const aborted = new Promise<null>((resolve) => {
        onAbort = () => resolve(null);
        if (signal?.aborted === true) onAbort();
        signal?.addEventListener("abort", onAbort);
      });
      const answer = await Promise.race([sealed, aborted]);
      // What listens holds the run of whoever waits here, and the signal lives as long as the command.
      signal?.removeEventListener("abort", onAbort);
      clearInterval(look);
      await stop();
      return answer;
    },
    stop,
  };
}

/** Remove what the thread had begun. What cannot be removed is removed by the next who seals. */
function removeLeft(dir: string): void {
  const name = path.basename(temporaryName(dir));
  try {
    for (const left of readdirSync(dir)) if (left.startsWith(name)) rmSync(path.join(dir, left), { force: true });
  } catch {
    // See above.
  }
}
