/** Calls that a library OS does not have, though it has an older one, and files that only such calls make. */

import { describe, expect, test } from "vitest";
import { observeRun, verdictOf } from "../../analyzer/index.ts";
import { boot } from "../../engine/index.ts";
import { handled, results, runScenario } from "../support/run-scenario.ts";
import { importLog, type Log } from "../support/strace-log.ts";
import { told } from "../support/verdict.ts";

const SIGRETURN = "rt_sigreturn({mask=[]}) = 0 <0.000010>";
const EINTR = "rt_sigreturn({mask=[]}) = -1 EINTR (Interrupted system call) <0.000010>";
const ALARM = "--- SIGALRM {si_signo=SIGALRM, si_code=SI_KERNEL} ---";
const ACTION = "{sa_handler=0x401, sa_mask=[], sa_flags=SA_RESTORER, sa_restorer=0x7f}";
const act = (signal: string) => `rt_sigaction(${signal}, ${ACTION}, NULL, 8) = 0 <0.000010>`;
const SET = "setitimer(ITIMER_REAL, {it_interval={tv_sec=0, tv_usec=0}, it_value={tv_sec=0, tv_usec=60000}}, NULL) = 0 <0.000010>";
const LIBRARY_OSES = ["graphene-linux", "graphene-sgx", "gramine-linux", "gramine-sgx"] as const;

const ofCall = (log: Log, stack: Parameters<typeof runScenario>[1], call: RegExp): string[] =>
  results(runScenario(log.parsed, stack), "main").filter((result) => call.test(result));

describe("what is read from a file that was never made", () => {
  const log = importLog(`
    5 0 ${act("SIGALRM")}
    5 1 timerfd_create(CLOCK_MONOTONIC, 0) = 3 <0.000010>
    5 2 inotify_init1(IN_CLOEXEC) = 4 <0.000010>
    5 3 dup2(4, 7) = 7 <0.000010>
    5 4 read(3, "\\1\\0\\0\\0\\0\\0\\0\\0", 8) = 8 <0.015000>
    5 20 ${SET}
    5 21 read(7, 0x7ffd, 4096) = ? ERESTARTSYS (To be restarted if SA_RESTART is set) <0.059000>
    5 80.1 ${ALARM}
    5 80.2 ${EINTR}
    5 81 close(3) = 0 <0.000010>
    5 82 openat(AT_FDCWD, "f", O_RDONLY) = 3 <0.000010>
    5 83 read(3, "abc", 8) = 3 <0.000010>
    5 90 exit_group(0) = ?
    5 90.1 +++ exited with 0 +++`);

  test("comes as the log says on Linux", () => {
    expect(ofCall(log, "native-linux", /^read/)).toEqual(["read 8", "read -EINTR", "read 3"]);
    expect(handled(runScenario(log.parsed, "native-linux"))).toEqual(["SIGALRM"]);
  });

  test.each(LIBRARY_OSES)("is -EBADF on %s, and a descriptor that is given out again is another file", (stack) => {
    expect(ofCall(log, stack, /^read/)).toEqual(["read -EBADF", "read -EBADF", "read 3"]);
  });
});

describe("a newer call", () => {
  const log = importLog(`
    5 0 ${act("SIGALRM")}
    5 1 rt_sigprocmask(SIG_BLOCK, [ALRM], NULL, 8) = 0 <0.000010>
    5 2 ${SET}
    5 3 epoll_pwait2(3, [], 1, {tv_sec=0, tv_nsec=20000000}, [ALRM], 8) = 0 <0.020100>
    5 24 epoll_pwait2(3, 0x7ffd, 1, {tv_sec=3, tv_nsec=0}, [], 8) = -1 EINTR (Interrupted system call) <0.038000>
    5 62.1 ${ALARM}
    5 62.2 ${EINTR}
    5 63 preadv(4, [{iov_base="a", iov_len=1}], 1, 0) = 1 <0.000010>
    5 70 exit_group(0) = ?
    5 70.1 +++ exited with 0 +++`);

  test("waits under its mask on Linux", () => {
    expect(ofCall(log, "native-linux", /^(?:epoll|call)/)).toEqual(["epoll_wait 0", "epoll_wait -EINTR", "call 1"]);
  });

  test.each(LIBRARY_OSES)("is not there on %s, whatever the older one does", (stack) => {
    expect(ofCall(log, stack, /^(?:epoll|undefined|unimplemented|call)/).map((result) => result.replace(/^\w+ /, ""))).toEqual([
      "-ENOSYS",
      "-ENOSYS",
      "-ENOSYS",
    ]);
  });
});

describe("a signal that only a kernel sends", () => {
  const log = importLog(`
    5 0 ${act("SIGIO")}
    5 1 fcntl(3, F_SETFL, O_RDWR|O_ASYNC) = 0 <0.000010>
    5 2 read(4, 0x7ffd, 1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set) <0.010000>
    5 12.1 --- SIGIO {si_signo=SIGIO, si_code=SI_KERNEL} ---
    5 12.2 ${EINTR}
    5 13 write(5, "x", 1) = 1 <0.000010>
    5 14 --- SIGIO {si_signo=SIGIO, si_code=SI_KERNEL} ---
    5 14.1 ${SIGRETURN}
    5 15 exit_group(0) = ?
    5 15.1 +++ exited with 0 +++`);

  test("is missed where it does not come: no matter of another moment", async () => {
    const observed = async (stack: "native-linux" | "gramine-linux") =>
      await observeRun(boot({ stack, scenario: log.parsed }), { name: stack, program: "p" }, { rows: 1e5, untilNs: Infinity }, {});
    const [here, linux] = [await observed("gramine-linux"), await observed("native-linux")];
    if (here === null || linux === null) throw new Error("nobody aborted it");
    const verdict = await verdictOf(here, linux, []);
    expect(told(verdict?.differences ?? []).filter((line) => line.startsWith("handler "))[0]).toBe(
      "handler differs handler of SIGIO: does not run | runs in read(1) on fd 4",
    );
  });
});
