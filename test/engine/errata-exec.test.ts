/**
 * Row B11 of the errata, execve: with other threads a new host process runs the program, under SGX always; the old one stays, and with it
 * whoever asks for it (sys/shim_exec.c).
 */

import { describe, expect, test } from "vitest";
import { count, endOf, handled, type Ran, resultOf, results, rowsOf } from "../support/run-scenario.ts";
import { BOTH, exits, inOrder, LINUX, ms, NATIVE, processEnds, QUICK, run, SGX } from "./errata-support.ts";

const STACKS = [NATIVE, ...BOTH] as const;
const CHLD = { sigaction: { signal: "SIGCHLD", handler: "h" } };
const USR1 = { sigaction: { signal: "SIGUSR1", handler: "h" } };
const statuses = (ran: Ran): number[] => rowsOf(ran, { what: "app.output" }).flatMap((row) => (row.extra === 1 ? [row.value] : []));
const ends = (ran: Ran): unknown[] => processEnds(ran).map((row) => [row.who, row.value]);

describe("B11: execve of the only thread", () => {
  const alone = { main: ["getpid", { exec: { takes: "300us" } }, "getpid", { exit: { status: 5 } }] };

  test("on the Linux PAL the program is loaded in place", () => {
    const ran = run(alone, LINUX);
    inOrder(ran, "main", [
      "shim_do_execve: check_last_thread: unlock(thread_list_lock)",
      "shim_do_execve_rtld: populate_tls: DkSegmentRegister(FS)",
      "shim_do_execve_rtld: execute_elf_object: __enable_preempt",
      "libc execve: back in the application",
    ]);
    expect([count(ran, "process.start"), ends(ran)]).toEqual([1, [["main", 5]]]);
  });

  test("under SGX a new process runs it, and the old one ends behind it, with 0: that is the status of the run", () => {
    const ran = run(alone, SGX);
    inOrder(ran, "main before exec", [
      "shim_do_execve: do_migrate_process: DkProcessCreate()",
      "shim_do_execve: DkStreamRead(newproc_response): wait for the child",
      "shim_do_execve: the stream to the child is a port, KEEPALIVE",
      "try_process_exit: thread_exit(cur_thread, true)",
      "thread.exit",
    ]);
    inOrder(ran, "main", [
      "shim_do_execve: execve() in a new process",
      "process.start",
      "shim_init: tell the parent: DkStreamWrite(newproc_response)",
      "libc execve: back in the application",
    ]);
    expect(results(ran, "main")).toEqual(["getpid 1", "execve 0", "getpid 1"]);
    expect(ends(ran)).toEqual([
      ["main", 5],
      ["ipc-helper", 0],
    ]);
  });

  test.each(BOTH)("C40, %s: dispositions and the mask are kept", (stack) => {
    const main = [USR1, { sigprocmask: { how: "block", signals: ["SIGUSR2"] } }, "exec", { tgkill: { signal: "SIGUSR1" } }];
    const ran = run({ main: [...main, { sigprocmask: { how: "block", signals: [], old: true } }], handlers: QUICK }, stack);
    expect([handled(ran, "main"), endOf(ran)]).toEqual([["SIGUSR1"], "exit"]);
    const [low] = rowsOf(ran, { what: "app.mask" });
    expect(low?.value).toBe(1 << 11);
  });

  test("native-linux: a handler is gone after it", () => {
    expect(endOf(run({ main: [USR1, "exec", { tgkill: { signal: "SIGUSR1" } }], handlers: QUICK }, NATIVE))).toBe("killed");
  });

  test("under SGX a signal from outside goes to the old process, where only the helper is left: the program never sees it", () => {
    const scenario = {
      main: [
        { sigaction: { signal: "SIGINT", handler: "h" } },
        { sigaction: { signal: "SIGINT", handler: "h" } },
        "exec",
        { sigaction: { signal: "SIGINT", handler: "h" } },
        { nanosleep: "20ms" },
      ],
      handlers: QUICK,
      signals: [{ signal: "SIGINT", process: "main", when: { at: "10ms" } }],
    };
    expect(STACKS.map((stack) => handled(run(scenario, stack)))).toEqual([["SIGINT"], ["SIGINT"], []]);
  });

  test("under SGX an alarm stays with the old process, whose helper ends: it never rings", () => {
    const main = [
      { sigaction: { signal: "SIGALRM", handler: "h" } },
      { alarm: "1s" },
      "exec",
      { sigaction: { signal: "SIGALRM", handler: "h" } },
      { nanosleep: "2s" },
    ];
    expect(STACKS.map((stack) => handled(run({ main, handlers: QUICK }, stack)))).toEqual([["SIGALRM"], ["SIGALRM"], []]);
  });
});

