/** Sending, default actions and the calls about signals, branch by branch: sections 2.15 to 2.17 of the reference. */

import { describe, expect, it } from "vitest";
import { FIX_NAMES, resultText, type StackName } from "../../engine/index.ts";
import {
  at,
  count,
  endOf,
  exitOf,
  handled,
  on,
  type Ran,
  resultOf,
  results,
  rowsOf,
  runProgram,
  runScenario,
  SENDER,
} from "../support/run-scenario.ts";
import { block, order, raise, UNBLOCK } from "./reference-support.ts";

const LINUX = "graphene-linux";
const SGX = "graphene-sgx";
const BOTH: readonly StackName[] = [LINUX, SGX];

describe.each(BOTH)("2.15 sending inside the LibOS, %s", (stack) => {
  it("tgkill to another thread: append under its lock, then SIGCONT", () => {
    const ran = runProgram(stack, [on("SIGUSR1"), { clone: "sender" }, { compute: "3ms" }], [], { programs: SENDER });
    order(
      ran,
      [
        "shim_do_tgkill: lock(thread->lock)",
        "append_signal: malloc(shim_signal)",
        "libos.signal.append",
        "libos.wake",
        "append_signal: DkThreadResume(thread)  < SIGCONT via tgkill() >",
        "host.signal.generate",
        "shim_do_tgkill: unlock(thread->lock)",
      ],
      "sender",
    );
    expect(rowsOf(ran, { what: "host.signal.generate" })[0]?.signal).toBe(18);
  });

  it("kill(pid): every other live thread under thread_list_lock, then itself (signal-fanout-all-threads)", () => {
    const ran = runProgram(
      stack,
      [on("SIGUSR1"), { clone: "one" }, { clone: "one" }, { nanosleep: "1ms" }, { kill: { signal: "SIGUSR1" } }],
      [],
      {
        programs: { one: [{ compute: "9ms" }] },
      },
    );
    const appended = rowsOf(ran, { what: "libos.signal.append" }).filter((row) => row.signal === 10);
    expect(appended.map((row) => ran.threads[row.value]?.name)).toEqual(["one", "one#2"]);
    order(ran, [
      "do_kill_proc: lock(thread_list_lock)",
      "libos.signal.append",
      "libos.signal.append",
      "do_kill_proc: unlock(thread_list_lock)",
      "shim_do_kill: deliver_signal(info, NULL) to self",
    ]);
  });

  it("kill of another process: a message that its IPC helper answers", () => {
    const ran = runScenario("w1-read-killed", stack);
    order(
      ran,
      [
        "ipc_pid_kill_send: send_ipc_message(IPC_PID_KILL): DkStreamWrite(port)",
        "ipc_pid_kill_send: thread_sleep: DkObjectsWaitAny(scheduler_event, forever), once",
        "thread.block",
        "thread.wake",
        "shim_do_kill: return",
      ],
      "sender",
    );
    order(
      ran,
      [
        "shim_ipc_helper: ipc_pid_kill_callback",
        "libos.signal.append",
        "libos.wake",
        "shim_ipc_helper: send_ipc_message(IPC_RESP): DkStreamWrite(port)",
      ],
      "ipc-helper",
    );
  });

  it("kill(-1) reaches other processes and oneself, kill(0) only oneself; signal 0 and an unknown target send nothing", () => {
    const kill = (process: string, signal: string | number): Ran =>
      runProgram(stack, [on("SIGUSR1"), { fork: "child" }, { nanosleep: "2ms" }, { kill: { process, signal } }, { nanosleep: "5ms" }], [], {
        programs: { child: [on("SIGUSR1"), { nanosleep: "9ms" }] },
      });
    const reached = (wanted: string): string[] =>
      rowsOf(kill(wanted, "SIGUSR1"), { what: "app.handler.enter" })
        .map((row) => row.who)
        .toSorted();
    expect([reached("group"), reached("all")]).toEqual([["main"], ["child", "main"]]);
    expect([resultOf(kill("child", 0), "kill"), resultOf(kill("nobody", "SIGUSR1"), "kill")]).toEqual(["0", "-ESRCH"]);
    expect(handled(kill("child", 0))).toEqual([]);
  });

  it("no look at mask or disposition: an ignored signal interrupts all the same (blocked-or-ignored-signal-interrupts)", () => {
    const ran = runProgram(
      stack,
      [{ sigaction: { signal: "SIGUSR1", handler: "ignore" } }, { clone: "sender" }, { nanosleep: "3ms" }],
      [],
      { programs: SENDER },
    );
    expect([resultOf(ran, "nanosleep"), handled(ran)]).toEqual(["-EINTR", []]);
  });

  it("a child's end: SIGCHLD into the ring of the thread that forked it, child_exit_event set", () => {
    const ran = runProgram(stack, [on("SIGCHLD"), { fork: "child" }, { nanosleep: "9ms" }, "wait4"], [], {
      programs: { child: [{ nanosleep: "1ms" }] },
    });
    order(
      ran,
      [
        "thread_exit: lock(parent->lock)",
        "libos.signal.append",
        "thread_exit: unlock(parent->lock)",
        "thread_exit: DkEventSet(parent->child_exit_event)",
        "thread_exit: DkEventSet(self->exit_event)",
      ],
      "ipc-helper",
    );
    expect(handled(ran)).toEqual(["SIGCHLD"]);
    expect(resultOf(ran, "wait4")).toBe("2");
  });

  it("exit_group: SIGKILL into every other thread's ring", () => {
    const ran = runProgram(stack, [{ clone: "one" }, { nanosleep: "1ms" }, { "exit-group": { status: 3 } }], [], {
      programs: { one: [{ nanosleep: "50ms" }] },
    });
    expect(rowsOf(ran, { what: "libos.signal.append" }).map((row) => [row.signal, ran.threads[row.value]?.name])).toEqual([[9, "one"]]);
    expect(exitOf(ran, "one")).toBe(1);
  });
});

