/** Small logs of several threads and processes: who made whom, who signalled whom, who waited for whom; and faults and handlers. */

import { describe, expect, test } from "vitest";
import { endOf, handled, resultOf, results, rowsOf, runScenario } from "../support/run-scenario.ts";
import { counter, importLog, type Log } from "../support/strace-log.ts";

const native = (log: Log) => runScenario(log.parsed, "native-linux");
const operations = (log: Log, program = "main"): string[] =>
  (program === "main" ? log.parsed.main : (log.parsed.programs[program] ?? [])).map(({ op }) => op).filter((op) => op !== "compute");

const EXEC = 'execve("./prog", ["./prog"], 0x1 /* 3 vars */) = 0 <0.000100>';
const FORK = "clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x1)";
const THREAD = "clone3({flags=CLONE_VM|CLONE_SIGHAND|CLONE_THREAD, exit_signal=0} => {parent_tid=[6]}, 88)";
const set = (signal: string, flags = "SA_RESTORER") =>
  `rt_sigaction(${signal}, {sa_handler=0x1, sa_mask=[], sa_flags=${flags}, sa_restorer=0x2}, NULL, 8) = 0 <0.000010>`;
const line = (signal: string, code: string, pid: number) =>
  `--- ${signal} {si_signo=${signal}, si_code=${code}, si_pid=${pid}, si_uid=0} ---`;
const child = (pid: number, code = "CLD_EXITED") => line("SIGCHLD", code, pid);
const EINTR = "rt_sigreturn({mask=[]}) = -1 EINTR (Interrupted system call) <0.000010>";
const sigreturn = (value = 0) => `rt_sigreturn({mask=[]}) = ${value} <0.000010>`;

