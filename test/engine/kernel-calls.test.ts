/** Newer system calls and what calls write besides their result, as the kernel does it (native-linux). */

import { describe, expect, it } from "vitest";
import { at, endOf, handled, on, type Ran, resultOf, results, rowsOf, runProgram } from "../support/run-scenario.ts";

const NATIVE = "native-linux";

const run = (main: unknown[], signals: Parameters<typeof runProgram>[2] = [], more: Parameters<typeof runProgram>[3] = {}): Ran =>
  runProgram(NATIVE, main, signals, more);

/** [what it is, value] of each output row, in order. */
const outputs = (ran: Ran): [number, number][] => rowsOf(ran, { what: "app.output" }).map((row) => [row.extra, row.value]);

const BLOCK = { sigprocmask: { how: "block", signals: ["SIGUSR1", "SIGUSR2"] } };

describe("eventfd, timerfd, signalfd", () => {
  it("an eventfd counts, and a read takes the whole", () => {
    const ran = run([
      { eventfd: { on: "e", initial: 2 } },
      { write: { to: "e", bytes: 3 } },
      { read: { from: "e" } },
      { eventfd: { on: "s", initial: 2, semaphore: true } },
      { read: { from: "s" } },
    ]);
    expect(results(ran).slice(-4)).toEqual(["write 8", "read 8", "eventfd 3", "read 8"]);
    expect(outputs(ran)).toEqual([
      [12, 5],
      [12, 1],
    ]);
  });

  it("a thread that reads an eventfd is woken by a write", () => {
    const ran = run([{ eventfd: { on: "e" } }, { clone: "b" }, { read: { from: "e" } }], [], {
      programs: { b: [{ nanosleep: "1ms" }, { write: { to: "e", bytes: 7 } }] },
    });
    expect([resultOf(ran, "read"), outputs(ran)]).toEqual(["8", [[12, 7]]]);
  });

  it("a timerfd counts its expiries; poll finds it readable", () => {
    const ran = run([
      { timerfd: { on: "t" } },
      { "timerfd-settime": { on: "t", value: "2ms", interval: "1ms" } },
      { poll: { on: "t" } },
      { nanosleep: "2500us" },
      { read: { from: "t" } },
      { "timerfd-settime": { on: "t", value: 0, old: true } },
    ]);
    expect([resultOf(ran, "poll"), resultOf(ran, "read")]).toEqual(["1", "8"]);
    const [expiries, , interval] = outputs(ran);
    expect([expiries, interval]).toEqual([
      [12, 3],
      [8, 1e6],
    ]);
  });

  it("a signalfd is read in the order of dequeuing, as many as fit", () => {
    const ran = run([
      BLOCK,
      { signalfd: { on: "s", signals: ["SIGUSR1", "SIGUSR2"] } },
      { kill: { signal: "SIGUSR1" } },
      { tgkill: { signal: "SIGUSR2" } },
      { read: { from: "s", bytes: 1000 } },
    ]);
    expect([resultOf(ran, "read"), outputs(ran)]).toEqual([
      "256",
      [
        [11, 12],
        [11, 10],
      ],
    ]);
  });

  it("a signalfd in poll: ready for the thread that has the signal", () => {
    const ran = run(
      [BLOCK, { signalfd: { on: "s", signals: ["SIGUSR1"] } }, { poll: { on: ["s"], timeout: "5ms" } }, { read: { from: "s" } }],
      [at("SIGUSR1", "1ms")],
    );
    expect([resultOf(ran, "poll"), resultOf(ran, "read"), handled(ran)]).toEqual(["1", "128", []]);
  });
});

