/** What Linux alone would have shown the application: the same scenario, with the same seed, on `native-linux`. */

import { setImmediate as turn } from "node:timers/promises";
import { boot, expectedResults, logLines, parseScenario, type Run, resultText, type Scenario, ScenarioError } from "../../engine/index.ts";
import type { QualityCounter, RunInfo } from "../../recorder/index.ts";
import { CALL, DROPPED, HANDLER, JUMPED, type Observed, OPEN, RETURNED } from "./observation.ts";
import { createObserver } from "./observe.ts";
import { labelOf, lineOf, programAt } from "./tokens.ts";
import { withheldOn } from "./withheld.ts";

/** Most transitions that the oracle makes. */
const ORACLE_ROWS = 2_000_000;
const SLICE_ROWS = 16_384;

export const ORACLE_STACK = "native-linux";

export interface Oracle {
  /** Null when there is nothing to compare with, or it could not be found out. */
  readonly observed: Observed | null;
  readonly notices: readonly QualityCounter[];
}

export interface Patience {
  readonly signal?: AbortSignal | undefined;
  /** Called from time to time with the number of rows so far. */
  readonly onProgress?: ((rows: number) => void) | undefined;
}

/** `untilNs`: where the run that is compared was cut; Infinity when it came to its end. Null when `signal` was aborted. */
export async function askOracle(info: RunInfo, untilNs: number, patience: Patience = {}): Promise<Oracle | null> {
  if (info.origin !== "emulated" || info.stack === ORACLE_STACK) return { observed: null, notices: [] };
  try {
    const scenario = scenarioOf(info);
    const run = boot({ stack: ORACLE_STACK, scenario: withoutLimit(scenario), seed: info.seed });
    const found = await observeRun(run, { name: ORACLE_STACK, program: info.scenarioText }, { rows: ORACLE_ROWS, untilNs }, patience);
    if (found === null) return null;
    const log = disagreements(found, scenario);
    const observed = { ...found, log, lines: logLines(scenario) };
    return { observed, notices: [...tooLong(found), ...againstLog(observed, log, scenario)] };
  } catch (error) {
    // The scenario names a place of another stack, or the engine has a bug: the trace itself is still good.
    if (error instanceof ScenarioError) return { observed: null, notices: [unknown(error.message, "notice")] };
    const text = error instanceof Error ? error.message : String(error);
    return { observed: null, notices: [unknown(`a bug of eintr: ${text}`, "error")] };
  }
}

const scenarioOf = (info: RunInfo): Scenario => parseScenario(info.scenarioText, "the trace's scenario");

/** Linux alone needs fewer transitions for the same time; the oracle has a limit of its own. */
const withoutLimit = (scenario: Scenario): Scenario => ({
  ...scenario,
  limit: { ...scenario.limit, transitions: Number.MAX_SAFE_INTEGER },
});

export interface Bounds {
  readonly rows: number;
  /** Virtual time, ns. */
  readonly untilNs: number;
}

/** Runs to the end or a bound and keeps what the application observed. Yields to the event loop. Null when aborted. */
export async function observeRun(
  run: Run,
  about: Pick<Observed, "name" | "program">,
  { rows, untilNs }: Bounds,
  { signal, onProgress }: Patience,
): Promise<Observed | null> {
  const observer = createObserver(run, about);
  const withheld = withheldOn(run.options.scenario, run.options.stack);
  let time = 0;
  const sink = {
    put(block: Parameters<typeof observer.put>[0]): void {
      observer.put(block);
      if (block.n > 0) time = block.time[block.n - 1] as number;
    },
  };
  let made = 0;
  // The run reports its end only when it is asked for one more transition.
  while (made < rows + 1) {
    const more = run.run(Math.min(rows + 1 - made, SLICE_ROWS), sink);
    run.flush(sink);
    made += SLICE_ROWS;
    if (!more) return { ...observer.finish(run.ending ?? "finished", run.machine), withheld };
    if (time > untilNs) return { ...observer.finish("time-limit", run.machine), withheld };
    onProgress?.(made);
    await turn();
    if (signal?.aborted === true) return null;
  }
  return { ...observer.finish("row-limit", run.machine), withheld };
}

/** By item: what the log expects where this run has something else. */
export function disagreements(of: Observed, scenario: Scenario): Map<number, number> {
  const found = new Map<number, number>();
  const expected = expectedResults(scenario);
  if (expected.size === 0) return found;
  const { items, ends } = of;
  let lines: ReturnType<typeof logLines> | null = null;
  const abandoned = abandonedCalls(of);
  for (let item = 0; item < items.kind.length; item += 1) {
    if (items.kind.at(item) !== CALL) continue;
    const flow = programAt(of, item);
    const nr = items.nr.at(item);
    const result = expected.get(flow)?.[nr] ?? null;
    if (result === null || (items.how.at(item) === RETURNED && items.result.at(item) === result)) continue;
    // A log tells the result of a call whose end the program does not live to see.
    const end = ends.threads[items.thread.at(item)];
    const isOpen = items.how.at(item) === OPEN || items.how.at(item) === DROPPED;
    if (end?.how === "killed" && isOpen && isLast(lines ?? (lines = logLines(scenario)), flow, nr)) continue;
    if (abandoned.has(item)) continue;
    found.set(item, result);
  }
  return found;
}

/** Calls in which a handler ran that jumped away, ended the thread or started another program: a log tells their results, which nobody saw. */
function abandonedCalls({ items, ends }: Observed): Set<number> {
  const found = new Set<number>();
  for (let item = 0; item < items.kind.length; item += 1) {
    if (items.kind.at(item) !== HANDLER || items.inside.at(item) !== 1) continue;
    const how = items.how.at(item);
    const isOver = ends.threads[items.thread.at(item)]?.how === "exited";
    if (how === JUMPED || how === DROPPED || (how === OPEN && isOver)) found.add(items.before.at(item));
  }
  return found;
}

/** No call of the log stands behind it in its program. */
const isLast = (lines: ReturnType<typeof logLines>, flow: string, nr: number): boolean =>
  lines
    .get(flow)
    ?.slice(nr + 1)
    .every((line) => line === null) ?? false;

/** `log` is what `disagreements` found in the run. */
export function againstLog(of: Observed, log: ReadonlyMap<number, number>, { source }: Scenario): QualityCounter[] {
  const [first] = log;
  if (first === undefined) return [];
  const [item, result] = first;
  const here = of.items.how.at(item) === RETURNED ? `gives ${resultText(of.items.result.at(item))}` : "does not come back";
  const line = lineOf(of, item);
  const call = `${labelOf(of, item).slice(0, MOST_LABEL)} = ${resultText(result)}`;
  const said = line === null ? call : `${source}:${line}: ${call}`;
  const advice = `the log says otherwise than eintr's Linux, first ${said}, which ${here} there; a stack that agrees with either is not blamed for such a call`;
  return [{ name: "log-differs-from-native", count: log.size, severity: "notice", advice }];
}

const MOST_LABEL = 120;

function tooLong(of: Observed): QualityCounter[] {
  if (!of.full && !(of.ends.run === "row-limit" && of.rows >= ORACLE_ROWS)) return [];
  const advice = `Linux alone was asked for ${of.rows.toLocaleString("en")} transitions only; what would have come after them is not compared`;
  return [{ name: "oracle-stopped-early", count: 1, severity: "notice", advice }];
}

const unknown = (why: string, severity: QualityCounter["severity"]): QualityCounter => ({
  name: "native-results-unknown",
  count: 1,
  severity,
  advice: `what Linux alone would have answered is not known: ${why}`,
});
