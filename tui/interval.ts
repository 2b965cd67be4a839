/** Rows of one thread out of a trace, for showing. Bounded: an interval may be the whole of a long run. */

import { setImmediate as turn } from "node:timers/promises";
import { type Transition, transitionAt } from "../engine/index.ts";
import type { Trace } from "../recorder/index.ts";
import { Interrupted, type Io } from "./io.ts";

export interface ThreadRows {
  readonly rows: readonly Transition[];
  /** Depth of the thread just before the first of them; null when it is not near. */
  readonly depthBefore: number | null;
  /** Not all rows up to `to` are here: there were more than `most`. */
  readonly cut: boolean;
}

/** Rows of `thread` with `from` <= seq <= `to`, at most `most`. Lets Ctrl-C in after each block: the thread may have its rows anywhere. */
export async function rowsOfThread(io: Io, trace: Trace, thread: number, from: number, to: number, most: number): Promise<ThreadRows> {
  const rows: Transition[] = [];
  let depthBefore: number | null = null;
  for (const block of trace.rows(from, to + 1)) {
    await turn();
    if (io.signal.aborted) throw new Interrupted();
    for (let i = 0; i < block.n; i += 1) {
      const seq = block.seq0 + i;
      if (seq > to) break;
      if (block.thread[i] !== thread) continue;
      if (seq < from) depthBefore = block.depth[i] as number;
      else if (rows.length === most) return { rows, depthBefore, cut: true };
      else rows.push(transitionAt(block, i));
    }
  }
  return { rows, depthBefore, cut: false };
}

/** The thread of one transition. */
export function threadAt(trace: Trace, seq: number): number | null {
  for (const block of trace.rows(seq, seq + 1)) return block.thread[seq - block.seq0] ?? null;
  return null;
}

/** Up to `count` rows of the thread on each side of `seq`, looked for near it: the seqs at which they begin and end. */
export function around(trace: Trace, thread: number, seq: number, count: number): { from: number; to: number } {
  const seqs: number[] = [];
  let after = 0;
  const reach = 64 * count;
  for (const block of trace.rows(Math.max(0, seq - reach), seq + reach)) {
    for (let i = 0; i < block.n; i += 1) {
      const at = block.seq0 + i;
      if (block.thread[i] !== thread) continue;
      seqs.push(at);
      if (at > seq) after += 1;
      if (after >= count) break;
    }
  }
  const here = seqs.findIndex((at) => at >= seq);
  const middle = here < 0 ? seqs.length - 1 : here;
  return { from: seqs[Math.max(0, middle - count)] ?? seq, to: seqs[Math.min(seqs.length - 1, middle + count)] ?? seq };
}
