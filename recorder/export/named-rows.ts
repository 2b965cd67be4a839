/** Rows of a trace with names instead of numbers, the columns of the view `transitions`. For exporters of text. */

import { type Block, kindName, type Site, STATE_COLUMNS, type StateColumn, signalName } from "../../engine/index.ts";
import type { Trace } from "../trace/open.ts";

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
  ...STATE_COLUMNS,
  "detail",
] as const;

type Texts = Pick<Site, "flow" | "label" | "layer" | "context">;

/** A row with the columns of the view; what the view has as NULL is null. */
export type NamedRow = { readonly [C in "seq" | "time_ns" | "value" | "extra"]: number } & { readonly [C in "kind" | "detail"]: string } & {
  readonly [C in "thread" | "signal"]: string | null;
} & { readonly [C in keyof Texts]: Texts[C] | null } & { readonly [C in StateColumn]: number | null };

type Reader = (block: Block, i: number) => number | null;

/** Gives row `i` of a block. */
export function namedRows({ sites, threads, texts, absent }: Trace): (block: Block, i: number) => NamedRow {
  const readers = STATE_COLUMNS.map((name): [StateColumn, Reader] => [
    name,
    absent.includes(name) ? () => null : (block, i) => block[name][i] as number,
  ]);
  return (block, i) => {
    const site = sites[block.site[i] as number];
    const signal = block.signal[i] as number;
    const state = {} as Record<StateColumn, number | null>;
    for (const [name, read] of readers) state[name] = read(block, i);
    return {
      seq: block.seq0 + i,
      time_ns: block.time[i] as number,
      thread: threads[block.thread[i] as number]?.name ?? null,
      kind: kindName(block.kind[i] as number),
      signal: signal === 0 ? null : signalName(signal),
      value: block.value[i] as number,
      extra: block.extra[i] as number,
      flow: site?.flow ?? null,
      label: site?.label ?? null,
      layer: site?.layer ?? null,
      context: site?.context ?? null,
      ...state,
      detail: texts[block.detail[i] as number] ?? "",
    };
  };
}
