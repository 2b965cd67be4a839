/** Pull request 1218: what it does otherwise than the revisions before it, and what its code leaves wrong (shim_signal.c at 32a89d1d2). */

import { expect, it } from "vitest";
import type { FixName, Scenario } from "../../engine/index.ts";
import type { Program } from "../support/gramine-sgx.ts";
import { ALTERNATE, CHAINED, CHAINED_DEFAULT, EXIT_GROUP, FULL_STACK, IN_EXIT, ONCE, UNDEFINED_CALL } from "../support/pr1218-scenarios.ts";
import { endOf, handled, on, type Ran, results, rowsOf, runScenario, scenarioOf } from "../support/run-scenario.ts";

const runOf = (scenario: string | Scenario, fixes: FixName[] = []): Ran => runScenario(scenario, "graphene-pr1218", { fixes });
const run = (program: Program, fixes: FixName[] = []): Ran => runOf(scenarioOf({ ...program }), fixes);
const told = (ran: Ran): number[] => rowsOf(ran, { what: "app.siginfo" }).map((row) => row.signal);

it("a signal that finds the thread asleep in a call is kept for its end", () => {
  const ran = runOf("lost-interrupted-error");
  expect(handled(ran)).toEqual(["SIGINT"]);
  expect(results(ran)).toContain("read -EINTR");
  expect(rowsOf(ran, { what: "libos.signal.lost" })).toEqual([]);
});

it("handlers nest on the application's stack, each with nothing of the LibOS below it", () => {
  expect(
    rowsOf(runOf("nested"), { what: "app.handler.enter" }).map((row) => [row.signal, row.place.context, row.value, row.preempt]),
  ).toEqual([
    [15, "normal", 0, 0],
    [2, "normal", 0, 0],
  ]);
});

it("behind the stub's last look the upcall ends the call itself: the handler runs before anything else, and the result is kept", () => {
  const ran = run(IN_EXIT);
  const place = "suspend_upcall: syscallas_return_emulate(context)";
  expect(rowsOf(ran, { where: place }).map((row) => [row.what, row.value])).toEqual([["libos.syscall.exit", 1]]);
  expect(rowsOf(ran, { what: "app.handler.enter" }).length).toBe(1);
  expect(results(ran)).toEqual(["sigaction 0", "getpid 1", "getpid 1"]);
});

it("a blocked signal in the ring is looked at once at the end of each call, and comes when it is let through", () => {
  const ran = runOf("w7-burst-blocked");
  expect(handled(ran)).toEqual(Array.from({ length: 5 }, () => "SIGUSR1"));
});

it("sigreturn enters the next handler on the same frame, with the siginfo of the first", () => {
  expect(handled(run(CHAINED))).toEqual(["SIGINT", "SIGTERM"]);
  expect(told(run(CHAINED))).toEqual([2, 2]);
  expect(told(run(CHAINED, ["pr347-tail-siginfo-stale"]))).toEqual([2, 15]);
});

it("a default action that sigreturn finds is jumped to like a handler: by the siginfo of the one before, it ends one thread only", () => {
  const kills = (ran: Ran): [string, string][] => rowsOf(ran, { what: "libos.signal.kill" }).map((row) => [row.who, row.where]);
  const ran = run(CHAINED_DEFAULT);
  expect(rowsOf(ran, { what: "libos.sigframe", where: "handle_next_signal" }).map((row) => row.signal)).toEqual([15]);
  expect(kills(ran)).toEqual([["main", "sighandler_kill: killed by the signal"]]);
  expect(rowsOf(ran, { where: "do_kill_proc: " })).toEqual([]);
  const fixed = run(CHAINED_DEFAULT, ["pr347-default-action-as-handler"]);
  expect(rowsOf(fixed, { what: "libos.sigframe", where: "handle_next_signal" })).toEqual([]);
  expect(kills(fixed).map(([who]) => who)).toEqual(["main", "sender"]);
});

it("a handler runs on the alternate stack whether its action asks for it or not, also when the stack is full", () => {
  const ran = run(FULL_STACK);
  expect(rowsOf(ran, { what: "libos.sigframe" }).map((row) => row.value)).toEqual([1]);
  expect(results(ran)).toEqual(["sigaction 0", "sigaltstack 0", "sigaltstack -EPERM", "sigprocmask 0", "getpid 1"]);
  expect(rowsOf(run(ALTERNATE), { what: "libos.sigframe" }).map((row) => row.value)).toEqual([1, 1]);
});

