/**
 * Processes and threads, row by row of the errata to the reference (A1, A4, ... of the first page, N1, ... of the second): what the base
 * revision does where the reference was wrong or silent.
 */

import { describe, expect, test } from "vitest";
import { STACK_NAMES, signalNumber, WHY } from "../../engine/index.ts";
import { grapheneProcess } from "../support/graphene.ts";
import { endOf, handled, type Ran, resultOf, rowsOf, runScenario } from "../support/run-scenario.ts";
import { all, BOTH, exits, inOrder, LINUX, ms, NATIVE, processEnds, QUICK, run, runFixture, SGX } from "./errata-support.ts";

/** Ends of processes, in order: status the host reports, cause, signal. */
const ends = (ran: Ran): [number, number, number][] => processEnds(ran).map((row) => [row.value, row.extra, row.signal]);
const SIG = (name: string): number => signalNumber(name) ?? 0;
/** Threads that lost a signal. */
const lost = (ran: Ran): string[] => ran.rows.filter((row) => row.what === "libos.signal.lost").map((row) => row.who);

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
    expect(ends(run(scenario, NATIVE))).toEqual([[-SIG("SIGTERM"), WHY.HOST, SIG("SIGTERM")]]);
    for (const stack of BOTH) expect(ends(run(scenario, stack))).toEqual([[0, WHY.LIBOS, SIG("SIGTERM")]]);
  });

  test("nobody is reported dead who is not: a run cut at its limit has no row of an end", () => {
    for (const stack of STACK_NAMES) expect(ends(run({ main: ["pause"], limit: { time: "1ms" } }, stack))).toEqual([]);
  });

  test("the kernel reports the leader's status when threads end one by one, whoever is last", () => {
    const scenario = { main: [{ clone: "b" }, { exit: { status: 5 } }], programs: { b: [{ nanosleep: "1ms" }, { exit: { status: 6 } }] } };
    expect(ends(run(scenario, NATIVE))).toEqual([[5, WHY.EXIT, 0]]);
  });
});

describe("A1: a child's end waits for the parent's lock", () => {
  test.each(BOTH)("%s: block SIGCHLD, fork, sigsuspend: the helper waits for the lock that sigsuspend sleeps with, for ever", (stack) => {
    const ran = runFixture("sigsuspend-chld", stack);
    expect([resultOf(ran, "sigsuspend"), handled(ran), endOf(ran)]).toEqual(["never returns", [], "hang"]);
    const last = rowsOf(ran, { who: "ipc-helper" }).at(-1);
    expect([last?.what, ran.machine.objects[last?.extra ?? -1]?.name]).toEqual(["thread.block", "lock of thread 0"]);
    expect(rowsOf(ran, { where: "thread_exit: append_signal(parent, SIGCHLD" })).toEqual([]);
    // The child's record is locked meanwhile, so a wait for that child would sleep, too.
    expect(grapheneProcess(ran.machine)?.pal.locks["lock of child 2"]).toBeDefined();
    expect(resultOf(runFixture("sigsuspend-chld", NATIVE), "sigsuspend")).toBe("-EINTR");
  });

  test.each(BOTH)(
    "%s: a thread that ends while its creator is in sigsuspend hangs until something without a lock ends the wait",
    (stack) => {
      const ran = runFixture("exit-while-suspended", stack);
      const [gone] = exits(ran).filter((row) => row.who === "b");
      expect(ms(gone)).toBeGreaterThan(1000);
      expect(handled(ran)).toEqual(["SIGALRM"]);
      const [native] = exits(runFixture("exit-while-suspended", NATIVE)).filter((row) => row.who === "b");
      expect(ms(native)).toBeLessThan(2);
    },
  );
});