describe("POSIX timers", () => {
  it("send their signal with SI_TIMER and their value", () => {
    const ran = run([
      on("SIGUSR1"),
      { "timer-create": { timer: "t", signal: "SIGUSR1", value: 7 } },
      { "timer-settime": { timer: "t", value: "1ms" } },
      "pause",
    ]);
    expect(rowsOf(ran, { what: "app.siginfo" }).map((row) => [row.signal, row.value])).toEqual([[10, -2]]);
    expect(rowsOf(ran, { what: "app.siginfo.more" }).map((row) => [row.extra, row.value])).toEqual([[3, 7]]);
  });

  it("are pending once, real-time signals too, and stop when they are deleted", () => {
    const signal = "SIGRTMIN+3";
    const ran = run([
      on(signal),
      { sigprocmask: { how: "block", signals: [signal] } },
      { "timer-create": { timer: "t", signal } },
      { "timer-settime": { timer: "t", value: "1ms", interval: "1ms" } },
      { nanosleep: "5500us" },
      { "timer-delete": "t" },
      { sigprocmask: { how: "unblock", signals: [signal] } },
      { nanosleep: "5ms" },
      { "timer-settime": { timer: "t", value: "1ms" } },
    ]);
    expect([handled(ran), resultOf(ran, "timer_settime")]).toEqual([["SIGRT3"], "-EINVAL"]);
  });
});

describe("sigtimedwait, sigqueue", () => {
  it("takes a signal without its handler, also one that is not blocked and comes later", () => {
    const ran = run([on("SIGUSR1"), { sigtimedwait: { signals: ["SIGUSR1"], info: true } }], [at("SIGUSR1", "1ms")]);
    expect([resultOf(ran, "rt_sigtimedwait"), handled(ran), outputs(ran)]).toEqual(["10", [], [[11, 10]]]);
  });

  it("-EAGAIN after its time-out; an ignored signal does not count, one with a handler is -EINTR", () => {
    const wait = { sigtimedwait: { signals: ["SIGUSR2"], timeout: "5ms" } };
    expect(resultOf(run([wait], [at("SIGWINCH", "1ms")]), "rt_sigtimedwait")).toBe("-EAGAIN");
    expect(resultOf(run([wait], [at("SIGINT", "1ms")]), "rt_sigtimedwait")).toBe("-EINTR");
  });

  it("sigwait begins again after a handler", () => {
    const ran = run([BLOCK, { sigwait: ["SIGUSR1"] }], [at("SIGINT", "1ms"), at("SIGUSR1", "2ms")]);
    expect(results(ran).slice(-2)).toEqual(["rt_sigtimedwait -EINTR", "rt_sigtimedwait 0"]);
  });

  it("sigqueue: SI_QUEUE, the sender and the value; real-time signals queue", () => {
    const queue = (value: number) => ({ sigqueue: { signal: "SIGRTMIN+1", value } });
    const ran = run([
      on("SIGRTMIN+1"),
      { sigprocmask: { how: "block", signals: ["SIGRTMIN+1"] } },
      queue(1),
      queue(2),
      { sigprocmask: { how: "set", signals: [] } },
    ]);
    expect(rowsOf(ran, { what: "app.siginfo" }).map((row) => [row.value, row.extra])).toEqual([
      [-1, 1],
      [-1, 1],
    ]);
    expect(rowsOf(ran, { what: "app.siginfo.more" }).map((row) => row.value)).toEqual([1, 2]);
    expect(resultOf(run([{ sigqueue: { thread: "nobody", signal: "SIGINT" } }]), "rt_sigqueueinfo")).toBe("-ESRCH");
  });
});

describe("masks of ppoll, pselect6 and epoll_pwait", () => {
  for (const call of ["poll", "select", "epoll-wait"]) {
    const name = call.replace("-", "_");
    it(`${call}: a pending signal that the mask lets through ends it at once, and the old mask is back`, () => {
      const ran = run([
        on("SIGUSR1"),
        { sigprocmask: { how: "block", signals: ["SIGUSR1"] } },
        { kill: { signal: "SIGUSR1" } },
        { [call]: { timeout: "3s", mask: [] } },
        { sigprocmask: { how: "block", signals: [], old: true } },
      ]);
      expect([resultOf(ran, name), handled(ran)]).toEqual(["-EINTR", ["SIGUSR1"]]);
      expect(outputs(ran)[0]).toEqual([3, 1 << 9]);
      expect(ran.machine.now).toBeLessThan(1e6);
    });

    it(`${call}: what is ready is counted, and the signal stays blocked`, () => {
      const ran = run(
        [
          on("SIGUSR1"),
          { sigprocmask: { how: "block", signals: ["SIGUSR1"] } },
          { kill: { signal: "SIGUSR1" } },
          { write: { to: "p", bytes: 1 } },
          { [call]: { on: "p", mask: [] } },
        ],
        [],
      );
      expect([resultOf(ran, name), handled(ran)]).toEqual(["1", []]);
    });
  }
});

