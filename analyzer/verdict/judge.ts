/** The verdict over a recorded trace: from its database, or found now. */

import { setImmediate as turn } from "node:timers/promises";
import { type Block, logLines, parseScenario, ScenarioError } from "../../engine/index.ts";
import type { QualityCounter, RunInfo, Trace } from "../../recorder/index.ts";
import { besideLog } from "./beside-log.ts";
import type { Ignored } from "./compare.ts";
import type { RunEnding } from "./ends.ts";
import { linesOf } from "./log-places.ts";
import type { Observed } from "./observation.ts";
import { createObserver } from "./observe.ts";
import { againstLog, askOracle, disagreements, ORACLE_STACK, type Patience } from "./oracle.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

/**
 * What the application observed of a recorded run, or of the blocks that begin in its first `most` rows. Yields to the event loop after
 * each block, which `also` is given, too. Null when `signal` was aborted.
 */
export async function observeTrace(
  trace: Trace,
  name: string,
  { signal, onProgress }: Patience = {},
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
  const lines = linesOf(trace);
  const observed = trace.transitions.rows > most ? observer.finish("row-limit", null) : observer.finish(endingOf(trace), machineOf(trace));
  return lines.size === 0 ? observed : { ...observed, lines };
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
  const one = await observeTrace(trace, nameOfRun(trace), patience);
  if (one === null) return null;
  const isWhole = one.ends.run === "finished";
  const rows = trace.transitions.rows;
  const { signal, onProgress } = patience;
  const oracle = await askOracle(trace.info, isWhole ? Number.POSITIVE_INFINITY : one.time, {
    signal,
    onProgress: (made) => onProgress?.(rows + made),
  });
  if (oracle === null) return null;
  return verdictOf(one, oracle.observed, [...oracle.notices, ...selfNotices(trace, one)], { ignored, signal });
}

/** A run on Linux alone has only the log to be compared with, if it came from one. */
function selfNotices({ info }: Trace, one: Observed): QualityCounter[] {
  if (info.origin !== "emulated" || info.stack !== ORACLE_STACK) return [];
  try {
    const scenario = parseScenario(info.scenarioText, "the trace's scenario");
    const log = disagreements(one, scenario);
    return log.size === 0 ? [] : againstLog({ ...one, lines: logLines(scenario) }, log, scenario);
  } catch (error) {
    if (error instanceof ScenarioError) return [];
    throw error;
  }
}

/** Compares two traces. Null when `signal` was aborted. */
export async function compareTraces(a: Trace, b: Trace, patience: Patience = {}, ignored: Ignored = {}): Promise<Verdict | null> {
  const one = await observeTrace(a, nameOfRun(a), patience);
  if (one === null) return null;
  const { signal, onProgress } = patience;
  const other = await observeTrace(b, nameOfRun(b), { signal, onProgress: (rows) => onProgress?.(a.transitions.rows + rows) });
  return other === null ? null : verdictOf(one, other, [], { ignored: besideLog(a.info, b.info, ignored), signal });
}
