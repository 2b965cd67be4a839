/** Forms of a log that were once misread in silence: each is read as what it says, or told. */

import { describe, expect, test } from "vitest";
import { handled, results, runScenario } from "../support/run-scenario.ts";
import { counter, importLog, importText, type Log, linesCounted } from "../support/strace-log.ts";

const native = (log: Log) => runScenario(log.parsed, "native-linux");

test("a terminal's log: the attachment of a new thread in the middle of the line that made it", () => {
  const log =
    importText(`10:00:00.000400 rt_sigaction(SIGINT, {sa_handler=0x1, sa_mask=[], sa_flags=SA_RESTORER, sa_restorer=0x2}, NULL, 8) = 0 <0.000010>
10:00:00.000500 clone(child_stack=0x7f, flags=CLONE_VM|CLONE_THREADstrace: Process 701 attached
, parent_tid=[701], tls=0x7f02, child_tidptr=0x7f02) = 701 <0.000080>
[pid   701] 10:00:00.000620 read(5,  <unfinished ...>
[pid   700] 10:00:00.000650 read(3,  <unfinished ...>
[pid   700] 10:00:00.020000 <... read resumed>0x7ffd, 64) = ? ERESTARTSYS (To be restarted if SA_RESTART is set) <0.019350>
[pid   700] 10:00:00.020050 --- SIGINT {si_signo=SIGINT, si_code=SI_KERNEL} ---
[pid   700] 10:00:00.020080 rt_sigreturn({mask=[]}) = -1 EINTR (Interrupted system call) <0.000009>
[pid   700] 10:00:00.020150 exit_group(1) = ?
[pid   701] 10:00:00.020200 <... read resumed> <unfinished ...>) = ?
[pid   701] 10:00:00.020260 +++ exited with 1 +++
10:00:00.020300 +++ exited with 1 +++
`);
  expect([log.threads, linesCounted(log), counter(log, "attached")]).toEqual([2, 12, 1]);
  const ran = native(log);
  expect([handled(ran, "main"), results(ran)]).toEqual([["SIGINT"], ["sigaction 0", "clone 2", "read -EINTR"]]);
});

describe("a log without -f", () => {
  const set = "rt_sigaction(SIGUSR1, {sa_handler=0x1, sa_mask=[], sa_flags=SA_RESTORER, sa_restorer=0x2}, NULL, 8) = 0 <0.000009>";
  const at = (ms: number, text: string): string => `${(1_700_000_000 + ms / 1000).toFixed(6)} ${text}\n`;

  test("knows the program's own id, so a signal to itself comes from itself", () => {
    const log = importText(
      at(0, "set_tid_address(0x7f) = 4321 <0.000009>") +
        at(1, set) +
        at(2, "tgkill(4321, 4321, SIGUSR1) = 0 <0.000012>") +
        at(2.05, "--- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_TKILL, si_pid=4321, si_uid=0} ---") +
        at(2.1, "rt_sigreturn({mask=[]}) = 0 <0.000009>") +
        at(3, "exit_group(0) = ?"),
    );
    expect(log.parsed.signals).toEqual([]);
    expect(handled(native(log))).toEqual(["SIGUSR1"]);
  });

  test("tells that what the program made is not there", () => {
    const log = importText(at(0, "clone(child_stack=NULL, flags=SIGCHLD) = 77 <0.000100>") + at(1, "exit_group(0) = ?"));
    expect(counter(log, "note.not-followed")).toBe(1);
    expect(log.counters.find(({ name }) => name === "strace.note.not-followed")).toMatchObject({ severity: "data-loss" });
  });

  test("of a program that made nothing is whole", () => {
    expect(counter(importText(at(0, "exit_group(0) = ?")), "note.not-followed")).toBe(0);
  });
});

const WAITS = `
  5 2 read(3,  <unfinished ...>
  5 9 <... read resumed> 0x7fff, 16) = ? ERESTARTSYS (To be restarted if SA_RESTART is set) <0.007000>
  5 9.1 --- SIGINT {si_signo=SIGINT, si_code=SI_KERNEL} ---`;

test("the spelling of strace before 4.18: fields of a structure without their names", () => {
  const log = importLog(`
    5 1 rt_sigaction(SIGINT, {0x401100, [TERM], SA_RESTORER, 0x7f3c}, {SIG_DFL, [], 0}, 8) = 0 <0.000020>${WAITS}
    5 9.2 rt_sigreturn() = -1 EINTR (Interrupted system call) <0.000010>
    5 10 exit_group(0) = ?`);
  expect(log.parsed.main.find(({ op }) => op === "sigaction")).toMatchObject({ handler: "on-SIGINT", mask: [15] });
  const ran = native(log);
  expect([handled(ran), results(ran)]).toEqual([["SIGINT"], ["sigaction 0", "read -EINTR"]]);
});

