/** Small logs written by hand: what each becomes, and what a native run of it gives. */

import { describe, expect, test } from "vitest";
import { logLines } from "../../engine/index.ts";
import { endOf, handled, resultOf, results, rowsOf, runScenario } from "../support/run-scenario.ts";
import { counter, importLog, importText, type Log, logOf } from "../support/strace-log.ts";

const native = (log: Log) => runScenario(log.parsed, "native-linux");
/** Operations of a program by name, computation left out. */
const operations = (log: Log, program = "main"): string[] =>
  (program === "main" ? log.parsed.main : (log.parsed.programs[program] ?? [])).map(({ op }) => op).filter((op) => op !== "compute");
const operation = (log: Log, op: string, program = "main") =>
  (program === "main" ? log.parsed.main : (log.parsed.programs[program] ?? [])).find((one) => one.op === op);
const plans = (log: Log) =>
  log.parsed.signals.map(({ signal, thread, process, when }) => ({ signal, ...(thread ? { thread } : { process }), when }));

const ON_INT = "rt_sigaction(SIGINT, {sa_handler=0x1, sa_mask=[], sa_flags=SA_RESTORER, sa_restorer=0x2}, NULL, 8) = 0 <0.000010>";
const ON_USR1 =
  "rt_sigaction(SIGUSR1, {sa_handler=0x3, sa_mask=[], sa_flags=SA_RESTORER|SA_RESTART, sa_restorer=0x2}, NULL, 8) = 0 <0.000010>";
const EXEC = 'execve("./prog", ["./prog"], 0x1 /* 3 vars */) = 0 <0.000100>';
const RESTARTSYS = "? ERESTARTSYS (To be restarted if SA_RESTART is set)";
const outside = (signal: string) => `--- ${signal} {si_signo=${signal}, si_code=SI_USER, si_pid=9, si_uid=0} ---`;
const EINTR = "rt_sigreturn({mask=[]}) = -1 EINTR (Interrupted system call) <0.000010>";
const sigreturn = (value = 0) => `rt_sigreturn({mask=[]}) = ${value} <0.000010>`;

describe("calls and time", () => {
  test("become operations and computation; what is not emulated stays opaque, with its duration and result", () => {
    const log = importLog(`
      5 0 ${EXEC}
      5 1 openat(AT_FDCWD, "x", O_RDONLY) = 3 <0.000200>
      5 2 read(3, "abc", 3) = 3 <0.000500>
      5 3 write(1, "abc", 3) = -1 EBADF (Bad file descriptor) <0.000020>
      5 4 exit_group(7) = ?
      5 4.1 +++ exited with 7 +++`);
    expect(operations(log)).toEqual(["exec", "call", "read", "write", "exit-group"]);
    expect(operation(log, "call")).toEqual({ op: "call", line: 2, name: "openat", takes: 200_000, result: 3, expect: 3 });
    expect(operation(log, "read")).toEqual({ op: "read", line: 3, about: "on fd 3", bytes: 3, takes: 500_000, result: 3, expect: 3 });
    expect(operation(log, "exit-group")).toEqual({ op: "exit-group", line: 5, status: 7 });
    expect([counter(log, "emulated"), counter(log, "opaque.openat"), log.threads, log.lines]).toEqual([5, 1, 1, 6]);
    const ran = native(log);
    expect(results(ran)).toEqual(["execve 0", "call 3", "read 3", "call -EBADF"]);
    expect(logLines(log.parsed).get("program main")).toEqual([null, 1, null, 2, null, 3, null, 4, null, 5]);
    expect(endOf(ran)).toBe("exit");
    expect(log.scenario.title).toBe("prog, from a strace log");
    // The run takes as long as the log, but for the microseconds of the kernel's own way.
    const lastNs = ran.rows.at(-1)?.time ?? 0;
    expect(Math.abs(lastNs - 4_100_000)).toBeLessThan(10_000);
  });

  test("in two lines each, between those of another thread", () => {
    const log = importLog(`
      5 0 clone(child_stack=0x1, flags=CLONE_VM|CLONE_THREAD) = 6 <0.000050>
      5 1 read(3,  <unfinished ...>
      6 2 futex(0x1, FUTEX_WAKE_PRIVATE, 1) = 1 <0.000010>
      5 3 <... read resumed>"x", 1) = 1 <0.002000>
      6 4 exit(0) = ?
      6 4.1 +++ exited with 0 +++
      5 5 +++ exited with 0 +++`);
    expect(operations(log)).toEqual(["clone", "read"]);
    expect(operation(log, "read")).toMatchObject({ takes: 2_000_000, result: 1 });
    expect(operations(log, "thread-6")).toEqual(["call", "exit"]);
    expect(native(log).threads.map(({ name }) => name)).toEqual(["main", "thread-6"]);
  });

  test("without -T a call lasts until the thread's next line", () => {
    const log = importLog("5 0 read(0, 1) = 1\n5 2 close(0) = 0");
    expect(operation(log, "read")).toMatchObject({ takes: 2_000_000 });
    expect(counter(log, "note.no-duration")).toBe(2);
  });

  test("time of day, over midnight, and the form of the terminal", () => {
    const log = importLog(`
      23:59:59.900000 close(1) = 0 <0.000010>
      00:00:00.100000 clone(child_stack=0, flags=SIGCHLD) = 6 <0.000010>
      strace: Process 6 attached
      [pid     6] 00:00:00.200000 close(2) = 0 <0.000010>
      [pid     5] 00:00:00.300000 close(3) = 0 <0.000010>
      [pid     6] 00:00:00.400000 +++ exited with 0 +++
      00:00:00.500000 close(4) = 0 <0.000010>
      00:00:00.600000 +++ exited with 0 +++`);
    expect([operations(log), operations(log, "process-6")]).toEqual([["call", "fork", "call", "call"], ["call"]]);
    expect(native(log).machine.now).toBeGreaterThan(690_000_000);
    expect(counter(log, "attached")).toBe(1);
  });

  test("a clock that steps back is counted", () => {
    const log = importLog("5 10 close(1) = 0 <0.000010>\n5 5 close(2) = 0 <0.000010>");
    expect(counter(log, "note.clock-stepped-back")).toBe(1);
    expect(operations(log)).toEqual(["call", "call"]);
  });

  test("lines of others, cut lines and stray ends are counted, not fatal", () => {
    const log = importText(
      logOf("5 0 <... read resumed>) = 1 <0.1>\nwarning: something\n5 1 close(1) = 0 <0.000010>\n\n5 2 rea").trimEnd(),
    );
    expect(log.counters.map(({ name, count }) => [name, count])).toEqual([
      ["strace.empty", 1],
      ["strace.foreign", 1],
      ["strace.note.no-end", 1],
      ["strace.opaque.close", 1],
      ["strace.stray", 1],
      ["strace.truncated", 1],
    ]);
  });
});

