/** The Linux PAL, branch by branch as the reference lists them: sections 2.7 to 2.10. */

import { describe, expect, it } from "vitest";
import {
  at,
  count,
  endOf,
  exitOf,
  handled,
  inCall,
  on,
  pin,
  type Ran,
  resultOf,
  rowsOf,
  runProgram,
  runScenario,
  SENDER,
  stepsOf,
} from "../support/run-scenario.ts";
import { order } from "./reference-support.ts";

const NATIVE = "native-linux";
const LINUX = "graphene-linux";
const TERM = "_DkTerminateSighandler";
/** The error of the host call is known, the events kept meanwhile are not delivered yet. */
const RAISE = "DkStreamRead: _DkRaiseFailure(error): upcall FAILURE";

describe("2.7 Linux PAL initialisation", () => {
  const ran = runScenario("initialisation", LINUX);

  it("SIGCHLD ignored, SIGPIPE to an empty handler, five synchronous and three asynchronous signals, no sigprocmask (D6)", () => {
    const set = rowsOf(ran, { what: "host.sigaction" });
    expect(set.map((row) => row.signal)).toEqual([17, 13, 8, 11, 7, 4, 31, 15, 2, 18]);
    expect(count(ran, "host.sigprocmask")).toBe(0);
    order(ran, [
      "signal_setup: SIGCHLD := SIG_IGN, SA_NOCLDWAIT",
      "signal_setup: SIGPIPE := _DkPipeSighandler",
      "shim_init: tcb.context.preempt := 1",
    ]);
  });

  it("every handler has SIGCONT in its mask", () => {
    const inHandler = runProgram(LINUX, [{ compute: "1ms" }], [at("SIGINT", "600us"), pin("SIGCONT", "handler quick: compute")]);
    order(inHandler, ["app.handler.enter", "app.handler.return", "host.sigreturn", "host.signal.deliver"]);
    expect(rowsOf(inHandler, { what: "host.signal.deliver" }).map((row) => row.value)).toEqual([1, 1]);
  });

  it("a child keeps what its parent's thread has blocked: forked in a handler, it is deaf to that signal", () => {
    const ran = runProgram(
      LINUX,
      [{ compute: "1ms" }, { nanosleep: "9ms" }],
      [at("SIGINT", "600us"), { signal: "SIGINT", process: "child", when: { at: "3ms" } }],
      {
        handlers: { quick: [{ fork: "child" }] },
        programs: { child: [on("SIGINT", "quick"), { nanosleep: "5ms" }] },
        limit: { time: "20ms", transitions: 5000 },
      },
    );
    expect(rowsOf(ran, { what: "host.signal.deliver", who: "child" })).toEqual([]);
    expect(resultOf(ran, "nanosleep", "child")).toBe("0");
  });

  it("write to a closed pipe: the error comes, SIGPIPE does not", () => {
    const program = [on("SIGPIPE"), { close: { what: "pipe" } }, { write: { to: "pipe" } }];
    const ran = runProgram(LINUX, program);
    order(ran, ["host.signal.generate", "host.signal.deliver", "_DkPipeSighandler: assert RIP in PAL; nothing else"]);
    expect([resultOf(ran, "write"), handled(ran)]).toEqual(["-ECONNRESET", []]);
    expect(handled(runProgram(NATIVE, program))).toEqual(["SIGPIPE"]);
  });

  it("the host's SIGCHLD is thrown away, the application's comes from the LibOS", () => {
    const ran = runProgram(LINUX, [on("SIGCHLD"), { fork: "child" }, "wait4"], [], { programs: { child: ["getpid"] } });
    expect(ran.rows.filter((row) => row.what === "host.signal.discard").map((row) => row.signal)).toEqual([17]);
    expect(rowsOf(ran, { what: "libos.signal.append", who: "ipc-helper" }).map((row) => [row.who, row.signal])).toEqual([
      ["ipc-helper", 17],
    ]);
    expect(handled(ran)).toEqual(["SIGCHLD"]);
  });

  it("before signal_setup the host's defaults apply", () => {
    expect(endOf(runProgram(LINUX, [], [pin("SIGTERM", "pal_linux_main: signal_setup()")]))).toBe("killed");
  });
});

