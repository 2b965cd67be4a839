/**
 * Where today's Gramine differs from Linux (gramine-today.md 14 with its corrections: B1 to B30, N1 to N13): on gramine-linux each happens, on
 * native-linux it does not, and with its fix it is gone. What a scenario shows of it is asked of the run. Those of the SGX PAL alone are in
 * `gramine-sgx*.test.ts` (B5, B6, N3, N7, N8, N10, N13). Not shown: B30, which is B4 seen by sigpending; N9, for no call of a scenario has a
 * buffer that another thread makes read-only between the LibOS's check of it and the PAL's copy (pal_exception.c:537-541 has no other way in);
 * the late wake of a reused TCS (corrections 4.5.2), which needs a sender that is held up between lookup_thread and the ocall's tgkill for as long
 * as a thread takes to end and another to start: the machine's clocks hold nobody up so long, and a host's stop would stop them all.
 */

import { describe, expect, it } from "vitest";
import { type FixName, STACKS, type StackName } from "../../engine/index.ts";
import { GRAMINE_LINUX } from "../support/gramine.ts";
import { DIFFERENCES, type Difference, SWEPT } from "../support/gramine-differences/index.ts";
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
    const { from, to, step } = difference.native ?? { from: 0, to: -1, step: 1 };
    for (let at = from; at <= to; at += step) expect(look(run(difference, "native-linux", [], at)), `on native-linux, ${at}`).toBe(linux);
    if (fix === undefined) return;
    expect(look(run(difference, GRAMINE_LINUX, [fix], swept)), `with ${fix}`).toBe(fixed);
  });

  it("each fix has its difference", () => {
    const fixes = (STACKS[GRAMINE_LINUX].switches ?? []).filter((name) => name !== "sigterm-injection" && name !== "eventfd-passthrough");
    expect([...new Set(DIFFERENCES.flatMap(({ fix }) => fix ?? []))].toSorted()).toEqual(fixes.toSorted());
  });
});
