/** Signals that a program causes itself: no library OS gets them from its host, whatever the log's kernel did. */

import { describe, expect, test } from "vitest";
import { handled, results, runScenario } from "../support/run-scenario.ts";
import { counter, importLog, type Log } from "../support/strace-log.ts";

const FORK = "clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x1)";
const THREAD = "clone3({flags=CLONE_VM|CLONE_SIGHAND|CLONE_THREAD, exit_signal=0} => {parent_tid=[6]}, 88)";
const act = (signal: string) =>
  `rt_sigaction(${signal}, {sa_handler=0x401, sa_mask=[], sa_flags=SA_RESTORER|SA_SIGINFO}, NULL, 8) = 0 <0.000010>`;
const SIGRETURN = "rt_sigreturn({mask=[]}) = 0 <0.000010>";
const STACKS = ["native-linux", "graphene-linux", "graphene-sgx", "gramine-linux"] as const;

/** Signals handled by each stack of STACKS. */
const handledOn = (log: Log): string[] => STACKS.map((stack) => handled(runScenario(log.parsed, stack)).join(" "));
const ofCall = (log: Log, call: string): string[] =>
  STACKS.map((stack) =>
    results(runScenario(log.parsed, stack), "main")
      .filter((result) => result.startsWith(call))
      .join(", "),
  );

describe("sigqueue", () => {
  const info = (signal: string, value: number) =>
    `{si_signo=${signal}, si_code=SI_QUEUE, si_pid=5, si_uid=0, si_int=${value}, si_ptr=0x${value}}`;

  test("a library OS does not have it: no handler runs there", () => {
    const log = importLog(`
      5 0 ${act("SIGRT_2")}
      5 1 rt_sigqueueinfo(5, SIGRT_2, ${info("SIGRT_2", 7)}) = 0 <0.000010>
      5 2 --- SIGRT_2 ${info("SIGRT_2", 7)} ---
      5 3 ${SIGRETURN}
      5 4 rt_tgsigqueueinfo(5, 5, SIGRT_2, ${info("SIGRT_2", 8)}) = 0 <0.000010>
      5 5 --- SIGRT_2 ${info("SIGRT_2", 8)} ---
      5 6 ${SIGRETURN}`);
    expect(log.parsed.signals).toEqual([]);
    expect(handledOn(log)).toEqual(["SIGRT2 SIGRT2", "", "", ""]);
    expect(ofCall(log, "rt_sigqueueinfo")[3]).toBe("rt_sigqueueinfo -ENOSYS, rt_sigqueueinfo -ENOSYS");
  });
});

describe("tgkill", () => {
  test("reaches a thread of another process", () => {
    const log = importLog(`
      5 0 ${act("SIGUSR1")}
      5 1 ${FORK} = 106 <0.000100>
      5 2 nanosleep({tv_sec=1, tv_nsec=0}, NULL <unfinished ...>
      106 40 tgkill(5, 5, SIGUSR1) = 0 <0.000010>
      5 40.1 <... nanosleep resumed>) = ? ERESTART_RESTARTBLOCK (Interrupted by signal) <0.038000>
      5 40.2 --- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_TKILL, si_pid=106, si_uid=0} ---
      5 40.3 rt_sigreturn({mask=[]}) = -1 EINTR (Interrupted system call) <0.000010>
      106 60 exit_group(0) = ?
      106 60.1 +++ exited with 0 +++`);
    expect(log.parsed.signals).toEqual([]);
    expect(handledOn(log)).toEqual(["SIGUSR1", "SIGUSR1", "SIGUSR1", "SIGUSR1"]);
  });
});

