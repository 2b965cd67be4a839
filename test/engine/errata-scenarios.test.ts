/** Errata to the reference, A2, A19 and B: what scenarios can say now, and what the base revision makes of it. */

import { describe, expect, it } from "vitest";
import type { StackName } from "../../engine/index.ts";
import { at, endOf, handled, on, type Ran, resultOf, results, rowsOf, runProgram } from "../support/run-scenario.ts";

const GRAPHENE = ["graphene-linux", "graphene-sgx"] as const;

const outputs = (ran: Ran): [number, number][] => rowsOf(ran, { what: "app.output" }).map((row) => [row.extra, row.value]);

const sigpending = (name: string): unknown => ({ sigprocmask: { how: "block", signals: [name] } });

/** Each call, and what native-linux gives for it. */
const NOT_THERE: [string, unknown, string][] = [
  ["signalfd", { signalfd: { on: "s", signals: ["SIGUSR1"] } }, "3"],
  ["eventfd", { eventfd: { on: "e" } }, "3"],
  ["timerfd_create", { timerfd: { on: "t" } }, "3"],
  ["timer_create", { "timer-create": { timer: "t", signal: "SIGUSR1" } }, "0"],
  ["rt_sigtimedwait", { sigtimedwait: { signals: ["SIGUSR1"], timeout: "1ms" } }, "-EAGAIN"],
  ["rt_sigqueueinfo", { sigqueue: { signal: "SIGURG" } }, "0"],
  ["clock_nanosleep", { "clock-nanosleep": "1ms" }, "0"],
  ["waitid", { waitid: { nohang: true } }, "-ECHILD"],
];

describe("A2, B1: calls that the base revision does not have", () => {
  for (const [call, operation, linux] of NOT_THERE) {
    it(`${call}: ${linux} on Linux, -ENOSYS at once on Graphene, and what is pending is flushed`, () => {
      expect(resultOf(runProgram("native-linux", [operation]), call)).toBe(linux);
      for (const stack of GRAPHENE) {
        const ran = runProgram(stack, [operation]);
        expect(resultOf(ran, call)).toBe("-ENOSYS");
        expect(ran.rows.some((row) => row.where === `shim_${call}: handle_signal(false)`)).toBe(true);
      }
    });
  }

  it("a file that was not made is none: reading and writing it is -EBADF", () => {
    for (const stack of GRAPHENE) {
      const ran = runProgram(stack, [{ eventfd: { on: "e" } }, { write: { to: "e", bytes: 1 } }, { read: { from: "e" } }]);
      expect([resultOf(ran, "write"), resultOf(ran, "read")]).toEqual(["-EBADF", "-EBADF"]);
    }
  });

  it("a sleep by clock_nanosleep is no sleep: the program is ahead of its time", () => {
    const ends = (stack: StackName): number => {
      const ran = runProgram(stack, [{ "clock-nanosleep": "2s" }, "getpid"]);
      return rowsOf(ran, { where: "libc getpid: back" })[0]?.time ?? -1;
    };
    expect(ends("native-linux")).toBeGreaterThan(2e9);
    for (const stack of GRAPHENE) expect(ends(stack)).toBeLessThan(1e9);
  });

  it("sigwait takes nothing: the signal stays blocked and pending", () => {
    for (const stack of GRAPHENE) {
      const ran = runProgram(stack, [sigpending("SIGUSR1"), { tgkill: { signal: "SIGUSR1" } }, { sigwait: ["SIGUSR1"] }, "sigpending"]);
      expect([resultOf(ran, "rt_sigtimedwait"), outputs(ran)[0]]).toEqual(["-ENOSYS", [5, 1 << 9]]);
    }
  });
});

