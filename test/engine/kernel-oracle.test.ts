/** What real kernels did and native-linux did not (cases/oracle): one test for each row. */

import { describe, expect, it } from "vitest";
import { at, endOf, handled, on, type Ran, resultOf, results, rowsOf, runProgram } from "../support/run-scenario.ts";

const NATIVE = "native-linux";

const run = (...[main, signals, more]: [unknown[], Parameters<typeof runProgram>[2]?, Parameters<typeof runProgram>[3]?]): Ran =>
  runProgram(NATIVE, main, signals, more);

const delivered = (ran: Ran): number[] => rowsOf(ran, { what: "host.signal.deliver" }).map((row) => row.signal);

describe("oracle", () => {
  it("F1: a restarted call ends when it would have, however often a timer interrupts it", () => {
    const ran = run([
      on("SIGALRM", "quick", { flags: ["SA_RESTART"] }),
      { setitimer: { value: "100ms", interval: "100ms" } },
      { read: { takes: "250ms", result: 1 } },
      { setitimer: { value: 0 } },
    ]);
    expect(resultOf(ran, "read")).toBe("1");
    expect(handled(ran)).toEqual(["SIGALRM", "SIGALRM"]);
  });

  it("F3: sigwait takes the signal: neither its handler nor its default action comes", () => {
    const ran = run([
      { sigaction: { signal: "SIGTERM", handler: "default" } },
      { sigprocmask: { how: "block", signals: ["SIGTERM"] } },
      { kill: { signal: "SIGTERM" } },
      { sigwait: ["SIGTERM"] },
      { sigprocmask: { how: "unblock", signals: ["SIGTERM"] } },
      "getpid",
    ]);
    expect(results(ran).slice(-3)).toEqual(["rt_sigtimedwait 0", "sigprocmask 0", "getpid 1"]);
    expect(endOf(ran)).toBe("exit");
  });

  it("F3b: reading a signalfd takes it, too", () => {
    const ran = run(
      [
        { sigprocmask: { how: "block", signals: ["SIGTERM"] } },
        { signalfd: { on: "sfd", signals: ["SIGTERM"] } },
        { read: { from: "sfd", bytes: 128 } },
        { sigprocmask: { how: "unblock", signals: ["SIGTERM"] } },
      ],
      [at("SIGTERM", "1ms")],
    );
    expect(resultOf(ran, "read")).toBe("128");
    expect(handled(ran)).toEqual([]);
  });

  it("F4: a call on a file is not cut short: the handler runs after it", () => {
    const ran = run([{ call: { name: "fsync", takes: "5ms" } }], [at("SIGINT", "2ms")]);
    expect(resultOf(ran, "call")).toBe("0");
    const [handler] = rowsOf(ran, { what: "app.handler.enter" });
    expect(handler?.time).toBeGreaterThanOrEqual(5e6);
    // One that waits for somebody is.
    expect(resultOf(run([{ call: { name: "recvmsg", takes: "5ms" } }], [at("SIGINT", "2ms")]), "call")).toBe("-EINTR");
    const held = run([{ call: { name: "recvmsg", takes: "5ms", interruptible: false } }], [at("SIGINT", "2ms")]);
    expect(resultOf(held, "call")).toBe("0");
  });

  it("F5: what is pending for the thread comes before what is pending for the process", () => {
    const ran = run([
      ...["SIGUSR1", "SIGUSR2"].map((signal) => on(signal)),
      { sigprocmask: { how: "block", signals: ["SIGUSR1", "SIGUSR2"] } },
      { kill: { signal: "SIGUSR1" } },
      { tgkill: { signal: "SIGUSR2" } },
      { sigprocmask: { how: "set", signals: [] } },
    ]);
    expect(delivered(ran)).toEqual([12, 10]);
  });

  it("F6: SIG_IGN, and a default that is to ignore, discard what is pending", () => {
    const after = (signal: string, handler: string): string[] =>
      handled(
        run([
          on(signal),
          { sigprocmask: { how: "block", signals: [signal] } },
          { kill: { signal } },
          { tgkill: { signal } },
          { sigaction: { signal, handler } },
          on(signal),
          { sigprocmask: { how: "unblock", signals: [signal] } },
        ]),
      );
    expect(after("SIGUSR1", "ignore")).toEqual([]);
    expect(after("SIGCHLD", "default")).toEqual([]);
    expect(after("SIGUSR1", "default")).toEqual(["SIGUSR1", "SIGUSR1"]);
  });

  it.each([
    ["2700ms", 5, 2],
    ["2200ms", 5, 3],
    ["4900ms", 5, 1],
  ])("F7: alarm after %s of %i s gives %i: to the nearest, but not to 0", (slept, seconds, left) => {
    const ran = run([{ alarm: `${seconds}s` }, { nanosleep: slept }, { alarm: "0s" }], [], { limit: { time: "10s", transitions: 1000 } });
    expect(resultOf(ran, "alarm")).toBe(String(left));
  });

  it("F8: a call that fails has no effect", () => {
    const ran = run(
      [
        { sigaltstack: { bytes: 8192 } },
        { sigaltstack: { bytes: 100 } },
        { sigaction: { signal: "SIGSEGV", handler: "leaves", flags: ["SA_ONSTACK"] } },
        { sigsetjmp: { place: "here", do: [{ fault: "stack" }] } },
        { sigaction: { signal: "SIGKILL", handler: "ignore" } },
      ],
      [],
      { handlers: { leaves: [{ siglongjmp: "here" }] } },
    );
    expect(results(ran).filter((text) => text.startsWith("sigaltstack"))).toEqual(["sigaltstack 0", "sigaltstack -ENOMEM"]);
    expect([handled(ran), resultOf(ran, "sigaction"), endOf(ran)]).toEqual([["SIGSEGV"], "-EINVAL", "exit"]);
  });

  it("F9: a handler that raises its signal again with the default action: the process dies of it at the handler's end", () => {
    const ran = run([on("SIGTERM", "again"), { kill: { signal: "SIGTERM" } }, "getpid"], [], {
      handlers: { again: [{ sigaction: { signal: "SIGTERM", handler: "default" } }, { kill: { signal: "SIGTERM" } }, "getpid"] },
    });
    const [end] = rowsOf(ran, { what: "process.exit" });
    expect([end?.value, end?.signal]).toEqual([-15, 15]);
    expect(results(ran)).toContain("getpid 1");
  });

  it("F11: the mask in the ucontext is the one after the handler", () => {
    const ran = run([on("SIGUSR1", "blocks"), on("SIGUSR2"), { kill: { signal: "SIGUSR1" } }, { kill: { signal: "SIGUSR2" } }], [], {
      handlers: { blocks: [{ "context-mask": ["SIGUSR2"] }] },
    });
    expect(handled(ran)).toEqual(["SIGUSR1"]);
  });

  it("F14: of two zombies wait4 takes the one that was made first", () => {
    const ran = run([{ fork: "a" }, { fork: "b" }, { nanosleep: "50ms" }, "wait4", "wait4", "wait4"], [], {
      programs: { a: [{ nanosleep: "20ms" }], b: [{ nanosleep: "1ms" }] },
    });
    expect(results(ran).slice(-3)).toEqual(["wait4 2", "wait4 3", "wait4 -ECHILD"]);
  });

  it("F16: a signal for the process goes to a thread that does not block it", () => {
    const ran = run(
      [on("SIGUSR1"), { clone: "b" }, { sigprocmask: { how: "block", signals: ["SIGUSR1"] } }, { nanosleep: "20ms" }],
      [at("SIGUSR1", "5ms")],
      { programs: { b: ["pause"] } },
    );
    expect(handled(ran, "b")).toEqual(["SIGUSR1"]);
    expect([resultOf(ran, "nanosleep"), resultOf(ran, "pause", "b")]).toEqual(["0", "-EINTR"]);
  });

  it("F19: a mask of epoll_pwait that blocks the signal keeps it away from the wait", () => {
    const waits = (mask: string[]) =>
      runProgram(NATIVE, [{ "epoll-wait": { on: "pipe", mask } }], [at("SIGINT", "1ms")], {
        arrivals: [{ to: "pipe", when: { at: "2ms" } }],
      });
    expect(resultOf(waits(["SIGINT"]), "epoll_wait")).toBe("1");
    expect(handled(waits(["SIGINT"]))).toEqual(["SIGINT"]);
    expect(resultOf(waits([]), "epoll_wait")).toBe("-EINTR");
  });
});