describe("processes", () => {
  test("are forked, end and are waited for; ids are those of the emulated kernel", () => {
    const log = importLog(`
      5 0 ${EXEC}
      5 1 ${FORK} = 106 <0.000100>
      5 2 wait4(-1,  <unfinished ...>
      106 2 getpid() = 106 <0.000010>
      106 50 exit_group(3) = ?
      106 50.2 +++ exited with 3 +++
      5 50.3 <... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 106 <0.048300>
      5 50.4 ${child(106)}
      5 51 wait4(-1, 0x1, WNOHANG, NULL) = -1 ECHILD (No child processes) <0.000010>
      5 52 exit_group(0) = ?
      5 52.1 +++ exited with 0 +++`);
    expect([operations(log), operations(log, "process-106"), log.parsed.signals]).toEqual([
      ["exec", "fork", "wait4", "wait4", "exit-group"],
      ["getpid", "exit-group"],
      [],
    ]);
    const ran = native(log);
    expect(results(ran)).toEqual(["execve 0", "fork 2", "wait4 2", "wait4 -ECHILD"]);
    expect(results(ran, "process-106")).toEqual(["getpid 2"]);
    expect(log.parsed.main.filter(({ op }) => op === "fork" || op === "wait4")).toMatchObject([
      { expect: 2 },
      { expect: 2 },
      { expect: -10 },
    ]);
  });

  test("that the log does not show leave the calls about them opaque", () => {
    const log = importLog(`
      5 0 ${FORK} = 106 <0.000100>
      5 1 wait4(106, NULL, 0, NULL) = 106 <0.100000>
      5 102 ${child(106)}
      5 103 kill(106, SIGTERM) = -1 ESRCH (No such process) <0.000010>`);
    expect(operations(log)).toEqual(["call", "call", "kill"]);
    // Its end is nothing that the scenario causes.
    expect(log.parsed.signals.map(({ signal, when }) => [signal, when])).toEqual([[17, { thread: "main", call: 3, phase: "before" }]]);
  });

  test("with the same id one after the other are kept apart", () => {
    const log = importLog(`
      5 0 ${FORK} = 106 <0.000100>
      106 1 exit_group(1) = ?
      106 1.1 +++ exited with 1 +++
      5 2 wait4(-1, NULL, 0, NULL) = 106 <0.000010>
      5 3 ${FORK} = 106 <0.000100>
      106 4 exit_group(2) = ?
      106 4.1 +++ exited with 2 +++
      5 5 wait4(-1, NULL, 0, NULL) = 106 <0.000010>`);
    expect(Object.keys(log.parsed.programs)).toEqual(["process-106", "process-106-b2"]);
    expect(results(native(log))).toEqual(["fork 2", "wait4 2", "fork 3", "wait4 3"]);
  });

  test("a child's lines may come before its creation is answered", () => {
    const log = importLog(`
      5 0 vfork( <unfinished ...>
      106 1 execve("/bin/true", ["true"], 0x1 /* 0 vars */) = 0 <0.000100>
      5 1.2 <... vfork resumed>) = 106 <0.001200>
      106 2 exit_group(0) = ?
      106 2.1 +++ exited with 0 +++
      5 5 +++ exited with 0 +++`);
    expect(operations(log)).toEqual(["vfork"]);
    expect(counter(log, "note.unknown-parent")).toBe(0);
  });

  test("that borrow the caller's memory: vfork, and the clone of posix_spawn", () => {
    const log = importLog(`
      5 0 clone(child_stack=0x7f, flags=CLONE_VM|CLONE_VFORK|SIGCHLD <unfinished ...>
      106 1 execve("/bin/true", ["true"], 0x1 /* 0 vars */) = 0 <0.000100>
      5 1.2 <... clone resumed>) = 106 <0.001200>
      106 2 exit_group(3) = ?
      106 2.1 +++ exited with 3 +++
      5 2.2 wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 106 <0.000010>
      5 5 +++ exited with 0 +++`);
    expect(operations(log)).toEqual(["posix-spawn", "wait4"]);
    expect(results(native(log))).toEqual(["posix_spawn 2", "wait4 2"]);
  });

  test("whose beginning is not in the log begin with it: as threads, unless they act as processes", () => {
    const log = importLog(`
      5 0 futex(0x1, FUTEX_WAIT_PRIVATE, 0, NULL) = 0 <0.010000>
      6 1 read(0, "x", 1) = 1 <0.001000>
      7 2 execve("./other", ["./other"], 0x1 /* 0 vars */) = 0 <0.000100>
      7 2.9 exit_group(0) = ?
      7 3 +++ exited with 0 +++
      5 19.9 exit_group(0) = ?
      6 20 +++ exited with 0 +++
      5 20 +++ exited with 0 +++`);
    expect([operations(log), counter(log, "note.unknown-parent")]).toEqual([["clone", "fork", "futex-wait", "exit-group"], 2]);
    expect(native(log).threads.map(({ name, pid }) => [name, pid])).toEqual([
      ["main", 1],
      ["thread-6", 1],
      ["process-7", 3],
    ]);
  });

  test("of threads that ran before the log began the one with the lowest id is the first", () => {
    const log = importLog(`
      7 0 read(0, "x", 1) = 1 <0.001000>
      6 1 close(0) = 0 <0.000010>
      5 2 exit_group(0) = ?
      5 2.1 +++ exited with 0 +++`);
    expect([operations(log), Object.keys(log.parsed.programs).sort()]).toEqual([
      ["clone", "clone", "exit-group"],
      ["thread-6", "thread-7"],
    ]);
  });

  test("execve in a thread: it goes on under the process's id", () => {
    const log = importLog(`
      5 0 ${THREAD} = 6 <0.000100>
      5 1 pause( <unfinished ...>
      6 2 execve("./other", ["./other"], 0x1 /* 0 vars */ <unfinished ...>
      5 3 <... pause resumed>) = ?
      5 3 +++ superseded by execve in pid 6 +++
      5 3.1 <... execve resumed>) = 0 <0.001100>
      5 4 close(3) = 0 <0.000010>
      5 5 exit_group(0) = ?
      5 5.1 +++ exited with 0 +++`);
    expect([operations(log), operations(log, "thread-6")]).toEqual([
      ["clone", "pause"],
      ["exec", "call", "exit-group"],
    ]);
    expect(endOf(native(log))).toBe("exit");
  });
});

