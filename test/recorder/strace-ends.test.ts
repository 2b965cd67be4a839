/** Calls in which a thread ends: the log has no end of them. And signals that stop. */

import { describe, expect, test } from "vitest";
import { NEVER } from "../../engine/index.ts";
import { handled, results, runScenario } from "../support/run-scenario.ts";
import { importLog, type Log } from "../support/strace-log.ts";

const native = (log: Log) => runScenario(log.parsed, "native-linux");
const operations = (log: Log, program = "main"): string[] =>
  (program === "main" ? log.parsed.main : (log.parsed.programs[program] ?? [])).map(({ op }) => op).filter((op) => op !== "compute");

const EXEC = 'execve("./prog", ["./prog"], 0x1 /* 3 vars */) = 0 <0.000100>';
const FORK = "clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x1)";
const THREAD = "clone3({flags=CLONE_VM|CLONE_SIGHAND|CLONE_THREAD, exit_signal=0} => {parent_tid=[6]}, 88)";
const STOPS = "rt_sigaction(SIGTSTP, {sa_handler=0x1, sa_mask=[], sa_flags=SA_RESTORER, sa_restorer=0x2}, NULL, 8) = 0 <0.000010>";

describe("ends", () => {
  test("processes that kill themselves, by a call that has no end in the log", () => {
    for (const call of ["kill(106, SIGKILL)", "tgkill(106, 106, SIGKILL)", "kill(106, SIGTERM)"]) {
      const signal = call.includes("KILL") ? "SIGKILL" : "SIGTERM";
      const log = importLog(`
        5 0 ${EXEC}
        5 1 ${FORK} = 106 <0.000100>
        106 2 ${call} = ?
        106 2.2 +++ killed by ${signal} +++
        5 2.3 wait4(-1, [{WIFSIGNALED(s) && WTERMSIG(s) == ${signal}}], 0, NULL) = 106 <0.000010>`);
      expect([operations(log, "process-106"), log.parsed.signals], call).toEqual([[call.startsWith("t") ? "tgkill" : "kill"], []]);
      expect(results(native(log)), call).toEqual(["execve 0", "fork 2", "wait4 2"]);
    }
  });

  test("a log without the call that ended a process: its status is in the line of its end", () => {
    const log = importLog(`
      5 0 ${FORK} = 106 <0.000100>
      106 2 +++ exited with 3 +++
      5 3 wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 106 <0.000010>
      5 4 +++ exited with 5 +++`);
    expect([operations(log).at(-1), log.parsed.main.at(-1)]).toEqual(["exit-group", expect.objectContaining({ status: 5 })]);
    expect(log.parsed.programs["process-106"]?.at(-1)).toMatchObject({ op: "exit-group", status: 3 });
  });

  test("a program that strace could not start is no run that ended well", () => {
    expect(() =>
      importLog(`
      5 0 execve("./dir", ["./dir"], 0x1 /* 3 vars */) = -1 EACCES (Permission denied) <0.000010>
      5 1 +++ exited with 1 +++`),
    ).toThrow(/:1: no program was started: execve of "\.\/dir" failed with -EACCES; run it by hand first/);
  });

  test("a signal that stops, and has a handler, is sent as any other", () => {
    const log = importLog(`
      5 0 ${EXEC}
      5 1 ${STOPS}
      5 2 kill(5, SIGTSTP) = 0 <0.000010>
      5 2.1 --- SIGTSTP {si_signo=SIGTSTP, si_code=SI_USER, si_pid=5, si_uid=0} ---
      5 2.2 rt_sigreturn({mask=[]}) = 0 <0.000010>`);
    expect([operations(log), log.parsed.signals]).toEqual([["exec", "sigaction", "kill"], []]);
    expect(handled(native(log))).toEqual(["SIGTSTP"]);
  });

  test("a call that waits for nobody, and in which its thread was ended, does not wait for ever", () => {
    const log = (call: string) =>
      importLog(`
        5 0 ${EXEC}
        5 1 ${THREAD} = 6 <0.000100>
        6 9.9 ${call} = ?
        5 10 exit_group(0) = ?
        6 10.1 +++ exited with 0 +++
        5 10.2 +++ exited with 0 +++`);
    const [yields] = log("sched_yield()").parsed.programs["thread-6"]?.filter(({ op }) => op === "call") ?? [];
    expect(yields).toMatchObject({ name: "sched_yield" });
    expect(yields?.op === "call" && yields.takes).toBeLessThan(1e6);
    const [waits] = log("flock(3, LOCK_EX)").parsed.programs["thread-6"]?.filter(({ op }) => op === "call") ?? [];
    expect(waits).toMatchObject({ name: "flock", interruptible: true, takes: NEVER });
  });
});
