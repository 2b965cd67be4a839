/**
 * The rows of a trace that another process records, as they are written. The recorder appends whole batches and nothing tells of them: the
 * file is looked at again and again. Each look walks the batch headers anew, a few milliseconds for ten million rows.
 */

import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Block, newBlock, type Site, type StateColumn, type ThreadInfo } from "../../engine/index.ts";
import { openTransitions, type TransitionReader } from "../arrow/read.ts";
import { ARROW_NAME, type RunInfo } from "../format/metadata.ts";
import { isBeingRecorded } from "./folder-lock.ts";

/** Between two looks. */
const LOOK_MS = 200;

export interface Followed {
  readonly info: RunInfo;
  readonly absent: readonly StateColumn[];
  /** These grow with the file: another list with the same beginning after each look. */
  readonly sites: readonly Site[];
  readonly threads: readonly ThreadInfo[];
  readonly texts: readonly string[];
  /** Rows that were given so far. */
  readonly rows: number;
  /** Why the recording ended; null while it goes on, and when it was killed. */
  readonly reason: string | null;
  /**
   * Each block as soon as it is there; it is reused for the next. Ends when the recording does, also when it is killed, and when `signal`
   * is aborted. Throws TraceError.
   */
  blocks(signal: AbortSignal): AsyncGenerator<Block, void>;
  close(): void;
}

/** Throws TraceError when there are no rows in `dir`. */
export function followTrace(dir: string): Followed {
  const file = path.join(dir, ARROW_NAME);
  let reader = openTransitions(file);
  let next = 0;
  let rows = 0;

  /** Whether there is more than before. */
  function look(): boolean {
    if (fs.statSync(file).size === reader.bytes) return false;
    const before: TransitionReader = reader;
    reader = openTransitions(file);
    before.close();
    return reader.batches.length > next || reader.complete;
  }

  return {
    get info() {
      return reader.info;
    },
    get absent() {
      return reader.absent;
    },
    get sites() {
      return reader.sites;
    },
    get threads() {
      return reader.threads;
    },
    get texts() {
      return reader.texts;
    },
    get rows() {
      return rows;
    },
    get reason() {
      return reader.end?.reason ?? null;
    },
    async *blocks(signal) {
      const block = newBlock(0);
      for (;;) {
        // Asked before the look: what was written until then is seen.
        const goesOn = isBeingRecorded(dir);
        const isMore = look();
        for (; next < reader.batches.length; next += 1) {
          reader.readBlock(next, block);
          rows += block.n;
          yield block;
          if (signal.aborted) return;
        }
        if (reader.complete || (!goesOn && !isMore)) return;
        if (!isMore) await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
        if (signal.aborted) return;
      }
    },
    close: () => reader.close(),
  };
}

/** Until nobody records into the folder any more: a recorder that has written its rows makes the database then. False: `signal` came first. */
export async function recorderIsDone(dir: string, signal: AbortSignal): Promise<boolean> {
  while (isBeingRecorded(dir)) {
    if (signal.aborted) return false;
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
  return !signal.aborted;
}