test("a 32-bit program: its names of the same calls", () => {
  const log = importLog(`
    5 1 sigaction(SIGINT, {sa_handler=0x8049100, sa_mask=[], sa_flags=0}, NULL) = 0 <0.000010>
    5 2 _newselect(4, [3], NULL, NULL, {tv_sec=5, tv_usec=0}) = ? ERESTARTNOHAND (To be restarted if no handler) <0.007000>
    5 9.1 --- SIGINT {si_signo=SIGINT, si_code=SI_KERNEL} ---
    5 9.2 sigreturn({mask=[]}) = -514 <0.000010>
    5 9.3 waitpid(-1, 0xbed5, WNOHANG) = -1 ECHILD (No child processes) <0.000010>
    5 10 exit_group(0) = ?`);
  const ran = native(log);
  expect([handled(ran), results(ran)]).toEqual([["SIGINT"], ["sigaction 0", "select -EINTR", "wait4 -ECHILD"]]);
});

test.each(["graphene-linux", "graphene-sgx"] as const)("%s: a wait on a futex that was woken, after EAGAIN, has no time-out", (stack) => {
  const log = importLog(`
    5 1 read(5, 0x7ffe, 16) = -1 EAGAIN (Resource temporarily unavailable) <0.000010>
    5 2 futex(0x7f02, FUTEX_WAIT_PRIVATE, 2, NULL) = 0 <0.005200>
    5 9 exit_group(0) = ?`);
  expect(results(runScenario(log.parsed, stack))).toEqual(["read -EAGAIN", "futex_wait 0"]);
});

describe("calls that the base revision does not have", () => {
  const log = importLog(`
    5 1 rt_sigprocmask(SIG_BLOCK, [TERM], NULL, 8) = 0 <0.000004>
    5 2 signalfd4(-1, [TERM], 8, SFD_CLOEXEC) = 3 <0.000010>
    5 3 timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC) = 4 <0.000010>
    5 4 eventfd2(0, EFD_CLOEXEC) = 5 <0.000010>
    5 5 clock_nanosleep(CLOCK_REALTIME, 0, {tv_sec=0, tv_nsec=1000000}, NULL) = 0 <0.001100>
    5 7 rt_sigtimedwait([TERM], NULL, {tv_sec=0, tv_nsec=1000000}, 8) = -1 EAGAIN (Resource temporarily unavailable) <0.001100>
    5 9 exit_group(0) = ?`);
  const numbers = (stack: "native-linux" | "graphene-linux" | "graphene-sgx"): string[] =>
    results(runScenario(log.parsed, stack)).map((text) => text.split(" ")[1] ?? "");

  test("have the log's results on native-linux", () => {
    expect(numbers("native-linux")).toEqual(["0", "3", "4", "5", "0", "-EAGAIN"]);
  });

  test.each(["graphene-linux", "graphene-sgx"] as const)("answer -ENOSYS on %s", (stack) => {
    expect(numbers(stack)).toEqual(["0", "-ENOSYS", "-ENOSYS", "-ENOSYS", "-ENOSYS", "-ENOSYS"]);
  });
});

describe("strace that came late, or left early", () => {
  test("a call that it found waiting is under the name that the kernel resumes it by", () => {
    const log = importLog(`
      5 0 restart_syscall(<... resuming interrupted nanosleep ...>) = 0 <0.050000>
      5 51 restart_syscall(<... resuming interrupted poll ...>) = 0 <0.010000>
      5 62 restart_syscall(<... resuming interrupted futex ...>) = -1 ETIMEDOUT (Connection timed out) <0.010000>
      5 73 restart_syscall(<... resuming interrupted read ...>) = 1 <0.010000>
      5 84 restart_syscall(<... resuming interrupted call ...>) = 0 <0.010000>
      5 95 exit_group(0) = ?`);
    const linux = ["nanosleep 0", "poll 0", "futex_wait -ETIMEDOUT", "read 1", "call 0"];
    expect(results(native(log))).toEqual(linux);
    expect(results(runScenario(log.parsed, "gramine-linux"))).toEqual(linux);
  });

  test("threads without an end are told of; one that has called exit_group has one", () => {
    const cut = importLog("5 0 getpid() = 5 <0.000010>\n5 1 read(0,  <unfinished ...>");
    const whole = importLog("5 0 getpid() = 5 <0.000010>\n5 1 exit_group(0) = ?");
    expect([counter(cut, "note.no-end"), counter(whole, "note.no-end")]).toEqual([1, 0]);
  });
});
