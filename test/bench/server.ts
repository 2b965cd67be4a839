/** The scenarios that the benchmark runs: mostly the built-in server, as long as asked. */

import { readFileSync } from "node:fs";
import path from "node:path";
import { boot, parseScenario, type Run, type StackName } from "../../engine/index.ts";
import type { RunInfo } from "../../recorder/index.ts";
import { packageRoot } from "../../tui/package-root.ts";

const serverFile = (): string => path.join(packageRoot(), "engine/scenarios/server.yaml");

/** The case of `npm start`. */
export function lostInterruptedError(): { file: string; text: string } {
  const file = path.join(packageRoot(), "engine/scenarios/lost-interrupted-error.yaml");
  return { file, text: readFileSync(file, "utf8") };
}

export function server(stack: StackName): Run {
  const file = serverFile();
  const scenario = parseScenario(readFileSync(file, "utf8"), file);
  return boot({ stack, scenario: { ...scenario, limit: { ...scenario.limit, transitions: Number.MAX_SAFE_INTEGER } } });
}

/** The replay runs the scenario again from its text. */
export const serverInfo = (stack: StackName): RunInfo => ({
  eintr: "bench",
  stack,
  fixes: [],
  options: [],
  scenario: "server",
  scenarioText: readFileSync(serverFile(), "utf8"),
  seed: 1,
  scheduler: "scripted",
  origin: "emulated",
});