describe("B2: the masks of ppoll, pselect6 and epoll_pwait are not used", () => {
  const pending = (stack: StackName, call: string): Ran =>
    runProgram(stack, [
      on("SIGUSR1"),
      sigpending("SIGUSR1"),
      { tgkill: { signal: "SIGUSR1" } },
      { [call]: { on: "pipe", timeout: "20ms", mask: [] } },
    ]);

  for (const [call, name] of [
    ["poll", "poll"],
    ["select", "select"],
    ["epoll-wait", "epoll_wait"],
  ] as const) {
    it(`${call}: a pending signal that the mask lets through stays where it is, and the call gives 0 after its time`, () => {
      expect([resultOf(pending("native-linux", call), name), handled(pending("native-linux", call))]).toEqual(["-EINTR", ["SIGUSR1"]]);
      for (const stack of GRAPHENE) {
        const ran = pending(stack, call);
        expect([resultOf(ran, name), handled(ran)]).toEqual(["0", []]);
      }
    });
  }

  it("a signal that the mask should keep away ends the wait", () => {
    const keeps = (stack: StackName): Ran =>
      runProgram(stack, [{ poll: { on: "pipe", timeout: "20ms", mask: ["SIGINT"] } }], [at("SIGINT", "9ms")], {
        arrivals: [{ to: "pipe", when: { at: "15ms" } }],
      });
    expect(resultOf(keeps("native-linux"), "poll")).toBe("1");
    expect([resultOf(keeps("graphene-linux"), "poll"), handled(keeps("graphene-linux"))]).toEqual(["0", ["SIGINT"]]);
  });
});

describe("B9: select without descriptors is nanosleep", () => {
  const select = (stack: StackName): Ran => runProgram(stack, [{ select: { timeout: "20ms" } }], [at("SIGINT", "9ms")]);

  it("-EINTR on Linux and on Graphene, where poll would give 0", () => {
    for (const stack of ["native-linux", "graphene-linux", "graphene-sgx"] as const)
      expect(resultOf(select(stack), "select")).toBe("-EINTR");
    expect(select("graphene-linux").rows.some((row) => row.place.flow === "shim_do_nanosleep")).toBe(true);
  });

  it("without a time-out, too, it is -EINVAL", () => {
    expect(resultOf(runProgram("graphene-linux", ["select"]), "select")).toBe("-EINVAL");
  });
});

describe("B10: what calls write besides their result", () => {
  it("old actions and masks come out as on Linux", () => {
    const main = [
      { sigaction: { signal: "SIGINT", handler: "ignore", old: true } },
      { sigaction: { signal: "SIGINT", handler: "default", old: true } },
      { sigaction: { signal: "SIGUSR2", handler: "quick", old: true } },
      sigpending("SIGUSR1"),
      { sigprocmask: { how: "set", signals: [], old: true } },
    ];
    const linux = outputs(runProgram("native-linux", main));
    expect(linux).toEqual([
      [9, 2],
      [9, 1],
      [9, 0],
      [3, 1 << 9],
      [4, 0],
    ]);
    for (const stack of GRAPHENE) expect(outputs(runProgram(stack, main))).toEqual(linux);
  });

  it.each(["native-linux", ...GRAPHENE] as const)("setitimer tells what was set before, on %s", (stack) => {
    const [first = [], interval = [], left = [], before = []] = outputs(
      runProgram(stack, [
        { setitimer: { value: "900ms", interval: "700ms", old: true } },
        { nanosleep: "400ms" },
        { setitimer: { value: 0, old: true } },
      ]),
    );
    expect([first, interval, before]).toEqual([
      [7, 0],
      [8, 0],
      [8, 700e6],
    ]);
    expect(left[0]).toBe(7);
    expect(Math.round((left[1] ?? 0) / 10e6)).toBe(50);
  });

  it("the old mask is stored after the flush of the unlock, under the new mask (N12)", () => {
    const ran = runProgram("graphene-linux", [
      on("SIGUSR1"),
      sigpending("SIGUSR1"),
      { tgkill: { signal: "SIGUSR1" } },
      { sigprocmask: { how: "set", signals: [], old: true } },
    ]);
    const handler = ran.rows.findIndex((row) => row.what === "app.handler.enter");
    const stored = ran.rows.findIndex((row) => row.what === "app.output");
    expect(handler).toBeGreaterThan(0);
    expect(stored).toBeGreaterThan(handler);
  });

  it("sigpending: blocked on Linux, everything in the rings on Graphene", () => {
    const main = [sigpending("SIGUSR1"), { tgkill: { signal: "SIGUSR1" } }, "sigpending"];
    for (const stack of ["native-linux", ...GRAPHENE] as const)
      expect(outputs(runProgram(stack, main))).toEqual([
        [5, 1 << 9],
        [6, 0],
      ]);
  });

  it("getitimer and setitimer of virtual and prof: -ENOSYS", () => {
    for (const which of ["virtual", "prof"]) {
      const main = [{ setitimer: { value: "1s", which } }, { getitimer: { which } }];
      expect(results(runProgram("native-linux", main)).slice(-2)).toEqual(["setitimer 0", "getitimer 0"]);
      for (const stack of GRAPHENE) expect(results(runProgram(stack, main)).slice(-2)).toEqual(["setitimer -ENOSYS", "getitimer -ENOSYS"]);
    }
  });

  it("getitimer after alarm: the alarm's time on Linux; on Graphene what the last setitimer said", () => {
    const main = [{ setitimer: { value: "9s" } }, { alarm: "2s" }, "getitimer"];
    const left = (stack: StackName): number => Math.round((outputs(runProgram(stack, main))[0]?.[1] ?? 0) / 1e9);
    expect(left("native-linux")).toBe(2);
    expect(left("graphene-linux")).toBe(9);
  });

  it("the rest of a sleep", () => {
    const rest = (stack: StackName): number => {
      const ran = runProgram(stack, [{ nanosleep: { for: "20ms", rem: true } }], [at("SIGINT", "9ms")]);
      return Math.round((outputs(ran)[0]?.[1] ?? 0) / 1e6);
    };
    expect([rest("native-linux"), rest("graphene-linux")]).toEqual([11, 11]);
    // Cut off, the PAL call has slept nothing.
    expect(rest("graphene-sgx")).toBe(20);
  });
});