describe("children", () => {
  const child = (operation: unknown, more: unknown[] = []): Ran =>
    run([{ fork: "child" }, operation, ...more], [{ signal: "SIGSTOP", process: "child", when: { at: "2ms" } }], {
      programs: { child: [{ nanosleep: "20ms" }, { exit: { status: 3 } }] },
    });

  it("wait4 writes the status: an exit, a kill", () => {
    const wait = (operation: unknown): [number, number][] =>
      outputs(run([{ fork: "child" }, "wait4"], [], { programs: { child: [operation] } }));
    expect(wait({ exit: { status: 3 } })).toEqual([[1, 0x300]]);
    expect(wait({ kill: { signal: "SIGKILL" } })).toEqual([[1, 9]]);
  });

  it("WUNTRACED: a stop is told once, then the end is waited for", () => {
    const ran = child({ wait4: { untraced: true } }, [
      { wait4: { untraced: true, nohang: true } },
      { kill: { process: "child", signal: "SIGCONT" } },
      { wait4: { continued: true } },
      "wait4",
    ]);
    expect(results(ran).filter((text) => text.startsWith("wait4"))).toEqual(["wait4 2", "wait4 0", "wait4 2", "wait4 2"]);
    expect(outputs(ran)).toEqual([
      [1, 0x137f],
      [1, 0xffff],
      [1, 0x300],
    ]);
  });

  it("waitid with WNOWAIT leaves the child to be waited for", () => {
    const ran = run([{ fork: "child" }, { waitid: { child: "child", keep: true } }, { waitid: {} }, { waitid: {} }], [], {
      programs: { child: [{ exit: { status: 1 } }] },
    });
    expect(results(ran).slice(-3)).toEqual(["waitid 0", "waitid 0", "waitid -ECHILD"]);
  });

  it("the parent's SIGCHLD tells of stops, unless SA_NOCLDSTOP", () => {
    const codes = (flags: string[]): number[] =>
      rowsOf(
        run(
          [{ sigaction: { signal: "SIGCHLD", handler: "quick", flags } }, { fork: "child" }, { nanosleep: "9ms" }, { nanosleep: "9ms" }],
          [
            { signal: "SIGSTOP", process: "child", when: { at: "2ms" } },
            { signal: "SIGCONT", process: "child", when: { at: "3ms" } },
          ],
          { programs: { child: [{ nanosleep: "1s" }] }, limit: { time: "15ms", transitions: 1000 } },
        ),
        { what: "app.siginfo", who: "main" },
      ).map((row) => row.value);
    expect(codes([])).toEqual([5, 6]);
    expect(codes(["SA_NOCLDSTOP"])).toEqual([]);
  });

  it("SIGCHLD ignored, or SA_NOCLDWAIT: no zombie is left, and wait4 waits for the last child", () => {
    for (const action of [{ handler: "ignore" }, { handler: "quick", flags: ["SA_RESTART", "SA_NOCLDWAIT"] }]) {
      const ran = run([{ sigaction: { signal: "SIGCHLD", ...action } }, { fork: "child" }, "wait4"], [], {
        programs: { child: [{ nanosleep: "1ms" }] },
      });
      expect(resultOf(ran, "wait4")).toBe("-ECHILD");
    }
  });

  it("setpgid, setsid and getpgid", () => {
    const ran = run([{ fork: "child" }, { setpgid: { process: "child" } }, "getpgid", "setsid", { wait4: {} }], [], {
      programs: { child: [{ nanosleep: "1ms" }, "getpgid", "setsid", { setpgid: {} }] },
    });
    expect(results(ran, "child")).toEqual(["nanosleep 0", "getpgid 2", "setsid -EPERM", "setpgid 0"]);
    expect(results(ran).slice(-4, -1)).toEqual(["setpgid 0", "getpgid 1", "setsid -EPERM"]);
  });
});

