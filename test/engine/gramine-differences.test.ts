/**
 * Where today's Gramine differs from Linux (gramine-today.md 14 with its corrections: B1 to B30, N1 to N13): on gramine-linux each happens, on
 * native-linux it does not, and with its fix it is gone. What a scenario shows of it is asked of the run. Those of the SGX PAL alone are in
 * `gramine-sgx*.test.ts`. Not shown: B5 on Linux (SGX only); B24 and B26, whose windows are some 100 ns in code that a wake-up by SIGCONT
 * comes to in time here (the flows are as the source has them); B29, for which a scenario has no word; N6, for which it has no file locks.
 */

import { describe, expect, it } from "vitest";
import { type FixName, STACKS, type StackName } from "../../engine/index.ts";
import { GRAMINE_LINUX } from "../support/gramine.ts";
import { DIFFERENCES, type Difference, SWEPT } from "../support/gramine-differences.ts";
import { type Ran, runProgram } from "../support/run-scenario.ts";

function run(difference: Difference, stack: StackName, fixes: FixName[] = [], swept = 0): Ran {
  const { main, signals = [], more = {}, options = [] } = difference;
  const at = <T>(value: T): T => JSON.parse(JSON.stringify(value).replaceAll(SWEPT, `${swept}ns`)) as T;
  return runProgram(stack, at(main), signals, { ...at(more), options: [...options] }, { fixes });
}

/** The time at which the race is lost; -1: at none of them. */
function lostAt(difference: Difference): number {
  const { from, to, step } = difference.sweep ?? { from: 0, to: 0, step: 1 };
  for (let swept = from; swept <= to; swept += step)
    if (difference.look(run(difference, GRAMINE_LINUX, [], swept)) === difference.gramine) return swept;
  return -1;
}

describe("differences of today's Gramine", () => {
  it.each(DIFFERENCES)("$id: $what", (difference) => {
    const { look, linux, gramine, fix, fixed = linux } = difference;
    const swept = lostAt(difference);
    expect(look(run(difference, GRAMINE_LINUX, [], Math.max(0, swept))), "on gramine-linux").toBe(gramine);
    expect(look(run(difference, "native-linux", [], swept)), "on native-linux").toBe(linux);
    if (fix === undefined) return;
    expect(look(run(difference, GRAMINE_LINUX, [fix], swept)), `with ${fix}`).toBe(fixed);
  });

  it("each fix has its difference", () => {
    const fixes = (STACKS[GRAMINE_LINUX].switches ?? []).filter((name) => name !== "sigterm-injection" && name !== "eventfd-passthrough");
    expect([...new Set(DIFFERENCES.flatMap(({ fix }) => fix ?? []))].toSorted()).toEqual(fixes.toSorted());
  });
});
