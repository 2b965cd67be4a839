/** Calls about signals with arguments that are odd, and SO_RCVTIMEO: what Linux answers, and what the base revision makes of them. */

import { describe, expect, it } from "vitest";
import type { StackName } from "../../engine/index.ts";
import { endOf, handled, type Ran, results as resultsOfAll, rowsOf, runProgram } from "../support/run-scenario.ts";

const NATIVE = "native-linux";
const GRAPHENE = ["graphene-linux", "graphene-sgx"] as const;

/** Without those of the two handlers that `runProgram` sets. */
const results = (ran: Ran): string[] => resultsOfAll(ran).slice(2);

describe("sigprocmask with a page for the old mask that can only be read", () => {
  const main = [{ sigprocmask: { how: "block", signals: ["SIGUSR1"], old: "read-only" } }, "sigpending", { kill: { signal: "SIGUSR1" } }];
  const run = (stack: StackName) => runProgram(stack, [...main, "sigpending"]);

  it("Linux: -EFAULT, and the mask is changed", () => {
    const ran = run(NATIVE);
    expect(results(ran).slice(0, 4)).toEqual(["sigprocmask -EFAULT", "sigpending 0", "kill 0", "sigpending 0"]);
    expect(endOf(ran)).toBe("exit");
  });

  it("Linux PAL: the write faults in the LibOS, which ends", () => {
    const ran = run("graphene-linux");
    expect([results(ran), ran.machine.live]).toEqual([[], []]);
    expect(rowsOf(ran, { what: "libos.fault" })).toHaveLength(1);
  });

  it("SGX: the fault comes again and again", () => {
    const ran = run("graphene-sgx");
    expect([results(ran), endOf(ran)]).toEqual([[], "endless"]);
    expect(rowsOf(ran, { what: "libos.fault" }).length).toBeGreaterThan(2);
  });
});

describe("a set of another size, and none", () => {
  const main = [{ sigprocmask: { how: "block", signals: ["SIGUSR1"], size: 4 } }, { sigsuspend: { nomask: true } }];

  it("Linux refuses both", () => {
    expect(results(runProgram(NATIVE, main)).slice(0, 2)).toEqual(["sigprocmask -EINVAL", "sigsuspend -EFAULT"]);
  });

  it.each(GRAPHENE)("%s does not look at the size", (stack) => {
    expect(results(runProgram(stack, main)).slice(0, 2)).toEqual(["sigprocmask 0", "sigsuspend -EFAULT"]);
  });
});

describe("a handler without a restorer", () => {
  const set = { sigaction: { signal: "SIGUSR1", handler: "quick", norestorer: true } };
  const run = (stack: StackName, ...before: unknown[]) => runProgram(stack, [...before, set, { kill: { signal: "SIGUSR1" } }]);

  it("Linux: SIGSEGV kills when it should run", () => {
    const ran = run(NATIVE);
    expect([results(ran), handled(ran), endOf(ran)]).toEqual([["sigaction 0"], [], "killed"]);
  });

  it("Linux: a handler of SIGSEGV runs in its place, once", () => {
    const ran = run(NATIVE, { sigaction: { signal: "SIGSEGV", handler: "quick" } });
    expect([results(ran).at(2), handled(ran), endOf(ran)]).toEqual(["kill 0", ["SIGSEGV"], "exit"]);
    expect(rowsOf(ran, { what: "app.siginfo" }).map(({ value }) => value)).toEqual([128]);
    expect(rowsOf(ran, { what: "host.signal.discard" }).map(({ signal, value }) => [signal, value])).toEqual([[10, 3]]);
  });

  it("Linux: of SIGSEGV itself no handler is asked", () => {
    const main = [{ sigaction: { signal: "SIGSEGV", handler: "quick", norestorer: true } }, { fault: "memory" }];
    const ran = runProgram(NATIVE, main);
    expect([handled(ran), endOf(ran)]).toEqual([[], "killed"]);
  });

  it.each(GRAPHENE)("%s calls it itself", (stack) => {
    const ran = run(stack);
    expect([results(ran).slice(0, 2), handled(ran), endOf(ran)]).toEqual([["sigaction 0", "kill 0"], ["SIGUSR1"], "exit"]);
  });
});

describe("SO_RCVTIMEO", () => {
  const timeout = (on: string, time: string) => ({ "receive-timeout": { on, for: time } });
  const run = (stack: StackName, main: unknown[], signals: Parameters<typeof runProgram>[2] = []) =>
    runProgram(stack, main, signals, { objects: { tcp: "socket", pair: "unix", p: "pipe" } });

  it("Linux: a read and an accept end with -EAGAIN; 0 takes the limit away; a pipe has none", () => {
    const main = [
      timeout("p", "1s"),
      timeout("tcp", "5ms"),
      { read: { from: "tcp" } },
      { accept: { on: "tcp" } },
      timeout("tcp", "0s"),
      { read: { from: "tcp" } },
    ];
    const ran = run(NATIVE, main);
    expect(results(ran)).toEqual(["setsockopt -ENOTSOCK", "setsockopt 0", "read -EAGAIN", "accept -EAGAIN", "setsockopt 0"]);
    expect(endOf(ran)).toBe("hang");
  });

  it("Linux: SA_RESTART does not start it again, without the limit it does", () => {
    const action = { sigaction: { signal: "SIGUSR1", handler: "quick", flags: ["SA_RESTART"] } };
    const ends = (...more: unknown[]) =>
      results(run(NATIVE, [action, ...more, { read: { from: "tcp" } }], [{ signal: "SIGUSR1", when: { at: "2ms" } }]));
    expect(ends(timeout("tcp", "1s")).at(2)).toBe("read -EINTR");
    expect(ends()).toEqual(["sigaction 0"]);
  });

  it.each(GRAPHENE)("%s: four bytes of it are too few for the host, and no wait is limited", (stack) => {
    const ran = run(stack, [
      timeout("p", "1s"),
      timeout("tcp", "1s"),
      timeout("tcp", "900ms"),
      timeout("pair", "1s"),
      { read: { from: "tcp" } },
    ]);
    expect(results(ran)).toEqual(["setsockopt -ENOTSOCK", "setsockopt -EINVAL", "setsockopt 0", "setsockopt 0"]);
    expect(rowsOf(ran, { what: "host.syscall.exit", where: "host setsockopt" }).map(({ value }) => value)).toEqual([-22]);
    expect(endOf(ran)).toBe("hang");
  });
});