describe("a signal from outside", () => {
  test("ends the call that it ended in the log", () => {
    const log = importLog(`
      5 0 ${ON_INT}
      5 1 read(0, 0x1, 64) = ${RESTARTSYS} <2.000000>
      5 2001 ${outside("SIGINT")}
      5 2002 write(1, "x", 1) = 1 <0.000010>
      5 2003 ${EINTR}
      5 2004 exit_group(0) = ?
      5 2005 +++ exited with 0 +++`);
    expect(operation(log, "read")).toMatchObject({ takes: Number.MAX_SAFE_INTEGER, expect: -4 });
    expect(plans(log)).toEqual([{ signal: 2, process: "main", when: { thread: "main", call: 2, phase: "blocked" } }]);
    const ran = native(log);
    expect(results(ran)).toEqual(["sigaction 0", "write 1", "read -EINTR"]);
    expect(rowsOf(ran, { what: "app.handler.enter" })[0]?.time).toBeGreaterThan(2e9);
  });

  test("leaves a call to be made again with SA_RESTART: one call, one handler, the result in the end", () => {
    const log = importLog(`
      5 0 ${ON_USR1}
      5 1 read(0, 0x1, 64) = ${RESTARTSYS} <0.100000>
      5 101 ${outside("SIGUSR1")}
      5 102 ${sigreturn()}
      5 103 read(0, "abc", 64) = 3 <0.050000>
      5 160 +++ exited with 0 +++`);
    expect(operations(log)).toEqual(["sigaction", "read"]);
    const ran = native(log);
    expect([results(ran), handled(ran)]).toEqual([["sigaction 0", "read 3"], ["SIGUSR1"]]);
    // 100 ms before the signal and 50 ms after it.
    expect(rowsOf(ran, { what: "app.return" }).at(-1)?.time).toBeGreaterThan(150_000_000);
  });

  test("that is ignored leaves no trace in the result", () => {
    const log = importLog(`
      5 0 ${EXEC}
      5 1 nanosleep({tv_sec=0, tv_nsec=50000000}, NULL) = ? ERESTART_RESTARTBLOCK (Interrupted by signal) <0.010000>
      5 12 --- SIGWINCH {si_signo=SIGWINCH, si_code=SI_KERNEL} ---
      5 12.1 restart_syscall(<... resuming interrupted nanosleep ...>) = 0 <0.040000>
      5 60 +++ exited with 0 +++`);
    expect(operation(log, "nanosleep")).toMatchObject({ for: 51_100_000, expect: 0 });
    expect(plans(log)).toEqual([{ signal: 28, process: "main", when: { thread: "main", call: 2, phase: "blocked" } }]);
    expect(resultOf(native(log), "nanosleep")).toBe("0");
  });

  test("between two calls comes before the next; a second of its kind while the handler runs", () => {
    const log = importLog(`
      5 0 ${ON_INT}
      5 1 ${outside("SIGINT")}
      5 2 ${sigreturn()}
      5 3 ${outside("SIGINT")}
      5 4 ${sigreturn()}
      5 5 read(0, "a", 1) = 1 <0.001000>
      5 9 +++ exited with 0 +++`);
    expect(plans(log).map(({ when }) => when)).toEqual([
      { thread: "main", call: 2, phase: "before" },
      { thread: "main", handler: 2, nth: 1 },
    ]);
    const ran = native(log);
    expect([handled(ran), resultOf(ran, "read")]).toEqual([["SIGINT", "SIGINT"], "1"]);
  });

  test("in a call after another that did not end it", () => {
    const log = importLog(`
      5 0 ${ON_USR1}
      5 0.1 ${ON_INT}
      5 1 read(0, 0x1, 64) = ${RESTARTSYS} <0.100000>
      5 101 ${outside("SIGUSR1")}
      5 102 ${sigreturn()}
      5 103 read(0, 0x1, 64) = ${RESTARTSYS} <0.100000>
      5 204 ${outside("SIGINT")}
      5 205 ${EINTR}
      5 206 +++ exited with 0 +++`);
    const ran = native(log);
    expect([handled(ran), resultOf(ran, "read")]).toEqual([["SIGUSR1", "SIGINT"], "-EINTR"]);
  });

  test("in a handler", () => {
    const log = importLog(`
      5 0 ${ON_USR1}
      5 0.1 ${ON_INT}
      5 1 read(0, 0x1, 64) = ${RESTARTSYS} <0.100000>
      5 101 ${outside("SIGINT")}
      5 102 getpid() = 5 <0.000010>
      5 103 ${outside("SIGUSR1")}
      5 104 ${sigreturn(39)}
      5 105 ${EINTR}
      5 106 +++ exited with 0 +++`);
    expect(plans(log).map(({ when }) => when)).toContainEqual({ thread: "main", handler: 2, nth: 1, call: 1, phase: "blocked" });
    const ran = native(log);
    expect([handled(ran), results(ran)]).toEqual([
      ["SIGINT", "SIGUSR1"],
      ["sigaction 0", "sigaction 0", "getpid 1", "read -EINTR"],
    ]);
  });

  test("for a thread that is not the first goes to that thread", () => {
    const log = importLog(`
      5 0 clone(child_stack=0x1, flags=CLONE_VM|CLONE_THREAD) = 6 <0.000050>
      5 1 ${ON_INT}
      6 2 pause() = ? ERESTARTNOHAND (To be restarted if no handler) <0.010000>
      6 13 --- SIGINT {si_signo=SIGINT, si_code=SI_TKILL, si_pid=99, si_uid=0} ---
      6 14 ${EINTR}
      6 15 exit(0) = ?
      6 15.1 +++ exited with 0 +++
      5 20 +++ exited with 0 +++`);
    expect(plans(log)).toEqual([{ signal: 2, thread: "thread-6", when: { thread: "thread-6", call: 1, phase: "blocked" } }]);
    expect(results(native(log), "thread-6")).toEqual(["pause -EINTR"]);
  });

  test("after the last call comes as that returns, or at its time when that was long ago", () => {
    const killed = (ms: number) =>
      importLog(`5 0 ${EXEC}\n5 1 close(0) = 0 <0.000100>\n5 ${ms} ${outside("SIGTERM")}\n5 ${ms} +++ killed by SIGTERM +++`);
    expect(plans(killed(2))).toEqual([{ signal: 15, process: "main", when: { thread: "main", call: 2, phase: "blocked" } }]);
    expect(plans(killed(900))).toEqual([{ signal: 15, process: "main", when: { at: 900_000_000 } }]);
    expect(counter(killed(900), "note.outside-untimed")).toBe(1);
    for (const log of [killed(2), killed(900)]) {
      const ran = native(log);
      expect([endOf(ran), results(ran)]).toEqual(["killed", ["execve 0", "call 0"]]);
    }
  });
});

