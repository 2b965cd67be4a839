/** A copy of the state runs as fast as the original: what its threads hold has the same hidden classes, frames and their locals above all. */

import { setFlagsFromString } from "node:v8";
import { describe, expect, it } from "vitest";
import { boot, STACK_NAMES } from "../../engine/index.ts";
import { BUILT_IN, builtIn, NOWHERE } from "../support/run-scenario.ts";

setFlagsFromString("--allow-natives-syntax");
/** V8 gives an object a class that took the place of its own when it is next written to: here before they are compared. */
const sameClass = new Function("a", "b", "%TryMigrateInstance(a); %TryMigrateInstance(b); return %HaveSameMap(a, b)") as (
  a: object,
  b: object,
) => boolean;

const ROWS = 2_000;
/** A prime, so that copies are made in every part of a flow. */
const STEP = 37;

/** Tables by number or name: entries come and go, and there is no class that all of them have. */
const TABLES = /\.(?:handlers|runs|places|actions|rings)$/;

function otherClasses(a: unknown, b: unknown, path: string, found: Set<string>): void {
  if (a === null || typeof a !== "object" || a === b) return;
  const isRecord = !Array.isArray(a) && !TABLES.test(path);
  if (isRecord && !sameClass(a, b as object)) found.add(`${path.replace(/\d+/g, "N")} {${Object.keys(a).join(", ")}}`);
  for (const key of Object.keys(a))
    otherClasses((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key], `${path}.${key}`, found);
}

describe.each(STACK_NAMES)("a copy of the state on %s", (stack) => {
  it.each(BUILT_IN)("has the hidden classes of the original: %s", (name) => {
    const run = boot({ stack, scenario: builtIn(name) });
    const found = new Set<string>();
    for (let going = true; going && run.machine.seq < ROWS; ) {
      going = run.run(STEP, NOWHERE);
      run.flush(NOWHERE);
      otherClasses(run.machine.threads, run.clone().machine.threads, "threads", found);
    }
    expect([...found]).toEqual([]);
  });
});
