/**
 * Small logs of calls that a library OS answers otherwise than Linux: each is an operation that the stacks answer by themselves, so that a
 * run on native-linux tells what the log says, and one on Gramine what Gramine would say.
 */

import { describe, expect, test } from "vitest";
import { handled, results, rowsOf, runScenario } from "../support/run-scenario.ts";
import { importLog, type Log } from "../support/strace-log.ts";

const FORK = "clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x1)";
const THREAD = "clone3({flags=CLONE_VM|CLONE_SIGHAND|CLONE_THREAD, exit_signal=0} => {parent_tid=[6]}, 88)";
const ECHILD = "-1 ECHILD (No child processes) <0.000010>";
const act = (signal: string, handler: string, flags = "SA_RESTORER") =>
  `rt_sigaction(${signal}, {sa_handler=${handler}, sa_mask=[], sa_flags=${flags}, sa_restorer=0x2}, NULL, 8) = 0 <0.000010>`;
const told = (signal: string, code: string, pid: number) =>
  `--- ${signal} {si_signo=${signal}, si_code=${code}, si_pid=${pid}, si_uid=0} ---`;
const sigreturn = (value = "0") => `rt_sigreturn({mask=[]}) = ${value} <0.000010>`;

/** Results of a thread's calls, in order. */
const said = (log: Log, stack: "native-linux" | "gramine-linux", who = "main"): string[] => results(runScenario(log.parsed, stack), who);
/** Operations that were kept as they are. */
const opaque = (log: Log): string[] =>
  [log.parsed.main, ...Object.values(log.parsed.programs)].flat().flatMap((item) => (item.op === "call" ? [item.name] : []));