describe("calls that signals end in ways of their own", () => {
  test("epoll_wait answers EINTR itself", () => {
    const log = importLog(`
      5 0 ${ON_USR1}
      5 1 epoll_wait(3, 0x1, 8, 100) = -1 EINTR (Interrupted system call) <0.020000>
      5 22 ${outside("SIGUSR1")}
      5 23 ${EINTR}
      5 24 epoll_wait(3, [], 8, 100) = 0 <0.100000>
      5 130 +++ exited with 0 +++`);
    expect(plans(log).map(({ when }) => when)).toEqual([{ thread: "main", call: 2, phase: "blocked" }]);
    expect(results(native(log))).toEqual(["sigaction 0", "epoll_wait -EINTR", "epoll_wait 0"]);
  });

  test("EINTR without a signal line is taken as an answer", () => {
    const log = importLog(
      "5 0 connect(3, {sa_family=AF_UNIX}, 16) = -1 EINTR (Interrupted system call) <0.010000>\n5 20 close(3) = 0 <0.000010>",
    );
    expect(results(native(log))).toEqual(["call -EINTR", "call 0"]);
  });

  test("ppoll waits under the mask that it is given", () => {
    const log = importLog(`
      5 0 ${ON_INT}
      5 1 rt_sigprocmask(SIG_BLOCK, [INT], [], 8) = 0 <0.000010>
      5 2 ppoll([], 0, {tv_sec=2, tv_nsec=0}, [], 8) = ? ERESTARTNOHAND (To be restarted if no handler) <0.010000>
      5 13 ${outside("SIGINT")}
      5 14 rt_sigreturn({mask=[INT]}) = -1 EINTR (Interrupted system call) <0.000010>
      5 15 +++ exited with 0 +++`);
    // It has waited 10 ms of its two seconds when the signal comes, as soon as the emulated one waits.
    expect(operation(log, "poll")).toMatchObject({ op: "poll", line: 3, mask: [], timeout: 1.99e9, expect: -4 });
    expect(counter(log, "approximated.ppoll")).toBe(0);
    expect(results(native(log))).toEqual(["sigaction 0", "sigprocmask 0", "poll -EINTR"]);
  });

  test("a call that SA_RESTART does not restart is kept as poll, which it does not restart either", () => {
    const log = importLog(`
      5 0 ${ON_USR1}
      5 1 recvfrom(3, 0x1, 8, 0, NULL, NULL) = ${RESTARTSYS} <0.010000>
      5 12 ${outside("SIGUSR1")}
      5 13 ${EINTR}
      5 14 +++ exited with 0 +++`);
    expect(counter(log, "approximated.recvfrom")).toBe(1);
    expect(results(native(log))).toEqual(["sigaction 0", "poll -EINTR"]);
  });

  test("siglongjmp leaves it for good", () => {
    const log = importLog(`
      5 0 ${ON_INT}
      5 1 read(0, 0x1, 64) = ${RESTARTSYS} <0.010000>
      5 12 ${outside("SIGINT")}
      5 13 getpid() = 5 <0.000010>
      5 14 rt_sigprocmask(SIG_SETMASK, [], NULL, 8) = 0 <0.000010>
      5 15 close(3) = 0 <0.000010>
      5 16 exit_group(0) = ?
      5 17 +++ exited with 0 +++`);
    const ran = native(log);
    expect(rowsOf(ran, { what: "app.handler.longjmp" })).toHaveLength(1);
    expect([resultOf(ran, "getpid"), resultOf(ran, "call"), endOf(ran)]).toEqual(["1", "0", "exit"]);
    expect(resultOf(ran, "read")).toBe("never returns");
  });
});

