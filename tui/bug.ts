/** How an error that is nobody's fault but ours is told. */

import { writeFileSync } from "node:fs";
import type { BrokenLaw } from "../engine/index.ts";
import { packageVersion } from "./package-root.ts";

export const BUG = "this is a bug of eintr, please report it";
export const BUG_EXIT_CODE = 70;

/** Where the case of a broken law was written, by error. */
const kept = new WeakMap<BrokenLaw, string>();

/** Writes what is needed to make the run again. A place that takes no file changes nothing: the error is told in any case. */
export function keepCase(error: BrokenLaw, file: string, scenarioText: string): void {
  const { scenario: _, ...run } = error.run;
  try {
    writeFileSync(file, `${JSON.stringify({ eintr: packageVersion(), ...run, scenarioText }, null, 1)}\n`);
    kept.set(error, file);
  } catch {
    // See above.
  }
}

/** What to tell of a law of the engine that does not hold. */
export function brokenLawText(error: BrokenLaw): string {
  const { stack, fixes, options, scheduler, seed, seq, laws } = error.run;
  const how = [stack, ...fixes, ...options, scheduler, `seed ${seed}`].join(", ");
  const file = kept.get(error);
  const send = file === undefined ? "" : `Send ${file} with it: it has the scenario and the decisions.\n`;
  const shown = laws.slice(0, 10).map((law) => `  ${law}\n`);
  return `${BUG}\nBefore seq ${seq} (${how}) the machine came into a state that no scenario may bring it to:\n${shown.join("")}${send}`;
}
