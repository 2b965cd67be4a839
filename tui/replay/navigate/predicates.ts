/** Row predicates: each move searches in one direction for the first row that satisfies its predicate. */

import { type Block, durationOf, KIND, type KindName } from "../../../engine/index.ts";
import type { ReplaySession } from "../session.ts";
import type { ReplayState } from "../state.ts";
import { predicateOf } from "./condition.ts";
import type { RowPredicate, Rows } from "./rows.ts";

const kinds = (...names: KindName[]): ReadonlySet<number> => new Set(names.map((name) => KIND[name]));

const CALLS = kinds("app.call", "app.return");
const ENTRIES = kinds("sgx.eenter", "sgx.eexit", "sgx.eresume", "sgx.aex");

export type Move = "step" | "any" | "over" | "out" | "signal" | "syscall" | "entry";

/** The predicate that ends a move. */
export function predicateFor(move: Move, s: ReplayState, { rows, trace, signalId }: ReplaySession): RowPredicate {
  const { thread } = s;
  const mine = (block: Block, i: number): boolean => block.thread[i] === thread;
  switch (move) {
    case "any":
      return () => true;
    case "step": {
      if (s.hide === "") return mine;
      const hidden = predicateOf(trace, s.hide);
      return (block, i) => mine(block, i) && !hidden(block, i);
    }
    case "over": {
      const depth = depthAtCursor(s, rows);
      return (block, i) => mine(block, i) && (block.depth[i] as number) <= depth;
    }
    case "out":
      return shallower(thread, depthAtCursor(s, rows));
    case "signal": {
      const { signal } = s;
      // A followed signal is followed through all threads.
      if (signal !== null) return (block, i) => signalId(block, i) === signal;
      return (block, i) => mine(block, i) && signalId(block, i) > 0;
    }
    case "syscall":
      return (block, i) => mine(block, i) && CALLS.has(block.kind[i] as number);
    case "entry":
      return (block, i) => mine(block, i) && ENTRIES.has(block.kind[i] as number);
  }
}

/** A row of the thread that is less deep. */
export const shallower =
  (thread: number, depth: number): RowPredicate =>
  (block, i) =>
    block.thread[i] === thread && (block.depth[i] as number) < depth;

/** Call depth of the row at the cursor; infinite when that row is another thread's. */
export const depthAtCursor = (s: ReplayState, rows: Rows): number => {
  const here = rows.at(s.seq);
  return here !== null && here.thread === s.thread ? here.depth : Number.POSITIVE_INFINITY;
};

/** "123", "50%", "1.5ms": the seq meant, or what was expected. */
export function jumpTarget(text: string, rows: Rows): { readonly seq: number } | { readonly error: string } {
  const last = rows.count - 1;
  const trimmed = text.trim();
  const percent = /^(\d+(?:\.\d+)?)\s*%$/.exec(trimmed);
  if (percent !== null) return { seq: Math.round((Math.min(100, Number(percent[1])) / 100) * last) };
  if (/^\d+$/.test(trimmed)) return { seq: Math.min(last, Number(trimmed)) };
  const ns = durationOf(trimmed);
  if (ns !== null) return { seq: seqAtTime(rows, ns) };
  return { error: `"${trimmed}" is no place: write a seq (120), a share (50%) or a time (1.5ms)` };
}

/** First row at or after the time; times never go back. */
function seqAtTime(rows: Rows, ns: number): number {
  let low = 0;
  let high = rows.count - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows.at(middle)?.time ?? 0) < ns) low = middle + 1;
    else high = middle;
  }
  return low;
}
