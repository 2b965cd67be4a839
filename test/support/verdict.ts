/** Observed runs for tests: of rows written by hand, and of scenarios run in memory. */

import { createObserver, type Difference, type Observed, verdictOf } from "../../analyzer/index.ts";
import { boot, type RunOptions, type Site, type ThreadInfo } from "../../engine/index.ts";
import type { KindName, Transition } from "../../engine/transition.ts";
import { rowsSource } from "./synthetic-source.ts";

export type HandRow = Partial<Transition> & { k: KindName };

/** Sites of rows written by hand, by label. */
export const LABELS = [
  "",
  "read(pipe)",
  "write(pipe)",
  "pause()",
  "fork(child)",
  "wait4()",
  "getpid()",
  "open(a)",
  "poll(pipe)",
  "newfstatat()",
  "signalfd()",
] as const;
const SITES: Site[] = [
  ...LABELS.map((label, step): Site => ({ flow: "program main", step, label, layer: "app", context: "normal", source: "" })),
  { flow: "(outside)", step: 0, label: "a signal arrives from outside", layer: "host", context: "normal", source: "" },
];
const ARRIVES = SITES.length - 1;

export const site = (label: (typeof LABELS)[number]): number => LABELS.indexOf(label);

/** A call of the thread that returns at once. */
export const call = (label: (typeof LABELS)[number], result: number, more: Partial<Transition> = {}): HandRow[] => [
  began(label, more),
  { k: "app.return", value: result, ...more },
];

/** A call that does not return here. */
export const began = (label: (typeof LABELS)[number], more: Partial<Transition> = {}): HandRow => ({
  k: "app.call",
  site: site(label),
  value: site(label),
  depth: 2,
  ...more,
});

/** A handler's run. */
export const handler = (signal: number, id: number, inside: readonly HandRow[] = []): HandRow[] => [
  { k: "app.handler.enter", signal, extra: id, depth: 5 },
  ...inside,
  { k: "app.handler.return", signal, extra: id, depth: 1 },
];

export const arrives = (signal: number, id: number): HandRow => ({ k: "host.signal.generate", site: ARRIVES, signal, extra: id });

export const exits = (thread = 0, status = 0): HandRow[] => [
  { k: "thread.exit", thread },
  { k: "process.exit", thread, value: status },
];

export const MAIN: ThreadInfo = { name: "main", pid: 1, tid: 1, internal: false };

export interface Hand {
  readonly threads?: readonly ThreadInfo[];
  readonly ending?: Observed["ends"]["run"];
  readonly name?: string;
  readonly program?: string;
}

/** `time` of a row is 10 ns a row unless it says otherwise. */
export function observedRows(
  rows: readonly HandRow[],
  { threads = [MAIN], ending = "finished", name = "a", program = "p" }: Hand = {},
): Observed {
  const source = rowsSource(rows, { sites: SITES, threads });
  const observer = createObserver(source, { name, program });
  while (source.run(1000, observer));
  source.flush(observer);
  return observer.finish(ending, null);
}

/** A run of the engine, in memory. `rows`: where it is cut. */
export function observedRun(options: RunOptions, rows = 200_000): Observed {
  const run = boot(options);
  const observer = createObserver(run, { name: options.stack, program: JSON.stringify(options.scenario) });
  const goesOn = run.run(rows + 1, observer);
  run.flush(observer);
  return observer.finish(goesOn ? "row-limit" : (run.ending ?? "finished"), run.machine);
}

export const differences = async (one: Observed, other: Observed): Promise<readonly Difference[]> =>
  (await verdictOf(one, other, []))?.differences ?? [];

/** "kind weight what: here | there", one line each. */
export const told = (list: readonly Difference[]): string[] =>
  list.map(({ kind, weight, what, one, other }) => `${kind} ${weight} ${what}: ${one.text} | ${other.text}`);