describe.each(BOTH)("2.16 and 2.17, %s", (stack) => {
  it("2.16: terminate with other threads alive: only this one ends (default-kill-one-thread)", () => {
    const ran = runProgram(stack, [{ clone: "one" }, { nanosleep: "5ms" }, "getpid"], [], {
      programs: { one: [{ sigaction: { signal: "SIGQUIT", handler: "default" } }, raise("SIGQUIT")] },
    });
    expect(rowsOf(ran, { what: "libos.signal.kill" }).map((row) => [row.who, row.value])).toEqual([["one", 1]]);
    expect([exitOf(ran, "one"), resultOf(ran, "getpid")]).toEqual([1, "1"]);
  });

  it("2.16: alone: the process ends with status 0; SIGINT and SIGTERM from the host go to everyone first", () => {
    const ran = runProgram(stack, [{ sigaction: { signal: "SIGINT", handler: "default" } }, { compute: "1ms" }], [at("SIGINT", "600us")]);
    order(ran, [
      "libos.signal.kill",
      "__handle_one_signal: shim_do_kill(-1, sig)",
      "__handle_one_signal: try_process_exit(0, sig)",
      "host exit: exit: enter the kernel",
    ]);
    expect(rowsOf(ran, { where: "host exit: exit: enter the kernel" })[0]?.value).toBe(0);
    const own = runProgram(stack, [{ sigaction: { signal: "SIGINT", handler: "default" } }, raise("SIGINT")]);
    expect(rowsOf(own, { where: "__handle_one_signal: shim_do_kill(-1, sig)" })).toEqual([]);
  });

  it.each(["SIGUSR1", "SIGUSR2", "SIGSTKFLT", "SIGSTOP", "SIGTSTP", "SIGXCPU", "SIGPROF", "SIGSYS", "SIGCHLD"])(
    "2.16: %s is ignored by default",
    (signal) => {
      const ran = runProgram(stack, [raise(signal), "getpid"]);
      expect(count(ran, "libos.signal.ignore")).toBe(1);
      expect(resultOf(ran, "getpid")).toBe("1");
    },
  );

  it("2.17: sigaction is for the calling thread only; KILL and STOP are refused; pending signals stay", () => {
    const ran = runProgram(
      stack,
      [
        { clone: "one" },
        { nanosleep: "1ms" },
        on("SIGUSR1"),
        { tgkill: { thread: "one", signal: "SIGUSR1" } },
        { nanosleep: "1ms" },
        on("SIGKILL"),
        on("SIGSTOP"),
      ],
      [],
      { programs: { one: [{ nanosleep: "9ms" }] } },
    );
    expect(rowsOf(ran, { what: "libos.signal.ignore" }).map((row) => row.who)).toEqual(["one"]);
    expect(results(ran).slice(-2)).toEqual(["sigaction -EINVAL", "sigaction -EINVAL"]);
    const stays = runProgram(stack, [
      on("SIGUSR1"),
      block("SIGUSR1"),
      raise("SIGUSR1"),
      { sigaction: { signal: "SIGUSR1", handler: "ignore" } },
      on("SIGUSR1"),
      UNBLOCK,
    ]);
    expect(handled(stays)).toEqual(["SIGUSR1"]);
  });

  it("2.17: SIGKILL can be blocked (sigkill-blockable); sigpending counts what is in the rings, blocked or not", () => {
    const ran = runProgram(stack, [block("SIGKILL", "SIGUSR1"), raise("SIGKILL"), raise("SIGUSR1"), raise("SIGUSR1"), "sigpending"]);
    expect(rowsOf(ran, { what: "libos.signal.pending", where: "shim_do_sigpending" })[0]?.value).toBe(2);
    expect(endOf(ran)).toBe("exit");
  });

  it("2.17: sigaltstack checks the size, even when it disables", () => {
    const ran = runProgram(stack, [{ sigaltstack: { bytes: 1024, disable: true } }, { sigaltstack: { bytes: 4096 } }]);
    expect(results(ran).slice(-2)).toEqual([`sigaltstack ${resultText(-12)}`, "sigaltstack 0"]);
  });

  it("3.1: with every fix, the page's scenarios end", () => {
    for (const name of ["w2-sigsuspend-pending", "w3-delayed-bit", "sigsuspend-lock", "async-list-cancel"]) {
      const fixed = runScenario(name, stack, { fixes: [...FIX_NAMES] });
      expect([name, endOf(fixed)]).toEqual([name, "exit"]);
      if (!name.includes("sigsuspend")) expect(handled(fixed), name).toEqual(handled(runScenario(name, "native-linux")));
    }
  });

  it("3.1: sigsuspend, fixed: it returns, but a handler runs only if the mask in force at a delivery point lets it", () => {
    const fixes = ["sigsuspend-ignores-pending", "sigsuspend-sleeps-with-thread-lock"] as const;
    const fixed = (name: string): Ran => runScenario(name, stack, { fixes });
    // Pending before: back at once, the new mask was never in force ([I #1957]).
    expect([resultOf(fixed("w2-sigsuspend-pending"), "sigsuspend"), handled(fixed("w2-sigsuspend-pending"))]).toEqual(["-EINTR", []]);
    // Sent while it sleeps: on Linux at the end of the PAL call, under the new mask; under SGX RESUME in a wait runs no upcall, and the
    // next delivery point comes when the old mask is back.
    expect([resultOf(fixed("sigsuspend-lock"), "sigsuspend"), handled(fixed("sigsuspend-lock"))]).toEqual([
      "-EINTR",
      stack === LINUX ? ["SIGUSR1"] : [],
    ]);
    order(fixed("sigsuspend-lock"), [
      "shim_do_sigsuspend: unlock(cur.lock): flush under the new mask",
      "shim_do_sigsuspend: thread_setwait: DkEventClear(scheduler_event)",
      "thread.block",
      "shim_do_sigsuspend: lock(cur.lock)",
      "shim_do_sigsuspend: mask := old",
      "shim_do_sigsuspend: unlock(cur.lock)",
    ]);
  });
});
