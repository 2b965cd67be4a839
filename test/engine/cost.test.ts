/** A row costs the same after a million others: what has ended costs nothing, what sleeps costs nothing. `EINTR_TORTURE=1` for longer runs. */

import { describe, expect, test } from "vitest";
import { boot, STACK_NAMES, type StackName } from "../../engine/index.ts";
import { NOWHERE, scenarioOf } from "../support/run-scenario.ts";

const ROWS = process.env.EINTR_TORTURE === undefined ? 160_000 : 3_000_000;
const PARTS = 8;
/** A quadratic cost makes the last eighth fifteen times as long as the first; what the machine does besides makes it twice. */
const MOST = 5;

/** Processor time of each part of a run, ms. */
function costs(stack: StackName, main: readonly unknown[], program: readonly unknown[]): number[] {
  const run = boot({ stack, scenario: scenarioOf({ main, programs: { c: program }, limit: { transitions: 1e9 } }) });
  run.run(5000, NOWHERE);
  return Array.from({ length: PARTS }, () => {
    const began = process.cpuUsage();
    run.run(ROWS / PARTS, NOWHERE);
    return process.cpuUsage(began).user / 1000;
  });
}

describe.each(STACK_NAMES)("on %s", (stack) => {
  test.each([
    ["threads that come and go", [{ loop: { do: [{ clone: "c" }, { nanosleep: "20us" }] } }], ["getpid"]],
    ["children that come and go", [{ loop: { do: [{ fork: "c" }, "wait4"] } }], ["getpid"]],
    ["threads that stay asleep", [{ loop: { do: [{ clone: "c" }, { nanosleep: "20us" }] } }], [{ read: { from: "quiet" } }]],
  ])("%s", (_, main, program) => {
    const [first = 0, ...others] = costs(stack, main, program);
    // The best of three: a pause of the machine is none of ours.
    const last = Math.min(...others.slice(-3));
    expect(last).toBeLessThan(MOST * Math.max(first, 10));
  });
});
