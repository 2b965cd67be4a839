/** Built-in scenarios, and scenario files of users by path. */

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { hint } from "../engine/index.ts";
import { InputError } from "./io.ts";
import { packageRoot } from "./package-root.ts";

export interface ScenarioFile {
  readonly name: string;
  readonly text: string;
  readonly file: string;
}

const folder = (): string => path.join(packageRoot(), "engine", "scenarios");

export function listScenarios(): ScenarioFile[] {
  return readdirSync(folder())
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => file.slice(0, -".yaml".length))
    .sort(byNumberInName)
    .map(load);
}

/** w2 before w10. */
const byNumberInName = (a: string, b: string): number => a.localeCompare(b, "en", { numeric: true });

function load(name: string): ScenarioFile {
  const file = path.join(folder(), `${name}.yaml`);
  return { name, text: readFileSync(file, "utf8"), file };
}

/** A built-in scenario; throws InputError with the nearest name. */
export function findScenario(name: string): ScenarioFile {
  const known = listScenarios();
  const found = known.find((scenario) => scenario.name === name);
  if (found !== undefined) return found;
  const names = known.map((scenario) => scenario.name);
  throw new InputError(`no file and no built-in scenario "${name}"${hint(name, names)} (list: eintr scenarios)`);
}
