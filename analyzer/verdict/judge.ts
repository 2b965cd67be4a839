/** The verdict over a recorded trace: from its database, or found now. */

import { setImmediate as turn } from "node:timers/promises";
import { type Block, logLines, type Scenario } from "../../engine/index.ts";
import type { QualityCounter, RunInfo, Trace } from "../../recorder/index.ts";
import { besideLog } from "./beside-log.ts";
import type { Ignored } from "./compare.ts";
import type { RunEnding } from "./ends.ts";
import { scenarioOf } from "./log-places.ts";
import type { Observed } from "./observation.ts";
import { createObserver } from "./observe.ts";
import { againstLog, askOracle, disagreements, ORACLE_STACK, type Patience } from "./oracle.ts";
import { type Verdict, verdictOf } from "./verdict.ts";
import { withheldOn } from "./withheld.ts";

/**
 * What the application observed of a recorded run, or of the blocks that begin in its first `most` rows. Yields to the event loop after
 * each block, which `also` is given, too. Null when `signal` was aborted.
 */
export async function observeTrace(
  trace: Trace,
  name: string,
  patience: Patience = {},
  also?: (block: Block) => void,
  most = Number.POSITIVE_INFINITY,
): Promise<Observed | null> {
  const observed = await observeRows(trace, name, patience, also, most);
  const scenario = scenarioOf(trace);
  return observed === null || scenario === null ? observed : ofScenario(observed, scenario, trace.info);
}

/** The run with the lines of the log that it came from, and the signals that its stack does not get. */
function ofScenario(observed: Observed, scenario: Scenario, { stack }: RunInfo): Observed {
  const lines = logLines(scenario);
  return { ...observed, withheld: withheldOn(scenario, stack), ...(lines.size === 0 ? {} : { lines }) };
}

/** The same without what its scenario tells. */
async function observeRows(
  trace: Trace,
  name: string,
  { signal, onProgress }: Patience,
  also?: (block: Block) => void,
  most = Number.POSITIVE_INFINITY,
): Promise<Observed | null> {
  const observer = createObserver(trace, { name, program: trace.info.scenarioText });
  for (const block of trace.rows()) {
    observer.put(block);
    also?.(block);
    onProgress?.(block.seq0 + block.n);
    await turn();
    if (signal?.aborted === true) return null;
    if (block.seq0 + block.n >= most) break;
  }
  return trace.transitions.rows > most ? observer.finish("row-limit", null) : observer.finish(endingOf(trace), machineOf(trace));
}

function endingOf({ info, transitions }: Trace): RunEnding {
  const reason = transitions.end?.reason ?? "killed";
  return info.origin === "imported" && reason === "finished" ? "recorded" : reason;
}

/** The state after the last row; null where there is none, or it cannot be read. */
function machineOf(trace: Trace): unknown {
  const last = trace.transitions.rows - 1;
  if (last < 0 || trace.keyframeSeq(last) !== last) return null;
  try {
    return JSON.parse(trace.keyframeBefore(last)?.state ?? "null") as unknown;
  } catch {
    return null;
  }
}

/** Stack, fixes and options as texts show them. */
export const runName = ({ stack, fixes, options }: Pick<RunInfo, "stack" | "fixes" | "options">): string =>
  [stack, ...fixes, ...options].join(" + ");
export const nameOfRun = ({ info }: Trace): string => runName(info);

/** Compares the trace with Linux alone. Null when `signal` was aborted. */
export async function judgeTrace(trace: Trace, patience: Patience = {}, ignored: Ignored = {}): Promise<Verdict | null> {
  const observed = await observeRows(trace, nameOfRun(trace), patience);
  if (observed === null) return null;
  const { one, notices } = besideItsLog(trace, observed);
  const isWhole = one.ends.run === "finished";
  const rows = trace.transitions.rows;
  const { signal, onProgress } = patience;
  const oracle = await askOracle(trace.info, isWhole ? Number.POSITIVE_INFINITY : one.time, {
    signal,
    onProgress: (made) => onProgress?.(rows + made),
  });
  if (oracle === null) return null;
  return verdictOf(one, oracle.observed, [...oracle.notices, ...notices], { ignored, signal });
}

/**
 * The run with the lines of the log that it came from; and what the log says otherwise, if it is the run on Linux alone, which has nothing
 * else to be compared with. The scenario of a long log takes as much memory as all else of a verdict: it is read once, and gone then.
 */
function besideItsLog(trace: Trace, observed: Observed): { readonly one: Observed; readonly notices: readonly QualityCounter[] } {
  const scenario = scenarioOf(trace);
  if (scenario === null) return { one: observed, notices: [] };
  const one = ofScenario(observed, scenario, trace.info);
  const log = trace.info.stack === ORACLE_STACK ? disagreements(one, scenario) : new Map<number, number>();
  return { one, notices: log.size === 0 ? [] : againstLog(one, log, scenario) };
}

/** Compares two traces. Null when `signal` was aborted. */
export async function compareTraces(a: Trace, b: Trace, patience: Patience = {}, ignored: Ignored = {}): Promise<Verdict | null> {
  const one = await observeTrace(a, nameOfRun(a), patience);
  if (one === null) return null;
  const { signal, onProgress } = patience;
  const other = await observeTrace(b, nameOfRun(b), { signal, onProgress: (rows) => onProgress?.(a.transitions.rows + rows) });
  return other === null ? null : verdictOf(one, other, [], { ignored: besideLog(a.info, b.info, ignored), signal });
}