describe("children that leave no zombie", () => {
  const TWO = `5 1 ${FORK} = 106 <0.000100>\n5 2 ${FORK} = 107 <0.000100>`;
  const FIRST = "106 20 exit_group(3) = ?\n106 20.1 +++ exited with 3 +++";
  const SECOND = "107 40 exit_group(4) = ?\n107 40.1 +++ exited with 4 +++";
  const END = `
    5 41 wait4(-1, 0x7ffc, 0, NULL) = ${ECHILD}
    5 42 wait4(-1, 0x7ffc, WNOHANG, NULL) = ${ECHILD}`;

  /** Milliseconds at which the first wait came back. */
  const waited = (log: Log): number =>
    Math.round(
      (rowsOf(runScenario(log.parsed, "native-linux"), { what: "app.return" }).find(({ where }) => where.startsWith("libc wait4"))?.time ??
        0) / 1e6,
    );

  test("SIGCHLD ignored: a wait lasts until the last one has ended, and finds nobody; Gramine finds them", () => {
    const log = importLog(`
      5 0 ${act("SIGCHLD", "SIG_IGN")}
      ${TWO}
      5 3 wait4(-1, 0x7ffc, 0, NULL <unfinished ...>
      ${FIRST}
      ${SECOND}
      5 40.2 <... wait4 resumed>) = ${ECHILD}
      ${END}`);
    expect(opaque(log)).toEqual([]);
    expect(said(log, "native-linux").slice(-3)).toEqual(["wait4 -ECHILD", "wait4 -ECHILD", "wait4 -ECHILD"]);
    expect(waited(log)).toBe(40);
    expect(said(log, "gramine-linux").slice(-3)).toEqual(["wait4 2", "wait4 3", "wait4 -ECHILD"]);
  });

  test("SA_NOCLDWAIT with a handler: the same, and the handler runs for each", () => {
    const log = importLog(`
      5 0 ${act("SIGCHLD", "0x401", "SA_RESTORER|SA_RESTART|SA_NOCLDWAIT")}
      ${TWO}
      5 3 wait4(-1, 0x7ffc, 0, NULL <unfinished ...>
      ${FIRST}
      5 20.2 <... wait4 resumed>) = ? ERESTARTSYS (To be restarted if SA_RESTART is set) <0.017200>
      5 20.3 ${told("SIGCHLD", "CLD_EXITED", 106)}
      5 20.4 ${sigreturn("61")}
      5 20.5 wait4(-1, 0x7ffc, 0, NULL <unfinished ...>
      ${SECOND}
      5 40.2 <... wait4 resumed>) = ${ECHILD}
      5 40.3 ${told("SIGCHLD", "CLD_EXITED", 107)}
      5 40.4 ${sigreturn("-1 ECHILD (No child processes)")}
      ${END}`);
    expect([opaque(log), log.parsed.signals]).toEqual([[], []]);
    expect(said(log, "native-linux").slice(-3)).toEqual(["wait4 -ECHILD", "wait4 -ECHILD", "wait4 -ECHILD"]);
    expect([waited(log), handled(runScenario(log.parsed, "native-linux"))]).toEqual([40, ["SIGCHLD", "SIGCHLD"]]);
    expect(said(log, "gramine-linux").slice(-3)).toEqual(["wait4 2", "wait4 3", "wait4 -ECHILD"]);
  });

  test("a wait for one of them lasts until that one has ended", () => {
    const log = importLog(`
      5 0 ${act("SIGCHLD", "SIG_IGN")}
      ${TWO}
      5 3 wait4(106, 0x7ffc, 0, NULL <unfinished ...>
      ${FIRST}
      5 20.2 <... wait4 resumed>) = ${ECHILD}
      5 100 wait4(107, 0x7ffc, WNOHANG, NULL) = 0 <0.000010>
      5 101 wait4(106, 0x7ffc, 0, NULL) = ${ECHILD}
      107 500 exit_group(4) = ?
      107 500.1 +++ exited with 4 +++
      5 600 wait4(107, 0x7ffc, WNOHANG, NULL) = ${ECHILD}`);
    expect(opaque(log)).toEqual([]);
    expect(said(log, "native-linux").slice(-4)).toEqual(["wait4 -ECHILD", "wait4 0", "wait4 -ECHILD", "wait4 -ECHILD"]);
    expect(waited(log)).toBe(20);
    expect(said(log, "gramine-linux").slice(-4)).toEqual(["wait4 2", "wait4 0", "wait4 -ECHILD", "wait4 3"]);
  });

  test("waitid, too", () => {
    const log = importLog(`
      5 0 ${act("SIGCHLD", "SIG_IGN")}
      ${TWO}
      5 3 waitid(P_ALL, 0, 0x7ffc, WEXITED, NULL <unfinished ...>
      ${FIRST}
      ${SECOND}
      5 40.2 <... waitid resumed>) = ${ECHILD}
      5 41 waitid(P_PID, 107, 0x7ffc, WNOHANG|WEXITED, NULL) = ${ECHILD}`);
    expect(opaque(log)).toEqual([]);
    expect(said(log, "native-linux").slice(-2)).toEqual(["waitid -ECHILD", "waitid -ECHILD"]);
    expect(said(log, "gramine-linux").slice(-2)).toEqual(["waitid 0", "waitid 0"]);
  });

  test("what ended before SIGCHLD was ignored is a zombie all the same", () => {
    const log = importLog(`
      5 1 ${FORK} = 106 <0.000100>
      106 2 exit_group(3) = ?
      106 2.1 +++ exited with 3 +++
      5 2.2 ${told("SIGCHLD", "CLD_EXITED", 106)}
      5 3 ${act("SIGCHLD", "SIG_IGN")}
      5 4 wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 106 <0.000010>
      5 5 wait4(106, 0x7ffc, 0, NULL) = ${ECHILD}`);
    expect(said(log, "native-linux")).toEqual(["fork 2", "sigaction 0", "wait4 2", "wait4 -ECHILD"]);
    expect(said(log, "gramine-linux")).toEqual(["fork 2", "sigaction 0", "wait4 2", "wait4 -ECHILD"]);
  });
});

