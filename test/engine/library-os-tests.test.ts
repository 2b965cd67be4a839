/**
 * The regression tests that Graphene and Gramine have of signals (reference 5.1), on every stack: on Gramine each gives what it asks for; what
 * Graphene gives otherwise is in the table with its reason. Not here: sigsuspend and pause with an alarm, which are W2 and W12; 01_Exception
 * of the PAL (`reference-pal.test.ts`); sig_latency, which is pid_kill with times; fp_multithread, for the mode of rounding is no part of a
 * signal's frame here; debug_regs, for there is no debugger; exit codes above 255 and what else the host's shell sees.
 */

import { describe, expect, it } from "vitest";
import { STACKS, type StackName } from "../../engine/index.ts";
import { LIBRARY_OS_TESTS, type LibraryOsTest, STACK_COLUMNS } from "../support/library-os-tests/index.ts";
import { type Ran, rowsOf, runProgram } from "../support/run-scenario.ts";

/** A livelock is one after so many transitions. */
const ROWS = 16_000;

function run({ main, signals = [], more = {}, options = [] }: LibraryOsTest, stack: StackName): Ran {
  const known = options.filter((name) => STACKS[stack].switches?.includes(name));
  return runProgram(stack, main, signals, more, { options: known, rows: ROWS });
}

const LINES = LIBRARY_OS_TESTS.flatMap((each) =>
  (["native-linux", ...(each.stacks ?? STACK_COLUMNS)] as const).map((stack): [string, StackName, string, string, LibraryOsTest] => {
    const other = each.otherwise?.find(({ on }) => on.some((name) => name === stack));
    return [each.name, stack, other?.outcome ?? each.passes, other === undefined ? "" : ` (${other.because})`, each];
  }),
);

describe("5.1 tests of the library OS itself", () => {
  it.each(LINES)("%s on %s: %s%s", (_, stack, outcome, __, test) => {
    expect(test.look(run(test, stack))).toBe(outcome);
  });

  it("Gramine passes all of its own", () => {
    expect(
      LIBRARY_OS_TESTS.flatMap(({ otherwise = [] }) => otherwise.flatMap(({ on }) => on)).filter((stack) => /^gramine/.test(stack)),
    ).toEqual([]);
  });

  it.each(["gramine-linux", "gramine-sgx"] as const)("abort on %s: the host sees status 134, which the test asks for", (stack) => {
    const abort = LIBRARY_OS_TESTS.find(({ name }) => name === "abort") as LibraryOsTest;
    expect(rowsOf(run(abort, stack), { what: "process.exit" }).map(({ value }) => value)).toEqual([134]);
  });
});