describe("what a call writes besides its result", () => {
  it("old actions and masks, the pending set, what is left of a sleep and of a timer", () => {
    const ran = run(
      [
        { sigaction: { signal: "SIGINT", handler: "ignore", old: true } },
        { sigaction: { signal: "SIGINT", handler: "default", old: true } },
        { sigaction: { signal: "SIGUSR2", handler: "quick", old: true } },
        { sigprocmask: { how: "block", signals: ["SIGUSR1", "SIGRT8"] } },
        { sigprocmask: { how: "set", signals: ["SIGUSR1"], old: true } },
        { kill: { signal: "SIGUSR1" } },
        "sigpending",
        { setitimer: { value: "9s", interval: "2s" } },
        { setitimer: { value: "0s", old: true } },
        "getitimer",
      ],
      [],
      { handlers: { other: [] } },
    );
    const [ignored, default_, none, low, high, pending, pendingHigh, left, interval, zero] = outputs(ran);
    expect([ignored, default_, none]).toEqual([
      [9, 2],
      [9, 1],
      [9, 0],
    ]);
    expect([low, high, pending, pendingHigh]).toEqual([
      [3, 1 << 9],
      [4, 1 << 7],
      [5, 1 << 9],
      [6, 0],
    ]);
    expect(left?.[1]).toBeGreaterThan(8.9e9);
    expect([interval, zero]).toEqual([
      [8, 2e9],
      [7, 0],
    ]);
  });

  it("a sleep that is cut short writes the rest", () => {
    const ran = run([{ nanosleep: { for: "5ms", rem: true } }], [at("SIGINT", "2ms")]);
    const [[what, rest] = [0, 0]] = outputs(ran);
    expect(what).toBe(2);
    expect(rest).toBeGreaterThan(3e6);
    expect(rest).toBeLessThan(3.2e6);
  });
});

describe("the alternate stack", () => {
  const overflow = (before: unknown[], flags: string[]): Ran =>
    run([...before, on("SIGSEGV", "leaves", { flags }), { sigsetjmp: { place: "here", do: [{ fault: "stack" }] } }, "getpid"], [], {
      handlers: { leaves: [{ sigaltstack: { bytes: 9000 } }, { siglongjmp: "here" }] },
    });

  it("a full stack kills, unless the handler runs on an alternate one; there it cannot be changed", () => {
    expect(endOf(overflow([], []))).toBe("killed");
    expect(endOf(overflow([], ["SA_ONSTACK"]))).toBe("killed");
    expect(endOf(overflow([{ sigaltstack: { bytes: 8192 } }], []))).toBe("killed");
    const ran = overflow([{ sigaltstack: { bytes: 8192 } }], ["SA_ONSTACK"]);
    expect([resultOf(ran, "sigaltstack"), resultOf(ran, "getpid")]).toEqual(["-EPERM", "1"]);
  });

  it("SS_DISABLE ignores the size (errata A19)", () => {
    expect(resultOf(run([{ sigaltstack: { bytes: 0, disable: true } }]), "sigaltstack")).toBe("0");
  });
});

describe("what a process starts with", () => {
  it("an inherited mask and SIG_IGN are in force", () => {
    const ran = run([{ sigprocmask: { how: "block", signals: [], old: true } }, { kill: { signal: "SIGHUP" } }, "getpid"], [], {
      mask: ["SIGUSR1"],
      ignore: ["SIGHUP"],
    });
    expect([outputs(ran)[0], resultOf(ran, "getpid")]).toEqual([[3, 1 << 9], "1"]);
  });
});

describe("general protection faults", () => {
  it.each(["hlt", "in", "noncanonical"])("%s: SIGSEGV with SI_KERNEL and no address", (what) => {
    const ran = run([on("SIGSEGV", "skips"), { fault: what }], [], { handlers: { skips: ["skip-fault"] } });
    expect(rowsOf(ran, { what: "app.siginfo" }).map((row) => [row.signal, row.value])).toEqual([[11, 128]]);
    expect(rowsOf(ran, { what: "app.siginfo.more" }).map((row) => [row.extra, row.value])).toEqual([[0, 0]]);
  });
});