describe("interval timers", () => {
  test.each([
    ["ITIMER_REAL", "0", "0"],
    ["ITIMER_VIRTUAL", "-ENOSYS", "-ENOSYS"],
    ["ITIMER_PROF", "-ENOSYS", "-ENOSYS"],
  ])("%s is set and asked", (which, set, asked) => {
    const log = importLog(`
      5 0 setitimer(${which}, {it_interval={tv_sec=0, tv_usec=0}, it_value={tv_sec=9, tv_usec=0}}, NULL) = 0 <0.000010>
      5 1 getitimer(${which}, {it_interval={tv_sec=0, tv_usec=0}, it_value={tv_sec=8, tv_usec=999000}}) = 0 <0.000010>`);
    expect(said(log, "native-linux")).toEqual(["setitimer 0", "getitimer 0"]);
    expect(said(log, "gramine-linux")).toEqual([`setitimer ${set}`, `getitimer ${asked}`]);
  });

  test("a timer of the processor's time signals on Linux alone: Gramine has none", () => {
    const log = importLog(`
      5 0 ${act("SIGPROF", "0x401")}
      5 1 setitimer(ITIMER_PROF, {it_interval={tv_sec=0, tv_usec=10000}, it_value={tv_sec=0, tv_usec=10000}}, NULL) = 0 <0.000010>
      5 11 --- SIGPROF {si_signo=SIGPROF, si_code=SI_KERNEL} ---
      5 11.1 ${sigreturn()}
      5 21 --- SIGPROF {si_signo=SIGPROF, si_code=SI_KERNEL} ---
      5 21.1 ${sigreturn()}
      5 30 exit_group(0) = ?
      5 30.1 +++ exited with 0 +++`);
    expect(handled(runScenario(log.parsed, "native-linux"))).toEqual(["SIGPROF", "SIGPROF"]);
    const inside = runScenario(log.parsed, "gramine-linux");
    expect([handled(inside), rowsOf(inside, { what: "process.exit" }).map(({ value }) => value)]).toEqual([[], [0]]);
  });

  test("a time that a question has no room for is asked for by nobody", () => {
    const log = importLog("5 0 getitimer(ITIMER_REAL, 0x1) = -1 EFAULT (Bad address) <0.000010>");
    expect(opaque(log)).toEqual(["getitimer"]);
  });
});

describe("process groups", () => {
  const COMMON = `
    5 0 ${act("SIGUSR1", "0x401")}
    5 1 ${FORK} = 106 <0.000100>
    106 2 setpgid(0, 0) = 0 <0.000010>
    106 3 ${FORK} = 107 <0.000100>`;

  test("a signal for the own group of two of three processes", () => {
    const log = importLog(`${COMMON}
      107 4 pause( <unfinished ...>
      106 10 kill(0, SIGUSR1) = 0 <0.000010>
      106 10.1 ${told("SIGUSR1", "SI_USER", 106)}
      106 10.2 ${sigreturn()}
      107 10.1 <... pause resumed>) = ? ERESTARTNOHAND (To be restarted if no handler) <0.006100>
      107 10.2 ${told("SIGUSR1", "SI_USER", 106)}
      107 10.3 ${sigreturn("-1 EINTR (Interrupted system call)")}
      5 5 nanosleep({tv_sec=0, tv_nsec=20000000}, NULL) = 0 <0.020100>`);
    expect([opaque(log), log.parsed.signals]).toEqual([[], []]);
    expect(handled(runScenario(log.parsed, "native-linux")).length).toBe(2);
    expect(said(log, "native-linux", "process-107")).toEqual(["pause -EINTR"]);
    // Nobody else hears of the group (B27).
    const inside = runScenario(log.parsed, "gramine-linux");
    expect([handled(inside, "process-106"), handled(inside, "process-107")]).toEqual([["SIGUSR1"], []]);
  });

  test("one for the group that a child leads, and for one that there is not", () => {
    const log = importLog(`${COMMON}
      106 4 nanosleep({tv_sec=0, tv_nsec=200000000},  <unfinished ...>
      107 4 pause( <unfinished ...>
      5 10 kill(-106, SIGUSR1) = 0 <0.000010>
      106 10.1 <... nanosleep resumed>{tv_sec=0, tv_nsec=194000000}) = ? ERESTART_RESTARTBLOCK (Interrupted by signal) <0.006100>
      106 10.2 ${told("SIGUSR1", "SI_USER", 5)}
      106 10.3 ${sigreturn("-1 EINTR (Interrupted system call)")}
      107 10.1 <... pause resumed>) = ? ERESTARTNOHAND (To be restarted if no handler) <0.006100>
      107 10.2 ${told("SIGUSR1", "SI_USER", 5)}
      107 10.3 ${sigreturn("-1 EINTR (Interrupted system call)")}
      5 20 kill(-4242, SIGUSR1) = -1 ESRCH (No such process) <0.000010>
      5 21 kill(-106, 0) = 0 <0.000010>`);
    expect([opaque(log), log.parsed.signals]).toEqual([[], []]);
    expect(said(log, "native-linux").slice(-3)).toEqual(["kill 0", "kill -ESRCH", "kill 0"]);
    expect(said(log, "native-linux", "process-106").slice(-1)).toEqual(["nanosleep -EINTR"]);
    expect(said(log, "gramine-linux").slice(-3)).toEqual(["kill -ENOSYS", "kill -ENOSYS", "kill -ENOSYS"]);
  });

  test("a shell's job: the parent puts its child into a group of its own, and its second child into the first one's", () => {
    const log = importLog(`
      5 1 ${FORK} = 106 <0.000100>
      5 2 setpgid(106, 106) = 0 <0.000010>
      5 3 ${FORK} = 107 <0.000100>
      5 4 setpgid(107, 106) = 0 <0.000010>
      106 4 pause( <unfinished ...>
      107 5 pause( <unfinished ...>
      5 10 kill(-106, SIGTERM) = 0 <0.000010>
      106 10.1 <... pause resumed>) = ? ERESTARTNOHAND (To be restarted if no handler) <0.006100>
      106 10.2 ${told("SIGTERM", "SI_USER", 5)}
      106 10.3 +++ killed by SIGTERM +++
      107 10.1 <... pause resumed>) = ? ERESTARTNOHAND (To be restarted if no handler) <0.006100>
      107 10.2 ${told("SIGTERM", "SI_USER", 5)}
      107 10.3 +++ killed by SIGTERM +++
      5 11 wait4(-1, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGTERM}], 0, NULL) = 106 <0.000010>
      5 12 wait4(-1, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGTERM}], 0, NULL) = 107 <0.000010>`);
    expect([opaque(log), log.parsed.signals]).toEqual([[], []]);
    expect(said(log, "native-linux")).toEqual(["fork 2", "setpgid 0", "fork 3", "setpgid 0", "kill 0", "wait4 2", "wait4 3"]);
    // Of others Gramine knows no group: the children go on waiting, and so does the parent.
    expect(said(log, "gramine-linux")).toEqual(["fork 2", "setpgid -ESRCH", "fork 3", "setpgid -ESRCH", "kill -ENOSYS"]);
  });

  test("a session of its own", () => {
    const log = importLog(`
      5 1 ${FORK} = 106 <0.000100>
      106 2 setsid() = 106 <0.000010>
      106 3 kill(0, SIGTERM) = 0 <0.000010>
      106 3.1 ${told("SIGTERM", "SI_USER", 106)}
      106 3.2 +++ killed by SIGTERM +++
      5 4 wait4(106, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGTERM}], 0, NULL) = 106 <0.000010>
      5 5 exit_group(0) = ?
      5 5.1 +++ exited with 0 +++`);
    expect(said(log, "native-linux")).toEqual(["fork 2", "wait4 2"]);
    expect(said(log, "native-linux", "process-106")).toEqual(["setsid 2"]);
  });
});

