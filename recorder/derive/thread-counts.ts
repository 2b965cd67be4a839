/** Transitions by thread and kind, for the table `count_by_kind`. What a thread leaves behind goes to a spill: threads may be millions. */

import { KIND_COUNT } from "../../engine/index.ts";
import { insertSql } from "../schema/sql.ts";
import type { Spill } from "./spill.ts";

export interface ThreadCounts {
  /** Transitions by kind, of all threads that are gone; of all at the end. */
  readonly byKind: Float64Array;
  add(thread: number, kind: number): void;
  /** The thread has ended. (Should more come of it, the rows are added up.) */
  gone(thread: number): void;
  finish(): void;
}

export function createThreadCounts(out: Spill): ThreadCounts {
  const live: (Float64Array | undefined)[] = [];
  const free: Float64Array[] = [];
  const byKind = new Float64Array(KIND_COUNT);

  const begin = (thread: number): Float64Array => (live[thread] = free.pop()?.fill(0) ?? new Float64Array(KIND_COUNT));

  const gone = (thread: number): void => {
    const counts = live[thread];
    if (counts === undefined) return;
    for (const [kind, count] of counts.entries()) {
      if (count === 0) continue;
      out.append([thread, kind, count]);
      byKind[kind] = (byKind[kind] as number) + count;
    }
    free.push(counts);
    live[thread] = undefined;
  };

  return {
    byKind,
    add(thread, kind) {
      const counts = live[thread] ?? begin(thread);
      counts[kind] = (counts[kind] as number) + 1;
    },
    gone,
    finish() {
      for (const thread of live.keys()) gone(thread);
    },
  };
}

/** A thread may have been counted in several pieces. */
export const COUNT_UPSERT = `${insertSql("count_by_kind")} ON CONFLICT (thread, kind) DO UPDATE SET count = count + excluded.count`;
