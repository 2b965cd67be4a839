/** Places in the log that a scenario was made from: `program.strace:1234`. */

import { flowAt, logLines, parseScenario, type Scenario, ScenarioError } from "../../engine/index.ts";
import type { Trace } from "../../recorder/index.ts";

/** How far into a scenario's text its source stands: it comes before the programs. */
const HEAD = 4000;

/** File of the log that a scenario was made from, by its text; null for a scenario that somebody wrote. */
export function logNameOf(scenarioText: string): string | null {
  const [, name] = /^\{"name":.*?"source":"([^"\\\n]{1,200})","/.exec(scenarioText.slice(0, HEAD)) ?? [];
  return name ?? null;
}

/** The scenario that a trace is a run of; null for an imported trace, and for a scenario that this version cannot read. */
export function scenarioOf({ info }: Pick<Trace, "info">): Scenario | null {
  try {
    return info.origin === "emulated" ? parseScenario(info.scenarioText, "the trace's scenario") : null;
  } catch (error) {
    if (error instanceof ScenarioError) return null;
    throw error;
  }
}

/** The place of the call that a thread was in, or made last, at a seq. Null for a trace that came from no log. */
export function createLogPlaces(trace: Trace): (thread: number, seq: number) => string | null {
  const { info } = trace;
  const name = info.origin === "imported" ? info.scenario : logNameOf(info.scenarioText);
  if (name === null) return () => null;
  const scenario = scenarioOf(trace);
  const lines: ReturnType<typeof logLines> = scenario ? logLines(scenario) : new Map();
  return (thread, seq) => {
    const [call] = trace.ask(
      `SELECT value, site.flow, thread.name FROM transition JOIN site ON site.id = transition.site JOIN thread ON thread.id = transition.thread
         WHERE transition.thread = ? AND transition.kind = (SELECT id FROM kind WHERE name = 'app.call') AND seq <= ? ORDER BY seq DESC LIMIT 1`,
      thread,
      seq,
    );
    if (call === undefined) return null;
    const line = info.origin === "imported" ? Number(call[0]) : lines.get(flowAt(String(call[1]), String(call[2])))?.[Number(call[0])];
    return line === undefined || line === null || line === 0 ? null : `${name}:${line}`;
  };
}