describe("who is asked for and not there any more", () => {
  test("a child that has ended and was not waited for, and one that was", () => {
    const log = importLog(`
      5 1 ${FORK} = 106 <0.000100>
      106 2 exit_group(3) = ?
      106 2.1 +++ exited with 3 +++
      5 2.2 ${told("SIGCHLD", "CLD_EXITED", 106)}
      5 3 kill(106, SIGTERM) = 0 <0.000010>
      5 4 kill(106, 0) = 0 <0.000010>
      5 5 wait4(106, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 106 <0.000010>
      5 6 kill(106, SIGTERM) = -1 ESRCH (No such process) <0.000010>`);
    expect(opaque(log)).toEqual([]);
    expect(said(log, "native-linux")).toEqual(["fork 2", "kill 0", "kill 0", "wait4 2", "kill -ESRCH"]);
    expect(said(log, "gramine-linux")).toEqual(["fork 2", "kill 0", "kill 0", "wait4 2", "kill -ESRCH"]);
  });

  test("a value is sent with it; a library OS sends nothing", () => {
    const log = importLog(`
      5 0 ${act("SIGUSR1", "0x401")}
      5 1 rt_sigprocmask(SIG_BLOCK, [USR2], [], 8) = 0 <0.000010>
      5 2 rt_sigqueueinfo(5, SIGUSR2, {si_signo=SIGUSR2, si_code=SI_QUEUE, si_pid=5, si_uid=0, si_int=7, si_ptr=0x7}) = 0 <0.000010>
      5 3 rt_sigtimedwait([USR2], {si_signo=SIGUSR2, si_code=SI_QUEUE, si_pid=5, si_uid=0, si_int=7, si_ptr=0x7}, NULL, 8) = 12 (SIGUSR2) <0.000010>
      5 4 rt_tgsigqueueinfo(5, 5, SIGUSR1, {si_signo=SIGUSR1, si_code=SI_QUEUE, si_pid=5, si_uid=0, si_int=9, si_ptr=0x9}) = 0 <0.000010>
      5 4.1 --- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_QUEUE, si_pid=5, si_uid=0, si_int=9, si_ptr=0x9} ---
      5 4.2 ${sigreturn()}
      5 5 exit_group(0) = ?`);
    expect([opaque(log), log.parsed.signals]).toEqual([[], []]);
    expect(said(log, "native-linux").slice(1)).toEqual(["sigprocmask 0", "rt_sigqueueinfo 0", "rt_sigtimedwait 12", "rt_sigqueueinfo 0"]);
    expect(handled(runScenario(log.parsed, "native-linux"))).toHaveLength(1);
    expect(said(log, "gramine-linux")).toContain("rt_sigqueueinfo -ENOSYS");
    expect(handled(runScenario(log.parsed, "gramine-linux"))).toEqual([]);
  });

  test("the first thread has left: Linux knows it until the process ends, Gramine does not", () => {
    const log = importLog(`
      5 0 ${act("SIGUSR1", "0x401")}
      5 1 ${THREAD} = 6 <0.000100>
      5 2 exit(0) = ?
      6 10 tgkill(5, 5, SIGUSR1) = 0 <0.000010>
      6 11 tgkill(5, 5, SIGTERM) = 0 <0.000010>
      6 12 tgkill(5, 7, 0) = -1 ESRCH (No such process) <0.000010>
      6 13 exit_group(9) = ?
      6 13.1 +++ exited with 9 +++
      5 13.2 +++ exited with 9 +++`);
    expect([opaque(log), log.parsed.signals]).toEqual([[], []]);
    expect(said(log, "native-linux", "thread-6")).toEqual(["tgkill 0", "tgkill 0", "tgkill -ESRCH"]);
    expect(said(log, "gramine-linux", "thread-6")).toEqual(["tgkill -ESRCH", "tgkill -ESRCH", "tgkill -ESRCH"]);
    for (const stack of ["native-linux", "gramine-linux"] as const)
      expect(rowsOf(runScenario(log.parsed, stack), { what: "process.exit" }).map(({ value }) => value)).toEqual([9]);
  });
});

