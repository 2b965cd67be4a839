/** The LibOS, branch by branch as the reference lists them: sections 2.11 to 2.14. */

import { describe, expect, it } from "vitest";
import type { StackName } from "../../engine/index.ts";
import {
  at,
  count,
  endOf,
  firstMissing,
  handled,
  inCall,
  on,
  pin,
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

const SLOW = { handlers: { slow: [{ compute: "100us" }] } };

describe.each(BOTH)("2.11 upcalls, %s", (stack) => {
  it("QUIT is SIGTERM, SUSPEND is SIGINT, both as if sent by a process 0", () => {
    const ran = runProgram(stack, [{ compute: "1ms" }, { compute: "1ms" }], [at("SIGINT", "600us"), at("SIGTERM", "1500us")]);
    expect(rowsOf(ran, { what: "libos.upcall.enter" }).map((row) => row.value)).toEqual([5, 4]);
    expect(handled(ran)).toEqual(["SIGINT", "SIGTERM"]);
  });

  it.each(["SIGINT", "SIGTERM"])("an internal thread drops %s silently (host-signal-eaten-by-helper)", (signal) => {
    const ran = runProgram(stack, [{ alarm: "1s" }, { nanosleep: "2ms" }], [{ ...at(signal, "1ms"), thread: "async-helper" }]);
    const [lost] = rowsOf(ran, { what: "libos.signal.lost" });
    expect([lost?.who, lost?.value]).toEqual(["async-helper", 1]);
    expect(handled(ran)).toEqual([]);
  });

  it("RESUME delivers what is in the rings, never SIGCONT itself", () => {
    const ran = runProgram(stack, [on("SIGUSR1"), on("SIGCONT"), { clone: "sender" }, { compute: "3ms" }], [], { programs: SENDER });
    order(
      ran,
      ["resume_upcall: tcb.context.preempt > 1?  (nested signal)", "libos.signal.fetch", "app.handler.enter", "libos.upcall.return"].slice(
        0,
        3,
      ),
    );
    expect(handled(ran)).toEqual(["SIGUSR1"]);
  });

  it("RESUME in a handler (preempt 2): SIGNAL_DELAYED is set and nothing delivered (D10)", () => {
    const ran = runProgram(stack, [on("SIGUSR1"), on("SIGINT", "slow"), { clone: "sender" }, raise("SIGINT"), "getpid"], [], {
      programs: SENDER,
      handlers: { slow: [{ compute: "2ms" }] },
    });
    const [delayed] = rowsOf(ran, { what: "libos.signal.delayed" });
    expect([delayed?.where, delayed?.value]).toEqual(["resume_upcall: set SIGNAL_DELAYED", 2]);
    order(ran, ["libos.signal.delayed", "app.handler.return", "libos.signal.fetch", "app.handler.enter"]);
  });

  it("FAILURE puts the PAL's error into pal_errno", () => {
    const ran = runProgram(stack, [{ read: { takes: "1us", result: -11 } }]);
    order(ran, ["libos.upcall.enter", "handle_failure: tcb.pal_errno := arg (0 if above the bound)", "pal.call.leave"]);
    expect(rowsOf(ran, { where: "handle_failure: tcb.pal_errno" })[0]?.value).toBe(19);
    expect(rowsOf(ran, { where: "DkStreamRead: return to the LibOS" })[0]?.extra).toBe(19);
  });
});

describe("2.11 upcalls, synchronous events", () => {
  it("a fault in LibOS text is an internal fault: on Linux a breakpoint kills the process (D11)", () => {
    const ran = runProgram(LINUX, [on("SIGSEGV"), "getpid"], [pin("SIGSEGV", "shim_do_getpid: ret = tgid")]);
    order(ran, ["libos.fault", "thread.exit"]);
    expect(handled(ran)).toEqual([]);
    expect(resultOf(ran, "getpid")).toBe("never returns");
  });

  it("test_user_memory: on Linux the fault is forwarded to the probe, -EFAULT; under SGX, without an address, it repeats for ever", () => {
    const linux = runScenario("bad-pointer", LINUX);
    order(linux, [
      "app.fault",
      "memfault_upcall: exception during test_user_memory/string?",
      "memfault_upcall: update RIP to ret_fault",
      "app.return",
    ]);
    expect(results(linux)).toEqual(["probe -EFAULT", "getpid 1"]);
    const sgx = runScenario("bad-pointer", SGX);
    expect(count(sgx, "libos.fault")).toBeGreaterThan(10);
    expect(resultOf(sgx, "probe")).toBe("never returns");
  });

  it("illegal needs a VMA for the address, which SGX never gives: with an event from outside an internal fault", () => {
    const ran = runProgram(SGX, [on("SIGILL"), { compute: "1ms" }], [{ ...at("SIGILL", "600us"), thread: "main" }]);
    order(ran, ["illegal_upcall: no VMA for the address (always so under SGX, where it is 0)?", "libos.fault"]);
    expect(handled(ran)).toEqual([]);
  });
});

describe.each(BOTH)("2.12 deliver_signal, %s", (stack) => {
  it("now: preempt 1 while the handler runs, 0 after it", () => {
    const ran = runScenario("non-nested", stack);
    const [decided] = rowsOf(ran, { what: "libos.signal.decide" });
    expect([decided?.value, decided?.preempt]).toEqual([0, 1]);
    expect(rowsOf(ran, { what: "app.handler.enter" })[0]?.preempt).toBe(1);
    expect(rowsOf(ran, { where: "deliver_signal: tcb.context.preempt - 1" })[0]?.preempt).toBe(0);
  });

  it("deferred by preempt > 1: a copy from the heap, a ring slot, and no flush at the end", () => {
    const ran = runScenario("w4-term-during-int", stack);
    const second = rowsOf(ran, { what: "libos.signal.decide" })[1];
    expect([second?.value, second?.preempt, second?.signal]).toEqual([1, 2, 15]);
    order(ran, ["deliver_signal: deferred?", "deliver_signal: malloc(shim_signal)", "libos.signal.append", "app.handler.return"]);
    expect(count(ran, "libos.signal.fetch")).toBe(0);
  });

  it("deferred by the mask, synchronous or not: a blocked SIGFPE fault repeats until its ring is full", () => {
    const ran = runProgram(stack, [on("SIGFPE"), block("SIGFPE"), { fault: "divide" }], [], { limit: { time: "1s", transitions: 5000 } });
    expect(count(ran, "libos.signal.append")).toBe(31);
    expect(count(ran, "libos.signal.drop")).toBeGreaterThan(0);
    expect(handled(ran)).toEqual([]);
  });

  it("a full ring drops the 32nd", () => {
    const ran = runProgram(stack, [on("SIGUSR1"), block("SIGUSR1"), { loop: { times: 33, do: [raise("SIGUSR1")] } }, UNBLOCK]);
    expect(count(ran, "libos.signal.drop")).toBe(2);
    expect(handled(ran)).toHaveLength(31);
  });

  it("older pending ones of the same number go first", () => {
    const ran = runProgram(
      stack,
      [{ compute: "1ms" }, { compute: "9ms" }],
      [at("SIGINT", "600us"), { signal: "SIGTERM", when: { thread: "main", handler: "SIGINT" } }, at("SIGTERM", "5ms")],
    );
    expect(handled(ran)).toEqual(["SIGINT", "SIGTERM", "SIGTERM"]);
    expect(rowsOf(ran, { what: "app.handler.enter" }).map((row) => row.extra)).toEqual([1, 2, 3]);
    order(ran, [
      "deliver_signal: __handle_signal(sig, signal.context)  < deliver pending >",
      "libos.signal.fetch",
      "app.handler.enter",
      "deliver_signal: __handle_one_signal(sig, signal)  < deliver this signal >",
    ]);
  });

  it("SIG_IGN and SIG_DFL: 1 by choice, 0 by default", () => {
    const ran = runProgram(stack, [{ sigaction: { signal: "SIGINT", handler: "ignore" } }, raise("SIGINT"), raise("SIGUSR1")]);
    expect(rowsOf(ran, { what: "libos.signal.ignore" }).map((row) => [row.signal, row.value])).toEqual([
      [2, 1],
      [10, 0],
    ]);
  });

  it("SA_RESETHAND: the second time the default action is taken", () => {
    const ran = runProgram(stack, [on("SIGINT", "quick", { flags: ["SA_RESETHAND"] }), raise("SIGINT"), raise("SIGINT"), "getpid"]);
    expect(rowsOf(ran, { what: "libos.signal.deliver" }).map((row) => row.value)).toEqual([2, 0]);
    expect(resultOf(ran, "getpid")).toBe("never returns");
  });

  it("sa_mask, SA_NODEFER and the alternate stack play no part (D12): what comes in a handler is deferred", () => {
    const signals = [at("SIGINT", "600us"), at("SIGTERM", "650us")];
    const ran = runProgram(stack, [on("SIGINT", "slow", { flags: ["SA_NODEFER"] }), { compute: "1ms" }, "getpid"], signals, SLOW);
    const native = runProgram(
      "native-linux",
      [on("SIGINT", "slow", { flags: ["SA_NODEFER"] }), { compute: "1ms" }, "getpid"],
      signals,
      SLOW,
    );
    order(native, ["app.handler.enter", "app.handler.enter", "app.handler.return", "app.handler.return"]);
    order(ran, ["app.handler.enter", "app.handler.return", "app.handler.enter", "app.handler.return"]);
    expect(firstMissing(ran.rows, ["app.handler.enter", "app.handler.enter", "app.handler.return", "app.handler.return"])).not.toBe("");
  });

  it("a handler in a system call: syscall_nr is 0 meanwhile, and the saved context comes back, without the delayed bit", () => {
    const ran = runScenario("w3-delayed-bit", stack, { fixes: ["signal-delayed-breaks-preempt-assert"] });
    expect(endOf(ran)).toBe("exit");
    order(ran, [
      "__handle_one_signal: save LibOS-syscall context and reset it",
      "app.handler.enter",
      "shim_getpid: BEGIN_SHIM: syscall_nr, user registers",
      "__handle_one_signal: restore tcb.context (if saved)",
    ]);
  });

  it("the scan goes upward and yields after each; a lower number that comes meanwhile waits (pending-scan-no-rewind)", () => {
    const ran = runProgram(
      stack,
      [
        on("SIGUSR1"),
        on("SIGUSR2", "slow"),
        { clone: "sender" },
        { nanosleep: "995us" },
        block("SIGUSR2"),
        raise("SIGUSR2"),
        UNBLOCK,
        { compute: "1ms" },
        "getpid",
      ],
      [],
      { programs: SENDER, handlers: { slow: [{ compute: "300us" }] } },
    );
    expect(handled(ran)).toEqual(["SIGUSR2", "SIGUSR1"]);
    order(ran, [
      "app.handler.return",
      "__handle_signal: DkThreadYieldExecution()",
      "libos.signal.pending",
      "shim_sigprocmask: handle_signal(false)",
      "libos.signal.fetch",
      "app.handler.enter",
    ]);
  });

  it("numbers above 31 are never scanned (rt-signal-never-flushed)", () => {
    const ran = runProgram(stack, [on("40"), raise("40"), block("40"), raise("40"), UNBLOCK, "getpid"]);
    expect(handled(ran)).toEqual(["SIGRT8"]);
    expect(ran.rows.at(-1)?.pending).toBe(1);
  });
});

describe.each(BOTH)("2.13 and 2.14 delivery points, %s", (stack) => {
  it("END_SHIM: at preempt 0 with something pending", () => {
    const ran = runProgram(
      stack,
      [{ compute: "1ms" }, { compute: "1ms" }, "getpid"],
      [at("SIGINT", "600us"), { signal: "SIGTERM", when: { thread: "main", handler: "SIGINT" } }],
    );
    order(ran, [
      "app.handler.return",
      "shim_do_getpid: ret = tgid",
      "shim_getpid: handle_signal(false)",
      "libos.signal.fetch",
      "app.handler.enter",
      "libos.syscall.exit",
    ]);
  });

  it("unlock of the last lock: in the middle of a system call", () => {
    const ran = runProgram(
      stack,
      [{ "futex-wake": { on: "word" } }, "getpid"],
      [pin("SIGINT", "shim_do_futex_wake: nobody left to wake?")],
    );
    order(ran, [
      "libos.signal.append",
      "DkMutexRelease: locked := 0",
      "unlock: __handle_signal(0)",
      "libos.signal.fetch",
      "app.handler.enter",
      "shim_do_futex_wake: return",
    ]);
    expect(rowsOf(ran, { what: "libos.signal.decide" })[0]?.preempt).toBe(2);
  });

  it("a thread that waits for a LibOS lock defers everything", () => {
    const ran = runProgram(stack, [{ clone: "one" }, { nanosleep: "2ms" }, { accept: { on: "listener" } }], [inCall("SIGINT", "accept")], {
      programs: { one: [{ accept: { on: "listener" } }] },
      arrivals: [{ to: "listener", bytes: 2, when: { at: "9ms" } }],
    });
    expect(rowsOf(ran, { what: "libos.signal.decide" })[0]?.value).toBe(1);
    order(ran, [
      "DkObjectsWaitAny (mutex): nwaiters + 1",
      "libos.signal.append",
      "lock: NULL: try again",
      "DkObjectsWaitAny (mutex): cmpxchg: take it",
      "unlock: __handle_signal(0)",
      "app.handler.enter",
    ]);
    expect(resultOf(ran, "accept")).toBe("4");
  });

  it("a signal to oneself: at once", () => {
    order(runProgram(stack, [raise("SIGINT")]), [
      "shim_do_tgkill: deliver_signal(info, NULL) to self",
      "app.handler.enter",
      "shim_do_tgkill: return",
    ]);
    order(runProgram(stack, [{ kill: { signal: "SIGINT" } }]), [
      "shim_do_kill: deliver_signal(info, NULL) to self",
      "app.handler.enter",
      "shim_do_kill: return",
    ]);
  });

  it("nested: 1, 2, deferred, 1, 0; delivered at the application's next call", () => {
    const ran = runScenario("nested", stack);
    const walk = ran.rows.filter((row) => /deliver_signal: tcb.context.preempt [+-]/.test(row.where)).map((row) => row.preempt);
    expect(walk).toEqual([1, 2, 1, 0]);
    order(ran, ["app.handler.return", "program main: getpid()", "libos.signal.fetch", "app.handler.enter"]);
  });

  it("any call of a handler with something pending: the delayed bit, and the assertion of END_SHIM", () => {
    const ran = runScenario("w3-delayed-bit", stack);
    order(ran, ["libos.signal.append", "handle_signal: tcb.context.preempt > 1?", "libos.signal.delayed", "libos.assert"]);
    expect(endOf(ran)).toBe("assert");
  });

  it("blocked: delivered inside the sigprocmask that unblocks, at its unlock", () => {
    const ran = runScenario("spurious-yield", stack);
    const calls = ran.rows.filter((row) =>
      ["shim_do_sigprocmask: unlock(cur.lock)", "app.handler.enter", "libc sigprocmask: back in the application"].some(
        (name) => name === row.where || name === row.what,
      ),
    );
    expect(calls.slice(-4).map((row) => row.what)).toEqual(["call", "app.handler.enter", "app.handler.enter", "app.return"]);
  });
});
