/** The host kernel, on which every stack stands: the eight facts of section 1.2 of the reference. */

import { describe, expect, it } from "vitest";
import { at, endOf, handled, inCall, on, type Ran, resultOf, rowsOf, runProgram } from "../support/run-scenario.ts";

const NATIVE = "native-linux";
const LINUX = "graphene-linux";

/** "enter INT, return INT": handlers as they nest. */
const nesting = (ran: Ran): string[] =>
  ran.rows.filter((row) => row.what.startsWith("app.handler.")).map((row) => `${row.what.slice("app.handler.".length)} ${row.signal}`);

const INT_IN_TERM = ["enter 15", "enter 2", "return 2", "return 15"];
const ONE_BY_ONE = ["enter 15", "return 15", "enter 2", "return 2"];

describe("1.2 the host kernel", () => {
  it("rule 1: a handler runs with its own signal and sa_mask blocked; sigreturn puts the old mask back", () => {
    const inTerm = (more: Record<string, unknown>): string[] =>
      nesting(
        runProgram(NATIVE, [on("SIGTERM", "slow", more), { compute: "1ms" }], [at("SIGTERM", "500us"), at("SIGINT", "510us")], {
          handlers: { slow: [{ compute: "50us" }] },
        }),
      );
    expect(inTerm({})).toEqual(INT_IN_TERM);
    expect(inTerm({ mask: ["SIGINT"] })).toEqual(ONE_BY_ONE);
  });

  it("rule 1: the same signal waits for the end of its handler, unless SA_NODEFER", () => {
    const twice = (flags: string[]): string[] =>
      nesting(
        runProgram(NATIVE, [on("SIGTERM", "slow", { flags }), { compute: "1ms" }], [at("SIGTERM", "500us"), at("SIGTERM", "510us")], {
          handlers: { slow: [{ compute: "50us" }] },
        }),
      );
    expect(twice([])).toEqual(["enter 15", "return 15", "enter 15", "return 15"]);
    expect(twice(["SA_NODEFER"])).toEqual(["enter 15", "enter 15", "return 15", "return 15"]);
  });

  it("rule 2: two signals at one return to user mode: the frame pushed last runs first", () => {
    const ran = runProgram(NATIVE, [
      { sigprocmask: { how: "block", signals: ["SIGINT", "SIGTERM"] } },
      { tgkill: { signal: "SIGTERM" } },
      { tgkill: { signal: "SIGINT" } },
      { sigprocmask: { how: "unblock", signals: ["SIGINT", "SIGTERM"] } },
    ]);
    expect(rowsOf(ran, { what: "host.signal.deliver" }).map((row) => [row.signal, row.value])).toEqual([
      [2, 1],
      [15, 2],
    ]);
    expect(handled(ran)).toEqual(["SIGTERM", "SIGINT"]);
  });

  it("rule 3: synchronous signals first, then the lowest number", () => {
    const ran = runProgram(NATIVE, [
      ...["SIGSEGV", "SIGUSR1"].map((signal) => on(signal)),
      { sigprocmask: { how: "block", signals: ["SIGINT", "SIGSEGV", "SIGUSR1"] } },
      ...["SIGUSR1", "SIGINT", "SIGSEGV"].map((signal) => ({ tgkill: { signal } })),
      { sigprocmask: { how: "set", signals: [] } },
    ]);
    expect(rowsOf(ran, { what: "host.signal.deliver" }).map((row) => row.signal)).toEqual([11, 2, 10]);
  });

  it("rule 4: the leader takes a process's signal if it does not block it, else a thread that does not", () => {
    const who = (main: unknown[], one: unknown[]): string[] =>
      rowsOf(
        runProgram(NATIVE, [{ clone: "one" }, ...main, { compute: "2ms" }], [at("SIGINT", "1ms")], {
          programs: { one: [...one, { compute: "2ms" }] },
        }),
        { what: "app.handler.enter" },
      ).map((row) => row.who);
    const block = { sigprocmask: { how: "block", signals: ["SIGINT"] } };
    expect(who([], [])).toEqual(["main"]);
    expect(who([block], [])).toEqual(["one"]);
    expect(who([block], [block])).toEqual([]);
    // The leader was chosen, but blocks the signal before it takes it: another thread gets it.
    expect(who([block, { sigprocmask: { how: "set", signals: [] } }], [block])).toEqual(["main"]);
  });

  it("rule 4: a signal on its way to a thread that ends goes to another", () => {
    const ran = runProgram(
      NATIVE,
      [{ clone: "one" }, { nanosleep: "1ms" }, { exit: { status: 0 } }],
      [{ signal: "SIGINT", when: { thread: "main", site: "host exit: exit: the thread is gone" } }],
      { programs: { one: [{ read: { from: "pipe" } }] } },
    );
    expect(rowsOf(ran, { what: "host.signal.generate" })[0]?.value).toBe(0);
    expect(rowsOf(ran, { what: "app.handler.enter" }).map((row) => row.who)).toEqual(["one"]);
    expect(resultOf(ran, "read", "one")).toBe("-EINTR");
  });

  it("rule 5: a fault whose signal is blocked kills the process, handler or not", () => {
    const ran = runProgram(NATIVE, [on("SIGFPE"), { sigprocmask: { how: "block", signals: ["SIGFPE"] } }, { fault: "divide" }]);
    expect(rowsOf(ran, { what: "host.signal.default" }).map((row) => row.signal)).toEqual([8]);
    expect(handled(ran)).toEqual([]);
  });

  it("rule 6: EINTR only when the signal comes while the call waits, not before the instruction", () => {
    const read = { read: { takes: "1ms", result: 3 } };
    expect(resultOf(runProgram(NATIVE, [read], [inCall("SIGINT", "read")]), "read")).toBe("-EINTR");
    const before = runProgram(NATIVE, [read], [{ signal: "SIGINT", when: { thread: "main", call: "read", phase: "before" } }]);
    expect([resultOf(before, "read"), ...handled(before)]).toEqual(["3", "SIGINT"]);
  });

  it("rule 6: another thread takes the signal that woke a call: the call starts again, no EINTR is seen", () => {
    const ran = runProgram(
      NATIVE,
      [{ clone: "one" }, { read: { from: "pipe" } }],
      [{ signal: "SIGINT", when: { thread: "one", site: "host clone: clone: enter the kernel" } }],
      {
        programs: { one: [{ nanosleep: "500us" }, { clone: "two" }], two: [{ compute: "1us" }] },
        arrivals: [{ to: "pipe", bytes: 1, when: { at: "2ms" } }],
      },
    );
    expect(rowsOf(ran, { what: "thread.wake", who: "main" }).map((row) => row.value)).toEqual([2, 0]);
    expect(rowsOf(ran, { what: "app.handler.enter" }).map((row) => row.who)).toEqual(["two"]);
    expect(resultOf(ran, "read")).toBe("1");
  });

  it("rule 7: SIGCONT resumes a stopped process, even when it is blocked", () => {
    const ran = runProgram(
      NATIVE,
      [{ sigprocmask: { how: "block", signals: ["SIGCONT"] } }, { nanosleep: "2ms" }, "getpid"],
      [at("SIGSTOP", "1ms"), at("SIGCONT", "900ms")],
    );
    const [pid] = rowsOf(ran, { where: "getpid()" });
    expect(Math.floor((pid?.time ?? 0) / 1e6)).toBe(900);
    expect(endOf(ran)).toBe("exit");
  });

  it.each(["SIGALRM", "SIGUSR1", "SIGHUP", "SIGQUIT", "SIGPROF", "SIGTRAP", "34"])(
    "rule 8: %s kills the process below every PAL",
    (signal) => {
      for (const stack of [NATIVE, LINUX, "graphene-sgx"] as const) {
        const ran = runProgram(stack, [{ compute: "1ms" }], [at(signal, "600us")]);
        expect(
          rowsOf(ran, { what: "host.signal.default" }).map((row) => row.value),
          stack,
        ).toEqual([1]);
      }
    },
  );
});