describe("what is not emulated", () => {
  test.each([
    ["SIGIO", "si_code=SI_KERNEL"],
    ["SIGIO", "si_code=POLL_IN, si_band=1"],
    ["SIGRT_2", "si_code=0x1, si_pid=65, si_uid=0, si_int=3"],
    ["SIGXCPU", "si_code=SI_KERNEL"],
    ["SIGUSR2", "si_code=SI_MESGQ, si_pid=5, si_uid=0"],
    ["SIGUSR1", "si_code=SI_USER, si_pid=5, si_uid=0"],
  ])("%s with %s comes on Linux alone", (signal, info) => {
    const log = importLog(`
      5 0 ${act(signal)}
      5 1 getuid() = 0 <0.000010>
      5 2 --- ${signal} {si_signo=${signal}, ${info}} ---
      5 3 ${SIGRETURN}
      5 4 exit_group(0) = ?
      5 4.1 +++ exited with 0 +++`);
    expect(handledOn(log).map((text) => text !== "")).toEqual([true, false, false, false]);
    expect(counter(log, "note.own-doing")).toBe(1);
  });

  test("Ctrl-C and another program's kill come from outside", () => {
    const log = importLog(`
      5 0 ${act("SIGINT")}
      5 1 getuid() = 0 <0.000010>
      5 2 --- SIGINT {si_signo=SIGINT, si_code=SI_KERNEL} ---
      5 3 ${SIGRETURN}
      5 4 --- SIGINT {si_signo=SIGINT, si_code=SI_USER, si_pid=77, si_uid=0} ---
      5 5 ${SIGRETURN}
      5 6 exit_group(0) = ?`);
    expect(log.parsed.signals.map(({ stacks }) => stacks)).toEqual([undefined, undefined]);
    expect(counter(log, "note.own-doing")).toBe(0);
  });

  test("a timer's signal for another thread is that thread's: nobody else dies of it", () => {
    const log = importLog(`
      5 0 ${THREAD} = 6 <0.000100>
      5 1 timer_create(CLOCK_MONOTONIC, {sigev_signo=SIGRTMIN, sigev_notify=SIGEV_THREAD_ID, sigev_notify_thread_id=6}, [0]) = 0 <0.000010>
      6 2 rt_sigtimedwait([RTMIN], <unfinished ...>
      5 3 timer_settime(0, 0, {it_interval={tv_sec=0, tv_nsec=0}, it_value={tv_sec=0, tv_nsec=50000000}}, NULL) = 0 <0.000010>
      6 53 <... rt_sigtimedwait resumed>{si_signo=SIGRTMIN, si_code=SI_TIMER, si_timerid=0, si_overrun=0, si_int=3}, NULL, 8) = 32 (SIGRTMIN) <0.051000>
      5 90 exit_group(0) = ?
      6 90.1 +++ exited with 0 +++
      5 90.1 +++ exited with 0 +++`);
    expect(results(runScenario(log.parsed, "native-linux"), "thread-6")).toEqual(["rt_sigtimedwait 32"]);
    expect(log.parsed.signals.map(({ thread, stacks }) => [thread, stacks])).toEqual([["thread-6", ["native-linux"]]]);
  });
});

describe("children that end together", () => {
  test("one SIGCHLD told of both: the handler runs once, also when the lines stand as if there were time for two", () => {
    const log = importLog(`
      5 0 ${act("SIGCHLD")}
      5 1 ${FORK} = 106 <0.000100>
      5 2 ${FORK} = 107 <0.000100>
      5 3 pause( <unfinished ...>
      107 20 exit_group(2) = ?
      106 20.05 exit_group(1) = ?
      107 20.2 +++ exited with 2 +++
      106 20.22 +++ exited with 1 +++
      5 20.23 <... pause resumed>) = ? ERESTARTNOHAND (To be restarted if no handler) <0.017230>
      5 20.24 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=107, si_uid=0, si_status=2} ---
      5 20.26 wait4(-1, NULL, WNOHANG, NULL) = 106 <0.000010>
      5 20.28 wait4(-1, NULL, WNOHANG, NULL) = 107 <0.000010>
      5 20.30 wait4(-1, NULL, WNOHANG, NULL) = -1 ECHILD (No child processes) <0.000010>
      5 20.32 rt_sigreturn({mask=[]}) = -1 EINTR (Interrupted system call) <0.000010>
      5 21 exit_group(0) = ?
      5 21.1 +++ exited with 0 +++`);
    const run = runScenario(log.parsed, "native-linux");
    expect(handled(run)).toEqual(["SIGCHLD"]);
    expect(results(run, "main").slice(-4)).toEqual(["wait4 2", "wait4 3", "wait4 -ECHILD", "pause -EINTR"]);
  });
});

