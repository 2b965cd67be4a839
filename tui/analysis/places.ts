/** Where in the user's text a finding lies: the line of the scenario or log from which the application's call comes. */

import type { Finding } from "../../analyzer/index.ts";
import { flowAt, logLines, parseScenario, ScenarioError, scenarioLines } from "../../engine/index.ts";
import type { Trace } from "../../recorder/index.ts";

/** Null where the call is in no text. */
export type LineOf = (finding: Pick<Finding, "thread" | "lastSeq">) => number | null;

/** The call in which the finding ends, the innermost; else the last one before. */
const CALL = `SELECT site.flow, syscall.nr, thread.name FROM syscall JOIN site ON site.id = syscall.site
  JOIN thread ON thread.id = syscall.thread WHERE syscall.thread = ? AND syscall.seq <= ?
  ORDER BY (syscall.exit_seq IS NULL OR syscall.exit_seq >= ?) DESC, syscall.seq DESC LIMIT 1`;

export function linesOfFindings(trace: Trace): LineOf {
  const lines = linesOf(trace);
  return ({ thread, lastSeq }) => {
    if (thread === null || lines.size === 0) return null;
    const [call] = trace.ask(CALL, thread, lastSeq, lastSeq);
    if (call === undefined) return null;
    const line = lines.get(flowAt(String(call[0]), String(call[2])))?.[Number(call[1])];
    return line === undefined || line === null || line < 1 ? null : line;
  };
}

/** A log's lines where the scenario was made from one, else the scenario's. */
function linesOf({ info }: Trace): ReadonlyMap<string, readonly (number | null)[]> {
  if (info.origin !== "emulated") return new Map();
  try {
    const log = logLines(parseScenario(info.scenarioText, "the trace's scenario"));
    return log.size > 0 ? log : scenarioLines(info.scenarioText);
  } catch (error) {
    if (error instanceof ScenarioError) return new Map();
    throw error;
  }
}