test("calls with odd arguments: no restorer, a set of another size, no mask", () => {
  const log = importLog(`
    5 0 ${ON_INT}
    5 1 rt_sigaction(SIGUSR2, {sa_handler=0x3, sa_mask=[], sa_flags=0}, NULL, 8) = 0 <0.000010>
    5 2 rt_sigprocmask(SIG_UNBLOCK, 0x7ffe, NULL, 4) = -1 EINVAL (Invalid argument) <0.000010>
    5 3 rt_sigsuspend(NULL, 8) = -1 EFAULT (Bad address) <0.000010>
    5 4 kill(5, SIGUSR2) = 0 <0.000010>
    5 4.001 +++ killed by SIGSEGV +++`);
  expect(operations(log)).toEqual(["sigaction", "sigaction", "sigprocmask", "sigsuspend", "kill"]);
  expect(operation(log, "sigprocmask")).toMatchObject({ size: 4, expect: -22 });
  expect(operation(log, "sigsuspend")).toMatchObject({ nomask: true, expect: -14 });
  expect(log.parsed.main.filter(({ op }) => op === "sigaction").map((op) => "norestorer" in op && op.norestorer)).toEqual([false, true]);
  const ran = native(log);
  expect(results(ran)).toEqual(["sigaction 0", "sigaction 0", "sigprocmask -EINVAL", "sigsuspend -EFAULT"]);
  expect([handled(ran), endOf(ran)]).toEqual([[], "killed"]);
});
