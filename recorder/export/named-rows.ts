/** Rows of a trace with names instead of numbers, the columns of the view `transitions`. For exporters of text. */

import { type Block, kindName, type StateColumn, signalName } from "../../engine/index.ts";
import type { Trace } from "../trace/open.ts";

export type NamedRow = readonly (number | string | null)[];

export const NAMED_COLUMNS = [
  "seq",
  "time_ns",
  "thread",
  "kind",
  "signal",
  "value",
  "extra",
  "flow",
  "label",
  "layer",
  "context",
  "depth",
  "cssa",
  "preempt",
  "pending",
  "detail",
] as const;

/** Gives row `i` of a block, in the order of NAMED_COLUMNS. What the view has as NULL is null. */
export function namedRows({ sites, threads, texts, absent }: Trace): (block: Block, i: number) => NamedRow {
  const state = (block: Block, name: StateColumn, i: number): number | null => (absent.includes(name) ? null : (block[name][i] as number));
  return (block, i) => {
    const site = sites[block.site[i] as number];
    const signal = block.signal[i] as number;
    return [
      block.seq0 + i,
      block.time[i] as number,
      threads[block.thread[i] as number]?.name ?? null,
      kindName(block.kind[i] as number),
      signal === 0 ? null : signalName(signal),
      block.value[i] as number,
      block.extra[i] as number,
      site?.flow ?? null,
      site?.label ?? null,
      site?.layer ?? null,
      site?.context ?? null,
      state(block, "depth", i),
      state(block, "cssa", i),
      state(block, "preempt", i),
      state(block, "pending", i),
      texts[block.detail[i] as number] ?? "",
    ];
  };
}
