/** What programs seldom do about signals, from small logs of the real thing: each beside what the sources of the stacks make of it. */

import { describe, expect, test } from "vitest";
import { handled, results, runScenario } from "../support/run-scenario.ts";
import { importLog, type Log } from "../support/strace-log.ts";

const FORK = "clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x1)";
const SIGRETURN = "rt_sigreturn({mask=[]}) = 0 <0.000010>";
const EINTR = "rt_sigreturn({mask=[]}) = -1 EINTR (Interrupted system call) <0.000010>";
const act = (signal: string, flags = "SA_RESTORER") =>
  `rt_sigaction(${signal}, {sa_handler=0x401, sa_mask=[], sa_flags=${flags}, sa_restorer=0x7f}, NULL, 8) = 0 <0.000010>`;
const ALARM = "--- SIGALRM {si_signo=SIGALRM, si_code=SI_KERNEL} ---";
const GRAMINE = ["gramine-linux", "gramine-sgx"] as const;

/** The only call of the log that is kept as time and result. */
const opaque = (log: Log, stack: "native-linux" | (typeof GRAMINE)[number]): string[] =>
  results(runScenario(log.parsed, stack), "main").filter((result) => /^(?:call|undefined)\b/.test(result));

describe("a fault whose signal is blocked", () => {
  const log = importLog(`
    5 0 ${act("SIGSEGV", "SA_RESTORER|SA_SIGINFO")}
    5 1 mprotect(0x1000, 4096, PROT_NONE) = 0 <0.000010>
    5 2 --- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_ACCERR, si_addr=0x1000} ---
    5 2.1 mprotect(0x1000, 4096, PROT_READ|PROT_WRITE) = 0 <0.000010>
    5 2.2 ${SIGRETURN}
    5 3 ${FORK} = 106 <0.000100>
    5 3.2 wait4(106,  <unfinished ...>
    106 4 rt_sigprocmask(SIG_BLOCK, [SEGV], NULL, 8) = 0 <0.000010>
    106 5 mprotect(0x1000, 4096, PROT_NONE) = 0 <0.000010>
    106 6 --- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_ACCERR, si_addr=0x1000} ---
    106 6.1 +++ killed by SIGSEGV +++
    5 6.2 <... wait4 resumed>[{WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV}], 0, NULL) = 106 <0.003000>
    5 6.3 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=106, si_uid=0, si_status=SIGSEGV, si_utime=0, si_stime=0} ---
    5 7 exit_group(0) = ?
    5 7.1 +++ exited with 0 +++`);

  test("is no run of the handler: Linux makes the disposition the default", () => {
    expect(handled(runScenario(log.parsed, "native-linux"))).toEqual(["SIGSEGV"]);
    expect(JSON.stringify(log.parsed.handlers)).not.toContain("by-run");
  });

  test("Gramine does not look at the mask: the handler mends what it mended before, once", () => {
    expect(handled(runScenario(log.parsed, "gramine-linux"))).toEqual(["SIGSEGV", "SIGSEGV"]);
  });
});

describe("locks of files in Gramine", () => {
  const waitsWith = (call: string) =>
    importLog(`
      5 0 ${act("SIGALRM")}
      5 1 setitimer(ITIMER_REAL, {it_interval={tv_sec=0, tv_usec=0}, it_value={tv_sec=0, tv_usec=60000}}, NULL) = 0 <0.000010>
      5 2 ${call} = ? ERESTARTSYS (To be restarted if SA_RESTART is set) <0.059000>
      5 61.1 ${ALARM}
      5 61.2 ${EINTR}
      5 62 exit_group(0) = ?
      5 62.1 +++ exited with 0 +++`);

  test.each(GRAMINE)("no signal ends F_SETLKW on %s: event_wait_with_retry", (stack) => {
    const log = waitsWith("fcntl(3, F_SETLKW, {l_type=F_WRLCK, l_whence=SEEK_SET, l_start=0, l_len=0})");
    expect(opaque(log, "native-linux")).toEqual(["call -EINTR"]);
    expect(opaque(log, stack)).toEqual([]);
    expect(handled(runScenario(log.parsed, stack))).toEqual([]);
  });

  test.each(GRAMINE)("flock is switched off on %s, unless a manifest says otherwise", (stack) => {
    const log = waitsWith("flock(4, LOCK_EX)");
    expect(opaque(log, "native-linux")).toEqual(["call -EINTR"]);
    expect(opaque(log, stack)).toEqual(["undefined -ENOSYS"]);
  });

  test.each(GRAMINE)("a write that waits is ended by a signal on %s, as on Linux", (stack) => {
    const log = waitsWith('write(4, "x", 1)');
    expect(opaque(log, "native-linux")).toEqual(["call -EINTR"]);
    expect(opaque(log, stack)).toEqual(["call -EINTR"]);
  });
});