it("without one a full stack ends the process: the LibOS writes the frame below it", () => {
  const full = scenarioOf({ main: [on("SIGSEGV"), { fault: { what: "memory", at: "stack-guard" } }], handlers: { quick: [] } });
  const ran = runOf(full);
  expect(rowsOf(ran, { where: "setup_sigframe: sigframe" }).map((row) => [row.what, row.signal])).toEqual([["host.signal.default", 11]]);
  expect(handled(ran)).toEqual([]);
});

it("a number without a function has no tcb.context.regs: a signal that is delivered at its end goes through NULL", () => {
  const ran = run(UNDEFINED_CALL);
  expect(rowsOf(ran, { what: "app.fault" }).map((row) => row.where)).toEqual(["deliver_signal_on_sysret: get_signal_stack(regs->rsp)"]);
  expect(handled(ran)).toEqual([]);
});

it("append_signal uses up an action with SA_RESETHAND: delivery finds the default", () => {
  const ran = run(ONCE);
  expect(handled(ran)).toEqual([]);
  expect(rowsOf(ran, { what: "libos.signal.kill" }).map((row) => row.signal)).toEqual([10]);
});

it("a signal that is ignored is dropped when it is sent, or queued without a wake-up when it is blocked", () => {
  const sent = (mask: string[]): Ran =>
    runOf(
      scenarioOf({
        main: [
          { sigaction: { signal: "SIGUSR1", handler: "ignore" } },
          { sigprocmask: { how: "block", signals: mask } },
          { clone: "sender" },
          { nanosleep: "5ms" },
        ],
        programs: { sender: [{ compute: "1ms" }, { tgkill: { thread: "main", signal: "SIGUSR1" } }, { nanosleep: "9ms" }] },
      }),
    );
  for (const [mask, appended] of [
    [["SIGINT"], 0],
    [["SIGUSR1"], 1],
  ] as const) {
    const ran = sent([...mask]);
    expect(rowsOf(ran, { what: "libos.signal.append" }).filter((row) => row.signal === 10).length).toBe(appended);
    expect(rowsOf(ran, { what: "libos.wake" }).filter((row) => row.signal === 10)).toEqual([]);
    expect(results(ran)).toContain("nanosleep 0");
  }
});

it("exit_group waits for the end of the other threads, and its status is the process's", () => {
  const ran = run(EXIT_GROUP);
  const others = rowsOf(ran, { where: "shim_do_exit_group: it is the last one?" }).map((row) => row.value);
  expect(others.length).toBeGreaterThan(1);
  expect(others.at(-1)).toBe(1);
  expect(rowsOf(ran, { what: "process.exit" }).map((row) => row.value)).toEqual([3]);
});

it("SIGKILL and SIGSTOP stay unblocked, vfork is fork, and posix_spawn of glibc is refused", () => {
  const blocked = runOf(scenarioOf({ main: [{ sigprocmask: { how: "block", signals: ["SIGKILL", "SIGSTOP", "SIGUSR1"] } }] }));
  expect(rowsOf(blocked, { what: "libos.mask" }).map((row) => row.value)).toEqual([1 << 9]);
  const program = { programs: { child: [{ getpid: {} }] } };
  const vfork = runOf(scenarioOf({ main: [{ vfork: "child" }, { wait4: {} }], ...program }));
  expect(results(vfork)).toEqual(["vfork 2", "wait4 2"]);
  expect(rowsOf(vfork, { where: "shim_do_vfork: DkProcessCreate()" }).length).toBe(1);
  expect(results(runOf(scenarioOf({ main: [{ "posix-spawn": "child" }], ...program })))).toEqual(["posix_spawn -EINVAL"]);
});

it("two signals of the host at once: the second wants the heap's lock, which the thread holds for the first", () => {
  const ran = runOf("int-and-term");
  const stuck = rowsOf(ran, { what: "lock.busy", who: "main" }).at(-1);
  expect([ran.texts[stuck?.detail ?? 0], stuck?.extra]).toEqual(["slab_mgr_lock", 0]);
  expect(handled(ran)).toEqual([]);
  expect(endOf(ran)).toBe("hang");
});