describe("a wait under a mask that lets in what the thread keeps out", () => {
  const WAIT = "epoll_pwait(4,  <unfinished ...>";
  const resumed = (end: string, value: string) => `<... epoll_pwait resumed>${end}, 4, 1000, [], 8) = ${value} <0.020000>`;

  test("is answered though the signal came: it stays pending, as files are looked at first", () => {
    const log = importLog(`
      5 0 ${act("SIGUSR1", "0x401")}
      5 1 rt_sigprocmask(SIG_BLOCK, [USR1], [], 8) = 0 <0.000010>
      5 2 ${FORK} = 106 <0.000100>
      5 3 ${WAIT}
      106 22.8 kill(5, SIGUSR1) = 0 <0.000010>
      106 22.9 exit_group(0) = ?
      106 22.95 +++ exited with 0 +++
      5 23 ${resumed("[{events=EPOLLIN, data={u32=0, u64=0}}]", "1")}
      5 24 rt_sigpending([USR1], 8) = 0 <0.000010>
      5 25 rt_sigtimedwait([USR1], NULL, {tv_sec=0, tv_nsec=0}, 8) = 10 (SIGUSR1) <0.000010>
      5 26 exit_group(0) = ?`);
    const run = runScenario(log.parsed, "native-linux");
    expect(handled(run)).toEqual([]);
    expect(results(run, "main").slice(3)).toEqual(["epoll_wait 1", "sigpending 0", "rt_sigtimedwait 10"]);
  });

  test("is ended by it: -EINTR after the handler", () => {
    const log = importLog(`
      5 0 ${act("SIGUSR1", "0x401")}
      5 1 rt_sigprocmask(SIG_BLOCK, [USR1], [], 8) = 0 <0.000010>
      5 2 ${FORK} = 106 <0.000100>
      5 3 ${WAIT}
      106 22.8 kill(5, SIGUSR1) = 0 <0.000010>
      106 24.9 exit_group(0) = ?
      106 24.95 +++ exited with 0 +++
      5 23 ${resumed("0x7ffc", "-1 EINTR (Interrupted system call)")}
      5 23.1 ${told("SIGUSR1", "SI_USER", 106)}
      5 23.2 ${sigreturn("-1 EINTR (Interrupted system call)")}
      5 26 exit_group(0) = ?`);
    const run = runScenario(log.parsed, "native-linux");
    expect(handled(run)).toHaveLength(1);
    expect(results(run, "main").slice(3)).toEqual(["epoll_wait -EINTR"]);
  });
});