describe("2.8 Linux PAL, async signal", () => {
  const read = (...signals: Parameters<typeof runProgram>[2] & object): Ran =>
    runProgram(LINUX, [{ read: { takes: "5ms", result: 8 } }, "getpid"], signals);

  it("in PAL: kept, EINTR to PAL code, delivered at LEAVE in normal context, after the error and before it is returned", () => {
    const ran = read(inCall("SIGINT", "read"));
    order(ran, [
      "host.signal.deliver",
      `${TERM}: RIP in PAL text? signal arrived during PAL call`,
      `${TERM}: tcb.pending_event := event`,
      "host.sigreturn",
      "DkStreamRead: _DkRaiseFailure(error): upcall FAILURE",
      "DkStreamRead: LEAVE_PAL_CALL: __check_pending_event()",
      "__check_pending_event: take tcb.pending_event",
      "libos.upcall.enter",
      "app.handler.enter",
      "app.handler.return",
      "pal.call.leave",
      "app.return",
    ]);
    expect(rowsOf(ran, { what: "app.handler.enter" })[0]?.value).toBe(0);
    expect(resultOf(ran, "read")).toBe("-EINTR");
  });

  it("a second event is queued behind the first; the handler's own PAL calls do not look at the queue", () => {
    const ran = runProgram(LINUX, [{ read: { from: "pipe" } }], [inCall("SIGINT", "read"), pin("SIGTERM", RAISE)], {
      handlers: { quick: [{ write: { takes: "1us", result: 1 } }] },
    });
    order(ran, ["pal.event.pend", `${TERM}: append the event to tcb.pending_queue`]);
    // pending_event is zero again when the handler's write looks, so the queue waits: nothing is drained inside.
    order(ran, [
      "app.handler.enter",
      "app.handler.return",
      "__check_pending_event: take the next of tcb.pending_queue",
      "app.handler.enter",
    ]);
    expect(handled(ran)).toEqual(["SIGINT", "SIGTERM"]);
  });

  it("the order can become first, third, second: an event that comes inside opens the queue there", () => {
    const ran = runProgram(
      LINUX,
      [on("SIGINT", "writes"), { read: { from: "pipe" } }, "getpid"],
      [inCall("SIGINT", "read"), pin("SIGTERM", RAISE), pin("SIGCONT", "DkStreamWrite: no error?")],
      { handlers: { writes: [{ write: { takes: "1us", result: 1 } }] } },
    );
    const events = rowsOf(ran, { what: "pal.event.deliver" }).map((row) => row.value);
    expect(events).toEqual([5, 6, 4]);
  });

  it("not in PAL: handled at once, the application's handler included, in signal context", () => {
    const ran = runProgram(LINUX, [{ compute: "1ms" }], [at("SIGINT", "600us")]);
    order(ran, [
      "host.signal.deliver",
      "libos.upcall.enter",
      "app.handler.enter",
      "app.handler.return",
      "pal.exception.return",
      "host.sigreturn",
    ]);
    expect(rowsOf(ran, { what: "app.handler.enter" })[0]?.value).toBe(1);
    expect(count(ran, "pal.event.pend")).toBe(0);
  });

  it("in PAL, before the host call: kept, and the call sleeps on (wakeup-lost-before-block)", () => {
    const ran = read(pin("SIGINT", "DkStreamRead: INLINE_SYSCALL(read)"));
    order(ran, ["pal.event.pend", "thread.block", "thread.wake", "pal.event.deliver", "app.handler.enter"]);
    expect(resultOf(ran, "read")).toBe("8");
    const [pended] = rowsOf(ran, { what: "pal.event.pend" });
    const [entered] = rowsOf(ran, { what: "app.handler.enter" });
    expect((entered?.time ?? 0) - (pended?.time ?? 0)).toBeGreaterThan(4e6);
  });

  it("after the check, still in PAL: kept until the end of the next PAL call", () => {
    const ran = runProgram(
      LINUX,
      [{ read: { takes: "1us", result: 8 } }, "getpid", { compute: "1ms" }, { nanosleep: "1us" }],
      [pin("SIGINT", "DkStreamRead: return to the LibOS")],
    );
    order(ran, [
      "pal.event.pend",
      "libc getpid: back in the application",
      "DkThreadDelayExecution: LEAVE_PAL_CALL: __check_pending_event()",
      "pal.event.deliver",
    ]);
  });

  it("DkSystemTimeQuery has no check at its end (D7)", () => {
    const ran = runProgram(LINUX, ["gettime", "getpid", { nanosleep: "1us" }], [pin("SIGINT", "DkSystemTimeQuery: microseconds")]);
    order(ran, [
      "pal.event.pend",
      "libc gettimeofday: back in the application",
      "libc getpid: back in the application",
      "pal.event.deliver",
    ]);
  });

  it("vDSO code called from PAL counts as application code: handled at once, inside the PAL call", () => {
    const ran = runProgram(LINUX, ["gettime"], [pin("SIGINT", "vdso_clock_gettime: read the time page")]);
    order(ran, [
      "DkSystemTimeQuery: clock_gettime in the vDSO",
      "app.handler.enter",
      "app.handler.return",
      "DkSystemTimeQuery: microseconds",
    ]);
    expect(count(ran, "pal.event.pend")).toBe(0);
  });

  it("during the yield of a pending scan: kept, and deferred at its LEAVE, because preempt is 1", () => {
    const ran = runProgram(
      LINUX,
      [
        on("SIGUSR1"),
        { sigprocmask: { how: "block", signals: ["SIGUSR1"] } },
        { tgkill: { signal: "SIGUSR1" } },
        { sigprocmask: { how: "set", signals: [] } },
      ],
      [pin("SIGINT", "DkThreadYieldExecution: no error?")],
    );
    order(ran, ["app.handler.return", "pal.event.pend", "pal.event.deliver", "libos.signal.append", "libos.signal.fetch"]);
    expect(rowsOf(ran, { what: "libos.signal.decide", where: "deliver_signal" }).at(-1)?.value).toBe(1);
    expect(handled(ran)).toEqual(["SIGUSR1", "SIGINT"]);
  });

  it("in the PAL text of another signal's handler: kept; in the application's handler: nested at once", () => {
    const inPal = runProgram(
      LINUX,
      [{ compute: "1ms" }, { nanosleep: "1us" }],
      [at("SIGINT", "600us"), pin("SIGTERM", `${TERM}: event := signal`)],
    );
    expect(rowsOf(inPal, { what: "pal.event.pend" }).map((row) => row.signal)).toEqual([15]);
    const inApp = runProgram(
      LINUX,
      [{ compute: "1ms" }, { nanosleep: "1us" }],
      [at("SIGINT", "600us"), pin("SIGTERM", "handler quick: compute")],
    );
    expect(count(inApp, "pal.event.pend")).toBe(0);
    expect(rowsOf(inApp, { what: "host.signal.deliver" }).map((row) => row.value)).toEqual([1, 2]);
  });

  it("the second event allocates: in the middle of the PAL's allocator the thread waits for itself", () => {
    const place = "pal_malloc: take a block";
    const ran = runProgram(LINUX, [{ clone: "one" }], [pin("SIGINT", place), pin("SIGTERM", place)], { programs: { one: ["getpid"] } });
    order(ran, [
      "lock",
      "host.signal.deliver",
      "host.signal.deliver",
      "pal.event.pend",
      "pal_malloc: wait for the slab lock",
      "thread.block",
    ]);
    expect(ran.machine.threads[0]?.state).toBe("blocked");
    expect(resultOf(ran, "clone")).toBe("never returns");
  });

  it("no upcall registered: at LEAVE the event is dropped, elsewhere the thread exits", () => {
    const child = (site: string): Ran =>
      runProgram(LINUX, [{ fork: "child" }, { nanosleep: "9ms" }], [pin("SIGTERM", site, "child")], { programs: { child: ["getpid"] } });
    const atLeave = child("DkThreadCreate: handle of the new one");
    order(atLeave, ["pal.event.pend", "pal.event.deliver", "pal.event.lost", "app.return"], "child");
    expect(exitOf(atLeave, "child")).toBe(0);
    const elsewhere = child("shim_init: tcb.context.preempt := 1");
    order(elsewhere, ["host.signal.deliver", "pal.event.lost", `${TERM}: no handler: the thread ends`, "thread.exit"], "child");
    expect(exitOf(elsewhere, "child")).toBe(2);
  });

  it("SIGCONT is the RESUME event: it delivers what another thread put into the ring", () => {
    const ran = runProgram(LINUX, [on("SIGUSR1"), { clone: "sender" }, { read: { from: "pipe" } }], [], { programs: SENDER });
    order(ran, [
      "host.signal.deliver",
      "pal.event.pend",
      "pal.event.deliver",
      "libos.upcall.enter",
      "libos.signal.fetch",
      "app.handler.enter",
    ]);
    expect(rowsOf(ran, { what: "host.signal.deliver" })[0]?.signal).toBe(18);
  });
});