describe("B11: the parent of one that calls execve", () => {
  const parent = (child: unknown[], more: Record<string, unknown> = {}) => ({
    main: [CHLD, { fork: "c" }, "wait4"],
    programs: { c: child },
    handlers: QUICK,
    ...more,
  });

  test("SIGCHLD and wait4 as of any child; under SGX the status comes through the old process, its sign turned once too often", () => {
    const scenario = parent(["exec", { nanosleep: "5ms" }, { exit: { status: 3 } }]);
    const seen = STACKS.map((stack) => {
      const ran = run(scenario, stack);
      return [resultOf(ran, "wait4"), handled(ran, "main"), statuses(ran)];
    });
    expect(seen).toEqual([
      ["2", ["SIGCHLD"], [3 << 8]],
      ["2", ["SIGCHLD"], [3 << 8]],
      ["2", ["SIGCHLD"], [253 << 8]],
    ]);
  });

  test("under SGX the old process's helper is told first, and passes it on", () => {
    const ran = run(parent(["exec", { exit: { status: 3 } }]), SGX);
    inOrder(ran, "ipc-helper#2", [
      "shim_ipc_helper: ipc_thread_exit",
      "thread_exit: no parent in this process?",
      "ipc_cld_exit_send: broadcast_ipc(IPC_CLD_EXIT)",
      "shim_clean: DkProcessExit(cur_process.exit_code)",
    ]);
    inOrder(ran, "ipc-helper", [
      "thread_exit: append_signal(parent, SIGCHLD, wakeup = true)",
      "thread_exit: DkEventSet(parent->child_exit_event)",
    ]);
  });

  test("under SGX kill of the child finds the new process", () => {
    const kill = [CHLD, { fork: "c" }, { nanosleep: "9ms" }, { kill: { process: "c", signal: "SIGUSR1" } }, { wait4: { child: "c" } }];
    const ran = run({ ...parent([USR1, "exec", USR1, { nanosleep: "20ms" }]), main: kill }, SGX);
    expect([resultOf(ran, "kill"), handled(ran, "c"), resultOf(ran, "wait4")]).toEqual(["0", ["SIGUSR1"], "2"]);
  });

  test("under SGX the kill of the new process by the host comes through as SIGKILL and 104, turned", () => {
    const ran = run(
      { ...parent([USR1, "exec", { nanosleep: "1s" }]), signals: [{ signal: "SIGUSR2", thread: "c", when: { at: "20ms" } }] },
      SGX,
    );
    expect([statuses(ran), handled(ran, "main")]).toEqual([[9 | ((256 - 104) << 8)], ["SIGCHLD"]]);
  });
});

describe("B11: execve with other threads", () => {
  const threads = (more: Record<string, unknown> = {}) => ({
    main: [{ clone: "b" }, { exec: { takes: "300us" } }, "getpid", { nanosleep: "30ms" }, { exit: { status: 4 } }],
    programs: { b: [{ nanosleep: "20ms" }, "getpid"] },
    ...more,
  });

  test("native-linux: the others end", () => {
    const ran = run(threads(), NATIVE);
    expect([results(ran, "main"), results(ran, "b"), ends(ran)]).toEqual([
      ["clone 2", "execve 0", "getpid 1", "nanosleep 0"],
      [],
      [["main", 4]],
    ]);
  });

  test.each(BOTH)("%s: a new process runs the program; the others live on, and execve returns to the old one, which gives up", (stack) => {
    const ran = run(threads(), stack);
    expect([results(ran, "main"), results(ran, "main before exec")]).toEqual([
      ["clone 2", "execve 0", "getpid 1", "nanosleep 0"],
      ["execve 0"],
    ]);
    inOrder(ran, "main before exec", [
      "try_process_exit: another local thread is alive: return 0 to execve",
      "shim_do_execve: other threads are alive: 0",
      "libc execve: back in the application",
      "behind execve: execve came back: _exit(127)",
    ]);
    expect(ends(ran)[0]).toEqual(["main", 4]);
  });

  test.each(BOTH)("%s: of a thread that calls it its creator is the parent: SIGCHLD, and its tid from wait4", (stack) => {
    const main = [CHLD, { clone: "b" }, { sigprocmask: { how: "block", signals: ["SIGKILL"] } }, "wait4"];
    const ran = run({ main, programs: { b: ["exec", { exit: { status: 3 } }] }, handlers: QUICK, limit: { time: "1s" } }, stack);
    expect([resultOf(ran, "wait4"), handled(ran, "main"), statuses(ran)]).toEqual(["2", ["SIGCHLD"], [3 << 8]]);
  });
});

describe("B11: signals while execve makes its process", () => {
  const scenario = (at: string, more: unknown[]) => ({
    main: [{ sigaction: { signal: "SIGINT", handler: "h" } }, ...more, "exec", "getpid"],
    programs: { b: [{ nanosleep: "20ms" }] },
    handlers: QUICK,
    signals: [{ signal: "SIGINT", process: "main", when: { at } }],
  });

  test("on Linux the wait for the new process ends with EINTR: execve fails, and the new process in its start", () => {
    const ran = run(scenario("160us", [{ clone: "b" }]), LINUX);
    expect([results(ran, "main before exec"), handled(ran, "main before exec"), results(ran, "main")]).toEqual([
      ["execve -EINTR"],
      ["SIGINT"],
      ["sigaction 0", "clone 2"],
    ]);
    inOrder(ran, "main before exec", ["shim_do_execve: in_vm := true", "behind execve: execve came back: _exit(127)"]);
  });

  test("under SGX with the stale error of the memory channel", () => {
    const ran = run(scenario("160us", []), SGX);
    expect([results(ran, "main before exec"), handled(ran)]).toEqual([["execve -ENOSYS"], ["SIGINT"]]);
    expect(exits(ran).map((row) => row.who)).toContain("main");
    expect(ms(processEnds(ran)[0])).toBeGreaterThan(0);
  });
});

describe("a log's first execve is what started the program", () => {
  test.each(BOTH)("%s: no call of the LibOS's: no new process", (stack) => {
    const ran = run({ main: [{ exec: { loader: true } }, "getpid"] }, stack);
    expect([results(ran), count(ran, "process.start")]).toEqual([["execve 0", "getpid 1"], 1]);
  });
});