describe("A4: the IPC helper is there from shim_init on, in every process", () => {
  test.each(BOTH)("%s: before the upcalls but FAILURE are registered, in the child, too (N10)", (stack) => {
    const ran = run({ main: [{ fork: "c" }, "wait4"], programs: { c: ["getpid"] } }, stack);
    expect(ran.threads.filter((t) => t.internal).map((t) => t.name)).toEqual(["ipc-helper", "ipc-helper#2"]);
    inOrder(ran, "main", [
      "shim_init: init_ipc_helper: create_ipc_helper()",
      "shim_init: init_signal: DkSetExceptionHandler(PAL_EVENT_QUIT)",
    ]);
  });

  test("a second SIGINT while the first one's handler runs in the host's frame: the helper takes it, and drops it", () => {
    const ran = runFixture("second-int", LINUX);
    expect(handled(ran)).toEqual(["SIGINT"]);
    expect(lost(ran)).toEqual(["ipc-helper"]);
    // Under SGX the frame has been left before the handler runs.
    expect(handled(runFixture("second-int", SGX))).toEqual(["SIGINT", "SIGINT"]);
    expect(handled(runFixture("second-int", NATIVE))).toEqual(["SIGINT", "SIGINT"]);
  });

  test("first SIGINT at the end of a PAL call: a normal context, so the leader gets the second one", () => {
    const program = {
      main: [{ sigaction: { signal: "SIGINT", handler: "h" } }, { nanosleep: "5ms" }],
      handlers: { h: [{ compute: "3ms" }] },
    };
    const signals = ["1ms", "2ms"].map((time) => ({ signal: "SIGINT", when: { at: time } }));
    expect(handled(run({ ...program, signals }, LINUX))).toEqual(["SIGINT", "SIGINT"]);
  });

  test.each(BOTH)("%s: after main's exit the helper is next in the group and eats SIGINT", (stack) => {
    const scenario = {
      main: [{ clone: "b" }, { nanosleep: "1ms" }, { exit: {} }],
      programs: { b: [{ sigaction: { signal: "SIGINT", handler: "h" } }, { nanosleep: "9ms" }] },
      handlers: QUICK,
      signals: [{ signal: "SIGINT", when: { at: "5ms" } }],
    };
    const ran = run(scenario, stack);
    expect(lost(ran)).toEqual(["ipc-helper"]);
    expect(handled(ran)).toEqual([]);
    expect(handled(run(scenario, NATIVE))).toEqual(["SIGINT"]);
  });

  test("the kernel: a thread that has been woken for one signal and does not run yet is passed over for the next", () => {
    const scenario = {
      main: [
        { sigaction: { signal: "SIGINT", handler: "h" } },
        { sigaction: { signal: "SIGTERM", handler: "h" } },
        { clone: "b" },
        "pause",
      ],
      programs: { b: [{ nanosleep: "5ms" }] },
      handlers: QUICK,
      signals: ["SIGINT", "SIGTERM"].map((signal) => ({ signal, when: { at: "1ms" } })),
    };
    expect(rowsOf(run(scenario, NATIVE), { what: "app.handler.enter" }).map((row) => [row.who, row.signal])).toEqual([
      ["main", 2],
      ["b", 15],
    ]);
  });
});

describe("A6, A8: wait4", () => {
  const oneChild = {
    main: [{ sigaction: { signal: "SIGUSR1", handler: "h" } }, { fork: "child" }, { clone: "sender" }, { wait4: { child: "child" } }],
    programs: { child: [{ nanosleep: "200ms" }], sender: [{ nanosleep: "20ms" }, { tgkill: { thread: "main", signal: "SIGUSR1" } }] },
    handlers: QUICK,
  };

  test.each(BOTH)("%s: wait4(pid), interrupted: its loop takes and releases the child's lock, and the handler runs at once", (stack) => {
    const ran = run(oneChild, stack);
    const [entered] = rowsOf(ran, { what: "app.handler.enter" });
    expect(ms(entered)).toBeGreaterThan(20);
    expect(ms(entered)).toBeLessThan(21);
    expect(resultOf(ran, "wait4")).toBe("2");
  });

  test.each(BOTH)("%s: the lists are per thread and hold threads, too: a thread that has ended is waited for", (stack) => {
    expect(resultOf(runFixture("wait4-thread-tid", stack), "wait4")).toBe("2");
    expect(resultOf(runFixture("wait4-thread-tid", NATIVE), "wait4")).toBe("-ECHILD");
  });

  test.each(BOTH)("%s: a child that another thread forked is none of the caller's: -ECHILD", (stack) => {
    expect(resultOf(runFixture("wait4-other-thread", stack), "wait4", "waiter")).toBe("-ECHILD");
    expect(resultOf(runFixture("wait4-other-thread", NATIVE), "wait4", "waiter")).toBe("2");
  });
});

describe("A7: process groups", () => {
  test.each(BOTH)("%s: kill(0) never leaves the process", (stack) => {
    const parent = runFixture("pgrp-parent", stack);
    expect(rowsOf(parent, { what: "app.handler.enter" }).map((row) => row.who)).toEqual(["main"]);
    const child = runFixture("kill-group-child", stack);
    expect(rowsOf(child, { what: "app.handler.enter" }).map((row) => row.who)).toEqual(["child"]);
    expect(rowsOf(runFixture("pgrp-parent", NATIVE), { what: "app.handler.enter" }).map((row) => row.who)).toEqual(["main", "c"]);
  });
});