describe("2.9 and 2.10", () => {
  it("2.9: in PAL text: a message, the thread exits, the LibOS is not told", () => {
    const ran = runScenario("sync-in-pal", LINUX);
    order(
      ran,
      [
        "host.signal.deliver",
        "_DkGenericSighandler: RIP in PAL text?",
        "pal.event.lost",
        "DkThreadExit: _DkThreadExit(): kill this thread",
        "thread.exit",
      ],
      "reader",
    );
    expect(exitOf(ran, "reader")).toBe(2);
    expect(stepsOf(ran, "try_process_exit", "reader")).toEqual([]);
  });

  it.each([
    ["divide", "SIGFPE", 1],
    ["memory", "SIGSEGV", 2],
    ["illegal", "SIGILL", 3],
  ])("2.9, 2.10: %s elsewhere: handled in signal context, and the changed registers go back", (what, signal, event) => {
    const ran = runProgram(LINUX, [on(signal, "skip"), { fault: { what, address: 0x2000 } }, "getpid"], [], {
      handlers: { skip: ["skip-fault"] },
    });
    order(ran, [
      "app.fault",
      "host.signal.deliver",
      "libos.upcall.enter",
      "app.handler.enter",
      "pal.exception.return",
      "host.sigreturn",
      "app.call",
    ]);
    expect(rowsOf(ran, { what: "libos.upcall.enter" })[0]?.value).toBe(event);
    expect(rowsOf(ran, { where: "siginfo_t info" })[0]?.value).toBe(0x2000);
    expect(rowsOf(ran, { what: "pal.exception.return" })[0]?.value).toBe(1);
    expect(count(ran, "app.fault")).toBe(1);
  });

  it("2.10: an event without an interrupted context (kept in PAL) has no registers to put back", () => {
    const ran = runScenario("async-in-pal", LINUX);
    expect(rowsOf(ran, { what: "pal.exception.return" }).map((row) => row.value)).toEqual([0, 0]);
    expect(stepsOf(ran, "_DkExceptionReturn").at(-1)).toBe("unwind the call stack as usual");
  });
});