describe("A19, B13: alternate stacks", () => {
  const overflow = (stack: StackName): Ran =>
    runProgram(
      stack,
      [
        { sigaltstack: { bytes: 8192 } },
        on("SIGSEGV", "leaves", { flags: ["SA_ONSTACK"] }),
        { sigsetjmp: { place: "here", do: [{ fault: "stack" }] } },
        "getpid",
      ],
      [],
      { handlers: { leaves: [{ siglongjmp: "here" }] } },
    );

  it("a handler that saves the program on Linux cannot run: the frame does not fit", () => {
    expect(resultOf(overflow("native-linux"), "getpid")).toBe("1");
    const ran = overflow("graphene-linux");
    expect([handled(ran), endOf(ran)]).toEqual([[], "killed"]);
  });

  it("SS_DISABLE with size 0: 0 on Linux, -ENOMEM on Graphene", () => {
    const disable = [{ sigaltstack: { bytes: 0, disable: true } }];
    expect(resultOf(runProgram("native-linux", disable), "sigaltstack")).toBe("0");
    for (const stack of GRAPHENE) expect(resultOf(runProgram(stack, disable), "sigaltstack")).toBe("-ENOMEM");
  });
});

describe("inherited mask and dispositions", () => {
  it("the LibOS does not ask for them: it begins with none", () => {
    const main = [{ sigprocmask: { how: "block", signals: [], old: true } }, { kill: { signal: "SIGHUP" } }, "getpid"];
    const run = (stack: StackName): Ran => runProgram(stack, main, [], { mask: ["SIGUSR1"], ignore: ["SIGHUP"] });
    expect([outputs(run("native-linux"))[0], resultOf(run("native-linux"), "getpid")]).toEqual([[3, 1 << 9], "1"]);
    for (const stack of GRAPHENE) expect([outputs(run(stack))[0], resultOf(run(stack), "getpid")]).toEqual([[3, 0], "never returns"]);
  });
});

describe("process groups (errata-2 B12)", () => {
  it("setsid gives 0 where Linux gives the number; the record is the calling thread's", () => {
    const main = [{ fork: "child" }, { nanosleep: "100ms" }];
    const child = ["setsid", { setpgid: {} }, "setsid", "getpgid"];
    const run = (stack: StackName): string[] => results(runProgram(stack, main, [], { programs: { child: child as never } }), "child");
    expect(run("native-linux")).toEqual(["setsid 2", "setpgid -EPERM", "setsid -EPERM", "getpgid 2"]);
    for (const stack of GRAPHENE) expect(run(stack)).toEqual(["setsid 0", "setpgid 0", "setsid -EPERM", "getpgid 2"]);
  });
});
