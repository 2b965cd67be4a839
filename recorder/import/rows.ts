/** A source made of rows as an importer reads them: it fills the blocks, and reads on only when it is asked for more. */

import { BLOCK_ROWS, type Ending, KIND, type KindName, newBlock, type Sink, STATE_COLUMNS, type StateColumn } from "../../engine/index.ts";
import type { StreamedSource } from "../trace/record.ts";

/** One transition. What is left out is 0, but for columns of state: they stay as the thread's row before had them. */
export interface ImportedRow extends Readonly<Partial<Record<StateColumn, number>>> {
  /** ns since the recording began; no row is before the one before it. */
  readonly time: number;
  readonly thread: number;
  readonly site: number;
  readonly kind: KindName;
  readonly signal?: number;
  readonly value?: number;
  readonly extra?: number;
  readonly detail?: number;
}

/** The lists that rows speak of. They may grow while rows are read, never change. */
export type ImportedLists = Pick<StreamedSource, "sites" | "threads" | "texts">;

/**
 * `batches` are rows in order; the next batch is asked for when the one before is used up. `told` are the columns of state that the
 * file tells, `depth` or none mostly: the others are absent.
 */
export function sourceOfRows(
  lists: ImportedLists,
  told: readonly StateColumn[],
  batches: AsyncIterable<readonly ImportedRow[]>,
): StreamedSource {
  const block = newBlock();
  const waiting = batches[Symbol.asyncIterator]();
  let batch: readonly ImportedRow[] = [];
  let next = 0;
  let seq = 0;
  let ending: Ending | null = null;
  /** With the last value by thread. */
  const state = told.map((name) => ({ name, last: [] as number[] }));

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
    for (const { name, last } of state) block[name][i] = last[row.thread] = row[name] ?? last[row.thread] ?? 0;
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
    absent: STATE_COLUMNS.filter((name) => !told.includes(name)),
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