describe("signals of the scenario's own", () => {
  test("kill, tgkill and a child's end are not planned besides", () => {
    const log = importLog(`
      5 0 ${set("SIGUSR1")}
      5 0.1 ${set("SIGCHLD")}
      5 1 ${FORK} = 106 <0.000100>
      5 2 pause( <unfinished ...>
      106 10 kill(5, SIGUSR1) = 0 <0.000020>
      5 10.1 <... pause resumed>) = ? ERESTARTNOHAND (To be restarted if no handler) <0.008100>
      5 10.2 ${line("SIGUSR1", "SI_USER", 106)}
      5 10.3 ${EINTR}
      5 11 pause( <unfinished ...>
      106 30 exit_group(0) = ?
      106 30.1 +++ exited with 0 +++
      5 30.2 <... pause resumed>) = ? ERESTARTNOHAND (To be restarted if no handler) <0.019200>
      5 30.3 ${child(106)}
      5 30.4 ${EINTR}
      5 31 tgkill(5, 5, SIGUSR1) = 0 <0.000010>
      5 31.1 ${line("SIGUSR1", "SI_TKILL", 5)}
      5 31.2 ${sigreturn()}
      5 32 exit_group(0) = ?
      5 32.1 +++ exited with 0 +++`);
    expect(log.parsed.signals).toEqual([]);
    const ran = native(log);
    expect(handled(ran)).toEqual(["SIGUSR1", "SIGCHLD", "SIGUSR1"]);
    expect(results(ran)).toEqual(["sigaction 0", "sigaction 0", "fork 2", "pause -EINTR", "pause -EINTR", "tgkill 0"]);
  });

  test("alarm and setitimer", () => {
    const ring = "--- SIGALRM {si_signo=SIGALRM, si_code=SI_KERNEL} ---";
    const log = importLog(`
      5 0 ${set("SIGALRM")}
      5 1 alarm(1) = 0 <0.000010>
      5 2 clock_nanosleep(CLOCK_REALTIME, 0, {tv_sec=5, tv_nsec=0}, 0x1) = ? ERESTART_RESTARTBLOCK (Interrupted by signal) <0.999100>
      5 1001.2 ${ring}
      5 1001.3 ${EINTR}
      5 1002 setitimer(ITIMER_REAL, {it_interval={tv_sec=0, tv_usec=0}, it_value={tv_sec=0, tv_usec=50000}}, NULL) = 0 <0.000010>
      5 1003 read(0, 0x1, 1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set) <0.049100>
      5 1052.1 ${ring}
      5 1052.2 ${EINTR}
      5 1053 setitimer(ITIMER_PROF, {it_interval={tv_sec=0, tv_usec=0}, it_value={tv_sec=0, tv_usec=50000}}, NULL) = 0 <0.000010>`);
    expect(log.parsed.signals).toEqual([]);
    expect(operations(log)).toEqual(["sigaction", "alarm", "clock-nanosleep", "setitimer", "read", "setitimer"]);
    expect(results(native(log)).filter((result) => result.endsWith("EINTR"))).toEqual(["clock_nanosleep -EINTR", "read -EINTR"]);
    expect(resultOf(runScenario(log.parsed, "graphene-linux"), "read")).toBe("never returns");
  });

  test("a signal for a group reaches several processes of many", () => {
    const log = importLog(`
      5 0 ${FORK} = 106 <0.000100>
      5 1 ${FORK} = 107 <0.000100>
      106 2 setpgid(0, 0) = 0 <0.000010>
      107 3 setpgid(0, 106) = 0 <0.000010>
      106 4 pause( <unfinished ...>
      107 5 pause( <unfinished ...>
      5 10 kill(-106, SIGTERM) = 0 <0.000010>
      106 10.1 <... pause resumed>) = ? ERESTARTNOHAND (To be restarted if no handler) <0.006100>
      106 10.2 ${line("SIGTERM", "SI_USER", 5)}
      107 10.3 <... pause resumed>) = ? ERESTARTNOHAND (To be restarted if no handler) <0.005300>
      107 10.4 ${line("SIGTERM", "SI_USER", 5)}
      106 10.5 +++ killed by SIGTERM +++
      107 10.6 +++ killed by SIGTERM +++
      5 20 exit_group(0) = ?
      5 20.1 +++ exited with 0 +++`);
    expect(log.parsed.signals).toEqual([]);
    const ends = rowsOf(native(log), { what: "process.exit" }).map(({ who, value }) => [who, value]);
    expect(ends).toEqual([
      ["process-106", -15],
      ["process-107", -15],
      ["main", 0],
    ]);
  });

  test("SIGKILL has no line: it is planned once for a process", () => {
    const log = importLog(`
      5 0 ${THREAD} = 6 <0.000100>
      5 1 pause( <unfinished ...>
      6 2 read(0,  <unfinished ...>
      6 10 <... read resumed>) = ?
      5 10.1 <... pause resumed>) = ?
      6 10.2 +++ killed by SIGKILL +++
      5 10.3 +++ killed by SIGKILL +++`);
    expect(log.parsed.signals).toEqual([{ signal: 9, process: "main", when: { thread: "thread-6", call: 1, phase: "blocked" } }]);
    expect(endOf(native(log))).toBe("killed");
  });
});

