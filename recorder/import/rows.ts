/** A source made of rows as an importer reads them: it fills the blocks, and reads on only when it is asked for more. */

import { BLOCK_ROWS, type Ending, KIND, type KindName, newBlock, type Sink, type StateColumn } from "../../engine/index.ts";
import type { StreamedSource } from "../trace/record.ts";

/** One transition. What is left out is 0, but for the depth: it stays as the thread's row before had it. */
export interface ImportedRow {
  /** ns since the recording began; no row is before the one before it. */
  readonly time: number;
  readonly thread: number;
  readonly site: number;
  readonly kind: KindName;
  readonly signal?: number;
  readonly value?: number;
  readonly extra?: number;
  readonly depth?: number;
  readonly detail?: number;
}

/** The lists that rows speak of. They may grow while rows are read, never change. */
export type ImportedLists = Pick<StreamedSource, "sites" | "threads" | "texts">;

/**
 * `batches` are rows in order; the next batch is asked for when the one before is used up. `absent` are the columns of state that the
 * file says nothing of: nearly always cssa, preempt and pending.
 */
export function sourceOfRows(
  lists: ImportedLists,
  absent: readonly StateColumn[],
  batches: AsyncIterable<readonly ImportedRow[]>,
): StreamedSource {
  const block = newBlock();
  const waiting = batches[Symbol.asyncIterator]();
  let batch: readonly ImportedRow[] = [];
  let next = 0;
  let seq = 0;
  let ending: Ending | null = null;
  /** By thread. */
  const depths: number[] = [];

  const put = (row: ImportedRow): void => {
    const i = block.n;
    check(row, seq, lists);
    block.time[i] = row.time;
    block.thread[i] = row.thread;
    block.site[i] = row.site;
    block.kind[i] = KIND[row.kind];
    block.signal[i] = row.signal ?? 0;
    // No negative zero: the digest is of the bytes.
    block.value[i] = (row.value ?? 0) + 0;
    block.extra[i] = row.extra ?? 0;
    const depth = row.depth ?? depths[row.thread] ?? 0;
    depths[row.thread] = depth;
    block.depth[i] = depth;
    block.detail[i] = row.detail ?? 0;
    block.n = i + 1;
    seq += 1;
  };

  const flush = (sink: Sink): void => {
    if (block.n === 0) return;
    block.seq0 = seq - block.n;
    sink.put(block);
    block.n = 0;
  };

  return {
    get sites() {
      return lists.sites;
    },
    get threads() {
      return lists.threads;
    },
    get texts() {
      return lists.texts;
    },
    decisions: [],
    absent,
    get ending() {
      return ending;
    },
    async run(rows, sink) {
      for (let left = rows; left > 0; left -= 1) {
        while (next === batch.length) {
          const more = await waiting.next();
          if (more.done === true) {
            ending = "finished";
            return false;
          }
          batch = more.value;
          next = 0;
        }
        put(batch[next] as ImportedRow);
        next += 1;
        if (block.n === BLOCK_ROWS) flush(sink);
      }
      return true;
    },
    keyframe: () => null,
    flush,
  };
}

/** A reader would refuse the trace: what is wrong is the importer. */
function check(row: ImportedRow, seq: number, { sites, threads, texts }: ImportedLists): void {
  const { time, thread, site, value = 0, detail = 0 } = row;
  const exact = Number.isSafeInteger(time) && Number.isSafeInteger(value) && time >= 0;
  if (exact && thread < threads.length && site < sites.length && detail < Math.max(1, texts.length)) return;
  throw new RangeError(`row ${seq} of an importer is none: ${JSON.stringify(row)}`);
}