describe("a futex that waits until a moment", () => {
  test("ends with EINTR on Linux whatever the handler's flags, and is made again on Gramine", () => {
    const log = importLog(`
      5 0 rt_sigaction(SIGALRM, {sa_handler=0x401, sa_mask=[], sa_flags=SA_RESTORER|SA_RESTART}, NULL, 8) = 0 <0.000010>
      5 1 alarm(1) = 0 <0.000010>
      5 2 futex(0x404, FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME, 0, {tv_sec=1700000002, tv_nsec=0}, FUTEX_BITSET_MATCH_ANY) = ? ERESTART_RESTARTBLOCK (Interrupted by signal) <0.999000>
      5 1001.1 --- SIGALRM {si_signo=SIGALRM, si_code=SI_KERNEL} ---
      5 1001.2 rt_sigreturn({mask=[]}) = -1 EINTR (Interrupted system call) <0.000010>
      5 1002 exit_group(0) = ?`);
    expect(ofCall(log, "futex")).toEqual(["futex_wait -EINTR", "futex_wait -EINTR", "futex_wait -EINTR", "futex_wait -ETIMEDOUT"]);
  });
});

describe("job control by the log's own processes", () => {
  const stopped = (wait: string) =>
    importLog(`
      5 0 ${FORK} = 106 <0.000100>
      106 1 nanosleep({tv_sec=9, tv_nsec=0}, NULL <unfinished ...>
      5 10 kill(106, SIGSTOP) = 0 <0.000010>
      106 10.1 <... nanosleep resumed>) = ? ERESTART_RESTARTBLOCK (Interrupted by signal) <0.009000>
      106 10.2 --- SIGSTOP {si_signo=SIGSTOP, si_code=SI_USER, si_pid=5, si_uid=0} ---
      106 10.3 --- stopped by SIGSTOP ---
      5 11 ${wait}
      5 20 kill(106, SIGCONT) = 0 <0.000010>
      106 20.1 --- SIGCONT {si_signo=SIGCONT, si_code=SI_USER, si_pid=5, si_uid=0} ---
      106 20.2 restart_syscall(<... resuming interrupted nanosleep ...> <unfinished ...>
      5 30 kill(106, SIGKILL) = 0 <0.000010>
      106 30.1 <... restart_syscall resumed>) = ?
      106 30.2 +++ killed by SIGKILL +++
      5 31 wait4(106, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}], 0, NULL) = 106 <0.000010>
      5 32 exit_group(0) = ?
      5 32.1 +++ exited with 0 +++`);

  test("a child that stopped is found on Linux; on Gramine it does not stop, and is waited for until it ends", () => {
    const log = stopped("wait4(106, [{WIFSTOPPED(s) && WSTOPSIG(s) == SIGSTOP}], WSTOPPED, NULL) = 106 <0.000020>");
    expect(counter(log, "stop")).toBe(0);
    expect(results(runScenario(log.parsed, "native-linux"), "main")).toEqual([
      "fork 2",
      "kill 0",
      "wait4 2",
      "kill 0",
      "kill 0",
      "wait4 2",
    ]);
    expect(results(runScenario(log.parsed, "gramine-linux"), "main").slice(0, 3)).toEqual(["fork 2", "kill 0", "wait4 2"]);
    expect(results(runScenario(log.parsed, "gramine-linux"), "main").at(-1)).toBe("wait4 -ECHILD");
  });

  test("waitid without WEXITED is refused by Gramine, and is not there in 2019", () => {
    const info = "{si_signo=SIGCHLD, si_code=CLD_STOPPED, si_pid=106, si_uid=0, si_status=SIGSTOP, si_utime=0, si_stime=0}";
    expect(ofCall(stopped(`waitid(P_PID, 106, ${info}, WSTOPPED, NULL) = 0 <0.000020>`), "waitid")).toEqual([
      "waitid 0",
      "waitid -ENOSYS",
      "waitid -ENOSYS",
      "waitid -EINVAL",
    ]);
  });
});