describe("handlers and dispositions", () => {
  test("a fault is an instruction; its handler leaves by siglongjmp or comes back", () => {
    const fault = "--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x8} ---";
    const end = "5 9 exit_group(0) = ?\n5 9.1 +++ exited with 0 +++";
    const jumps = importLog(`5 0 ${set("SIGSEGV")}\n5 1 ${fault}\n5 2 rt_sigprocmask(SIG_SETMASK, [], NULL, 8) = 0 <0.000010>\n${end}`);
    const returns = importLog(`5 0 ${set("SIGSEGV")}\n5 1 ${fault}\n5 2 ${sigreturn()}\n${end}`);
    for (const log of [jumps, returns]) {
      expect(log.parsed.signals).toEqual([]);
      const ran = native(log);
      expect([handled(ran), endOf(ran), rowsOf(ran, { what: "app.fault" })[0]?.extra]).toEqual([["SIGSEGV"], "exit", 8]);
    }
    const dies = importLog(`5 0 ${EXEC}\n5 1 ${fault}\n5 2 +++ killed by SIGSEGV (core dumped) +++`);
    expect([dies.parsed.signals, endOf(native(dies))]).toEqual([[], "killed"]);
  });

  test("runs that made other calls are told apart", () => {
    const run = (ms: number, call: string) =>
      `5 ${ms} ${line("SIGINT", "SI_USER", 9)}\n5 ${ms + 1} ${call} <0.000010>\n5 ${ms + 2} ${sigreturn()}\n`;
    const log = importLog(`5 0 ${set("SIGINT")}
      ${run(10, "getpid() = 5")}${run(20, "sched_yield() = 0")}${run(30, "getpid() = 5")}
      5 40 close(3) = 0 <0.000010>`);
    const { handlers } = log.parsed;
    expect(handlers["on-SIGINT"]).toEqual([
      {
        op: "by-run",
        threads: { main: { as: ["on-SIGINT-b2", "on-SIGINT-b3", "on-SIGINT-b2"], ends: [12e6, 22e6, 32e6] } },
        otherwise: "on-SIGINT-b2",
      },
    ]);
    expect(handlers["on-SIGINT-b2"]?.map(({ op }) => op)).toEqual(["compute", "getpid", "compute"]);
    expect(handlers["on-SIGINT-b3"]?.map(({ op }) => op)).toEqual(["compute", "yield", "compute"]);
    const ran = native(log);
    expect(handled(ran)).toEqual(["SIGINT", "SIGINT", "SIGINT"]);
    expect(results(ran).slice(1)).toEqual(["getpid 1", "sched_yield 0", "getpid 1", "call 0"]);
  });

  test("set before the log began are set at its start", () => {
    const log = importLog(`
      5 0 read(0, 0x1, 64) = ? ERESTARTSYS (To be restarted if SA_RESTART is set) <0.010000>
      5 11 ${line("SIGUSR1", "SI_USER", 9)}
      5 12 ${EINTR}
      5 13 close(3) = 0 <0.000010>
      5 14 ${line("SIGUSR2", "SI_USER", 9)}
      5 15 close(4) = 0 <0.000010>`);
    expect(operations(log)).toEqual(["sigaction", "sigaction", "read", "call", "call"]);
    expect(counter(log, "note.assumed-action")).toBe(2);
    expect(results(native(log)).slice(2)).toEqual(["read -EINTR", "call 0", "call 0"]);
  });

  test("execve drops handlers and keeps what is ignored", () => {
    const log = importLog(`
      5 0 ${set("SIGINT")}
      5 1 rt_sigaction(SIGTERM, {sa_handler=SIG_IGN, sa_mask=[], sa_flags=0}, NULL, 8) = 0 <0.000010>
      5 2 ${EXEC}
      5 3 pause() = ? ERESTARTNOHAND (To be restarted if no handler) <0.010000>
      5 14 ${line("SIGTERM", "SI_USER", 9)}
      5 15 pause( <unfinished ...>
      5 25 <... pause resumed>) = ? ERESTARTNOHAND (To be restarted if no handler) <0.010000>
      5 26 ${line("SIGINT", "SI_USER", 9)}
      5 27 +++ killed by SIGINT +++`);
    expect([operations(log), counter(log, "note.assumed-action")]).toEqual([["sigaction", "sigaction", "exec", "pause"], 0]);
    const ran = native(log);
    expect([handled(ran), endOf(ran)]).toEqual([[], "killed"]);
  });

  test("flags, masks and masks of threads", () => {
    const log = importLog(`
      5 0 rt_sigaction(SIGCHLD, {sa_handler=0x1, sa_mask=[INT RT_1], sa_flags=SA_RESTORER|SA_RESTART|SA_NOCLDSTOP, sa_restorer=0x2}, NULL, 8) = 0
      5 1 rt_sigprocmask(SIG_SETMASK, ~[RTMIN RT_1], [], 8) = 0 <0.000010>
      5 2 rt_sigprocmask(SIG_BLOCK, NULL, ~[RTMIN RT_1], 8) = 0 <0.000010>
      5 3 rt_sigaction(SIGINT, NULL, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, 8) = 0 <0.000010>
      5 4 sigaltstack({ss_sp=0x1, ss_flags=0, ss_size=8192}, NULL) = 0 <0.000010>`);
    expect(log.parsed.main.filter(({ op }) => op !== "compute")).toMatchObject([
      { op: "sigaction", signal: 17, handler: "on-SIGCHLD", flags: ["SA_RESTART", "SA_NOCLDSTOP"], mask: [2, 33] },
      { op: "sigprocmask", how: "set" },
      { op: "sigprocmask", how: "block", signals: [] },
      { op: "sigaction", signal: 2, handler: "none", old: true },
      { op: "sigaltstack", bytes: 8192 },
    ]);
  });

  test("stops of job control are counted; the call goes on", () => {
    const log = importLog(`
      5 0 ${EXEC}
      5 1 read(0, 0x1, 64) = ? ERESTARTSYS (To be restarted if SA_RESTART is set) <0.010000>
      5 12 ${line("SIGTSTP", "SI_KERNEL", 0)}
      5 13 --- stopped by SIGTSTP ---
      5 50 ${line("SIGCONT", "SI_USER", 9)}
      5 51 read(0, "x", 64) = 1 <0.005000>
      5 60 +++ exited with 0 +++`);
    expect([operations(log), counter(log, "stop")]).toEqual([["exec", "read"], 2]);
    expect([resultOf(native(log), "read"), endOf(native(log))]).toEqual(["1", "exit"]);
  });
});
