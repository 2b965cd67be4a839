/** Signals that leave a queue and go to no handler: a row says for each that it is over, where it waited and why. */

import { describe, expect, it } from "vitest";
import { unaccounted } from "../support/accounts.ts";
import { on, type Ran, runProgram } from "../support/run-scenario.ts";

const STRAY = "(outside): a signal leaves its queue, and nobody gets it";
const strays = (ran: Ran): unknown[] =>
  ran.rows.filter((row) => row.where === STRAY).map((row) => [row.what, row.signal, row.value, row.who]);

const blocked = (signal: string): unknown[] => [
  { sigprocmask: { how: "block", signals: [signal] } },
  { kill: { process: "self", signal } },
];

describe("a signal that leaves its queue", () => {
  it("because SIGCONT comes after a stop signal, or a stop signal after SIGCONT", () => {
    const ran = runProgram("native-linux", [
      on("SIGTSTP"),
      on("SIGCONT"),
      ...blocked("SIGTSTP"),
      ...blocked("SIGCONT"),
      { tgkill: { thread: "self", signal: "SIGTSTP" } },
    ]);
    expect(strays(ran)).toEqual([
      ["host.signal.discard", 20, 4, "main"],
      ["host.signal.discard", 18, 4, "main"],
    ]);
    expect(unaccounted(ran)).toEqual([]);
  });

  const waits = [...blocked("SIGUSR1"), { sigtimedwait: { signals: ["SIGUSR1"] } }, { compute: "1s" }];
  const reads = [
    ...blocked("SIGUSR1"),
    { signalfd: { signals: ["SIGUSR1"], on: "signals" } },
    { read: { from: "signals" } },
    { compute: "1s" },
  ];
  const taken = (ran: Ran): unknown[] => ran.rows.filter((row) => row.what === "signal.take").map((row) => [row.signal, row.who]);

  it("because the program takes it itself: by sigtimedwait, or out of a signalfd", () => {
    for (const [stack, main] of [
      ["native-linux", waits],
      ["gramine-linux", waits],
      ["native-linux", reads],
    ] as const) {
      const ran = runProgram(stack, main);
      expect(taken(ran), stack).toEqual([[10, "main"]]);
      expect(unaccounted(ran), stack).toEqual([]);
    }
  });

  const ignoredNow = [...blocked("SIGUSR1"), { sigaction: { signal: "SIGUSR1", handler: "ignore" } }];

  it("because it is ignored from now on: natively, and in Gramine with the switch that does so", () => {
    expect(strays(runProgram("native-linux", [on("SIGUSR1"), ...ignoredNow]))).toEqual([["host.signal.discard", 10, 0, "main"]]);
    expect(strays(runProgram("gramine-linux", [on("SIGUSR1"), ...ignoredNow]))).toEqual([]);
    const mended = runProgram("gramine-linux", [on("SIGUSR1"), ...ignoredNow], [], {}, { fixes: ["pending-kept-when-ignored"] });
    expect(strays(mended)).toEqual([["libos.signal.ignore", 10, 1, "main"]]);
  });

  it.each(["graphene-linux", "graphene-sgx", "graphene-pr1218"] as const)(
    "because execve makes the rings anew in another process, and the one that has it ends: %s",
    (stack) => {
      const other = { programs: { other: [{ nanosleep: "1s" }] } };
      const ran = runProgram(stack, [on("SIGUSR1"), { clone: "other" }, ...blocked("SIGUSR1"), "exec", "getpid"], [], other);
      expect(strays(ran)).toEqual([["libos.signal.lost", 10, 3, "main"]]);
      expect(unaccounted(ran)).toEqual([]);
    },
  );
});