describe("A11, A13, N15: alarms", () => {
  test("alarm rounds what is left up; the kernel to the nearest second", () => {
    for (const stack of BOTH) expect(all(runFixture("alarm-left", stack), "alarm")).toEqual(["alarm 0", "alarm 8", "alarm 5"]);
    const third = { main: [{ alarm: "10s" }, { nanosleep: "2700ms" }, { alarm: "0s" }] };
    for (const stack of BOTH) expect(all(run(third, stack), "alarm")).toEqual(["alarm 0", "alarm 8"]);
  });

  test.each(BOTH)(
    "%s: the helper never ends by idleness: a thousand turns a second, and the clock is read only after its pipe",
    (stack) => {
      const ran = runFixture("helper-idle", stack);
      const turns = rowsOf(ran, { where: "shim_async_helper: DkObjectsWaitAny", who: "async-helper" }).length;
      expect(turns).toBeGreaterThan(900);
      expect(rowsOf(ran, { where: "shim_async_helper: latest_time = DkSystemTimeQuery()" }).length).toBeLessThan(4);
    },
  );

  test.each(BOTH)("%s: a run in which only that helper turns, with nothing to do, is over", (stack) => {
    const ran = run({ main: [{ alarm: "0s" }, { read: { from: "p" } }] }, stack);
    expect([ran.run.ending, endOf(ran)]).toEqual(["finished", "hang"]);
  });

  test("N15: malloc comes before the time query, the byte for the helper after the unlock; all of setitimer is under the master lock", () => {
    const ran = run({ main: [{ setitimer: { value: "5ms" } }] }, LINUX);
    inOrder(ran, "main", [
      "shim_do_setitimer: setup_time = DkSystemTimeQuery()",
      "shim_do_setitimer: lock(__master_lock)",
      "install_async_event: malloc(async_event)",
      "install_async_event: time = DkSystemTimeQuery()",
      "install_async_event: lock(async_helper_lock)",
      "install_async_event: create_async_helper()  < if not alive >",
      "install_async_event: unlock(async_helper_lock)",
      "install_async_event: set_event: DkStreamWrite(async_helper_event)",
      "shim_do_setitimer: unlock(__master_lock)",
    ]);
  });
});

describe("A12: the exit status after exit_group with other threads is the one of the thread that ends last", () => {
  test.each(BOTH)("%s: exit_group(3) in a thread, main dies of SIGKILL after it: 0", (stack) => {
    expect(ends(runFixture("unix-accept-note", stack))).toEqual([[0, WHY.EXIT, 0]]);
    expect(ends(runFixture("unix-accept-note", NATIVE))).toEqual([[3, WHY.EXIT, 0]]);
  });
});

describe("A14: tgkill to a thread that has ended", () => {
  test.each(BOTH)("%s: it is on thread_list for ever: 0, and the sender's pal_errno is DENIED", (stack) => {
    const ran = runFixture("tgkill-dead", stack);
    expect(resultOf(ran, "tgkill")).toBe("0");
    expect(rowsOf(ran, { where: "handle_failure: tcb.pal_errno", who: "main" }).map((row) => row.value)).toContain(6);
    expect(resultOf(runFixture("tgkill-dead", NATIVE), "tgkill")).toBe("-ESRCH");
  });
});

describe("A16: clone under SGX, cut off by a host signal", () => {
  const scenario = {
    main: [{ sigaction: { signal: "SIGINT", handler: "h" } }, { clone: "b" }, { nanosleep: "5ms" }],
    programs: { b: ["getpid"] },
    handlers: QUICK,
    signals: [{ signal: "SIGINT", thread: "main", when: { thread: "main", site: "ocall_wake_thread: clone_thread(): return", nth: 2 } }],
  };

  test("no handle: clone returns -PAL_ERRNO, here 0 = 'you are the child'; the new thread waits for an event that nobody sets", () => {
    const ran = run(scenario, SGX);
    expect([resultOf(ran, "clone"), handled(ran)]).toEqual(["0", ["SIGINT"]]);
    expect(rowsOf(ran, { what: "app.call", who: "b" })).toEqual([]);
    expect(rowsOf(ran, { who: "b" }).at(-1)?.where).not.toContain("program b");
  });
});

describe("A17: a failed assertion writes its message, then executes a breakpoint", () => {
  /** A blocked system call in a handler: SIGNAL_DELAYED stays in the counter (w3). */
  const W3 = "w3-delayed-bit";
  const ASSERTS = ["__abort: DkStreamOpen(dev:tty)", '__abort: DkStreamWrite("assert failed ...")', "__abort: int3"];

  test("on Linux it dies by SIGTRAP, under SGX the breakpoint is skipped and the status is 0", () => {
    for (const [stack, end] of [
      [LINUX, [-SIG("SIGTRAP"), WHY.ASSERTION, SIG("SIGTRAP")]],
      [SGX, [0, WHY.ASSERTION, 0]],
    ] as const) {
      const ran = runScenario(W3, stack);
      const places = rowsOf(ran, {}).flatMap((row) => (ASSERTS.includes(row.where) ? [row.where] : []));
      expect(places).toEqual(ASSERTS);
      expect(ends(ran)).toEqual([end]);
    }
  });
});
