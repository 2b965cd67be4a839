/**
 * Processes and threads, row by row of the errata to the reference (A1, A4, ... of the first page, N1, ... of the second): what the base
 * revision does where the reference was wrong or silent.
 */

import { describe, expect, test } from "vitest";
import { STACK_NAMES, type StackName, signalNumber, WHY } from "../../engine/index.ts";
import { type Ran, type Row, rowsOf, runScenario, scenarioOf } from "../support/run-scenario.ts";

const run = (scenario: Record<string, unknown>, stack: StackName): Ran => runScenario(scenarioOf(scenario), stack);

/** Ends of processes, in order: status the host reports, cause, signal. */
const ends = (ran: Ran): [number, number, number][] =>
  rowsOf(ran, { what: "process.exit" }).map((row) => [row.value, row.extra, row.signal]);
const exits = (ran: Ran): Row[] => rowsOf(ran, { what: "thread.exit" });
const SIG = (name: string): number => signalNumber(name) ?? 0;

describe("the end of a process is one row with its cause", () => {
  test.each(STACK_NAMES)("%s: it calls exit_group(3), it returns from main, its only thread calls exit(4)", (stack) => {
    expect(ends(run({ main: [{ "exit-group": { status: 3 } }] }, stack))).toEqual([[3, WHY.EXIT, 0]]);
    expect(ends(run({ main: ["getpid"] }, stack))).toEqual([[0, WHY.EXIT, 0]]);
    expect(ends(run({ main: [{ exit: { status: 4 } }] }, stack))).toEqual([[4, WHY.EXIT, 0]]);
  });

  test.each(STACK_NAMES)("%s: a host signal without a handler kills it, and each of its threads has a row", (stack) => {
    const killed = run(
      { main: [{ clone: "b" }, "pause"], programs: { b: ["pause"] }, signals: [{ signal: "SIGUSR1", when: { at: "1ms" } }] },
      stack,
    );
    expect(ends(killed)).toEqual([[-SIG("SIGUSR1"), WHY.HOST, SIG("SIGUSR1")]]);
    const application = exits(killed).filter((row) => row.who === "main" || row.who === "b");
    expect(application.map((row) => [row.value, row.signal])).toEqual([
      [1, SIG("SIGUSR1")],
      [1, SIG("SIGUSR1")],
    ]);
  });

  test("SIGTERM by default: the kernel reports the signal, the LibOS turns it into exit status 0", () => {
    const scenario = { main: ["pause"], signals: [{ signal: "SIGTERM", when: { at: "1ms" } }] };
    expect(ends(run(scenario, "native-linux"))).toEqual([[-SIG("SIGTERM"), WHY.HOST, SIG("SIGTERM")]]);
    expect(ends(run(scenario, "graphene-linux"))).toEqual([[0, WHY.LIBOS, SIG("SIGTERM")]]);
    expect(ends(run(scenario, "graphene-sgx"))).toEqual([[0, WHY.LIBOS, SIG("SIGTERM")]]);
  });

  test("nobody is reported dead who is not: a run cut at its limit has no row of an end", () => {
    for (const stack of STACK_NAMES) expect(ends(run({ main: ["pause"], limit: { time: "1ms" } }, stack))).toEqual([]);
  });

  test("the kernel reports the leader's status when threads end one by one, whoever is last", () => {
    const scenario = { main: [{ clone: "b" }, { exit: { status: 5 } }], programs: { b: [{ nanosleep: "1ms" }, { exit: { status: 6 } }] } };
    expect(ends(run(scenario, "native-linux"))).toEqual([[5, WHY.EXIT, 0]]);
  });
});

describe("A17: a failed assertion writes its message, then executes a breakpoint", () => {
  /** A blocked system call in a handler: SIGNAL_DELAYED stays in the counter (w3). */
  const W3 = "w3-delayed-bit";
  const ASSERTS = ["__abort: DkStreamOpen(dev:tty)", '__abort: DkStreamWrite("assert failed ...")', "__abort: int3"];

  test("on Linux it dies by SIGTRAP, under SGX the breakpoint is skipped and the status is 0", () => {
    for (const [stack, end] of [
      ["graphene-linux", [-SIG("SIGTRAP"), WHY.ASSERTION, SIG("SIGTRAP")]],
      ["graphene-sgx", [0, WHY.ASSERTION, 0]],
    ] as const) {
      const ran = runScenario(W3, stack);
      const places = rowsOf(ran, {}).flatMap((row) => (ASSERTS.includes(row.where) ? [row.where] : []));
      expect(places).toEqual(ASSERTS);
      expect(ends(ran)).toEqual([end]);
    }
  });
});