describe("fork while a signal is pending", () => {
  test("does nothing until its handler has run, and is made again: the handler finds no new child", () => {
    const log = importLog(`
      5 0 ${act("SIGCHLD", "SA_RESTORER|SA_RESTART")}
      5 1 ${FORK} = 106 <0.000100>
      106 2 exit_group(0) = ?
      106 3 +++ exited with 0 +++
      5 4 ${FORK} = ? ERESTARTNOINTR (To be restarted) <0.000010>
      5 4.1 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=106, si_uid=0, si_status=0, si_utime=0, si_stime=0} ---
      5 4.2 wait4(-1, NULL, WNOHANG, NULL) = 106 <0.000010>
      5 4.3 wait4(-1, NULL, WNOHANG, NULL) = -1 ECHILD (No child processes) <0.000010>
      5 4.4 rt_sigreturn({mask=[]}) = 56 <0.000010>
      5 5 ${FORK} = 107 <0.000100>
      5 6 wait4(107,  <unfinished ...>
      107 60 exit_group(0) = ?
      107 60.1 +++ exited with 0 +++
      5 60.2 <... wait4 resumed>NULL, 0, NULL) = 107 <0.054000>
      5 60.3 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=107, si_uid=0, si_status=0, si_utime=0, si_stime=0} ---
      5 60.4 ${SIGRETURN}
      5 61 exit_group(0) = ?
      5 61.1 +++ exited with 0 +++`);
    const waits = results(runScenario(log.parsed, "native-linux"), "main").filter((result) => /^(?:fork|wait4)/.test(result));
    expect(waits.map((result) => result.replace(/ [2-9]\d*$/, " pid"))).toEqual([
      "fork pid",
      "wait4 pid",
      "wait4 -ECHILD",
      "fork pid",
      "wait4 pid",
    ]);
  });
});

describe("a timer that fires while a busy machine is late to wake the thread", () => {
  test.each([
    ["nanosleep({tv_sec=0, tv_nsec=59500000}, NULL)", "nanosleep 0", 0],
    ['recvfrom(3, "abc", 10, MSG_WAITALL, NULL, NULL)', "read 3", 3],
  ])("finds %s answered", (call, result, value) => {
    const log = importLog(`
      5 0 ${act("SIGALRM")}
      5 1 setitimer(ITIMER_REAL, {it_interval={tv_sec=0, tv_usec=0}, it_value={tv_sec=0, tv_usec=60000}}, NULL) = 0 <0.000010>
      5 2 ${call} = ${value} <0.063000>
      5 65.1 ${ALARM}
      5 65.2 rt_sigreturn({mask=[]}) = ${value} <0.000010>
      5 66 exit_group(0) = ?
      5 66.1 +++ exited with 0 +++`);
    for (const stack of ["native-linux", ...GRAMINE] as const) {
      const run = runScenario(log.parsed, stack);
      expect([results(run, "main").filter((one) => /^(?:nanosleep|read)/.test(one)), handled(run)], stack).toEqual([[result], ["SIGALRM"]]);
    }
  });
});
