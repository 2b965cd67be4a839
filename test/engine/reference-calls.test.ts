/** Calls that wait, and alarms, branch by branch: sections 2.18 to 2.20 of the reference. */

import { describe, expect, it } from "vitest";
import type { StackName } from "../../engine/index.ts";
import {
  at,
  count,
  endOf,
  handled,
  inCall,
  on,
  type Ran,
  resultOf,
  results,
  rowsOf,
  runProgram,
  runScenario,
  SENDER,
} from "../support/run-scenario.ts";
import { order } from "./reference-support.ts";

const LINUX = "graphene-linux";
const SGX = "graphene-sgx";
const BOTH: readonly StackName[] = [LINUX, SGX];

describe.each(BOTH)("2.18 sigsuspend and pause, %s", (stack) => {
  it("sigsuspend: locks, changes the mask, clears the event, sleeps with the lock, flushes at the unlock, puts the mask back", () => {
    const ran = runScenario("sigsuspend-flag", stack);
    order(ran, [
      "shim_do_sigsuspend: if (mask) lock(cur.lock)",
      "shim_do_sigsuspend: old := mask; mask := new; suspend_on_signal := true",
      "shim_do_sigsuspend: thread_setwait: DkEventClear(scheduler_event)",
      "thread.block",
      "thread.wake",
      "shim_do_sigsuspend: unlock(cur.lock): flush under the new mask",
      "shim_do_sigsuspend: mask := old",
      "shim_do_sigsuspend: return",
    ]);
    const [masked] = rowsOf(ran, { where: "mask := new" });
    expect(rowsOf(ran, { what: "thread.block", who: "main" }).find((row) => row.seq > (masked?.seq ?? 0))?.preempt).toBe(1);
    // The handler had to wait for the unlock: it was deferred while the lock was held.
    order(ran, ["libos.signal.append", "unlock: __handle_signal(0)", "app.handler.enter", "shim_do_sigsuspend: mask := old"]);
    expect(resultOf(ran, "sigsuspend")).toBe("-EINTR");
  });

  it("sigsuspend: any return of the wait ends it, even for a signal that its mask blocks", () => {
    const ran = runProgram(stack, [on("SIGALRM"), { alarm: "1s" }, { sigsuspend: { mask: ["SIGALRM"] } }]);
    expect(resultOf(ran, "sigsuspend")).toBe("-EINTR");
    // The handler runs when the old mask is back, at the end of the same call.
    order(ran, ["shim_do_sigsuspend: mask := old", "app.handler.enter", "libc sigsuspend: back in the application"]);
    const native = runProgram("native-linux", [on("SIGALRM"), { alarm: "1s" }, { sigsuspend: { mask: ["SIGALRM"] } }]);
    expect(resultOf(native, "sigsuspend")).toBe("never returns");
  });

  it("sigsuspend: a sender that wants the sleeper's lock waits for ever, and with thread_list_lock so does the rest", () => {
    const ran = runScenario("sigsuspend-lock", stack);
    order(ran, ["shim_do_tgkill: lock(thread->lock)", "DkObjectsWaitAny (mutex): nwaiters + 1", "thread.block"], "sender");
    expect(endOf(ran)).toBe("hang");
  });

  it("pause: sleeps of 1 ms until one returns 0", () => {
    const ran = runScenario("w12-pause-alarm", stack);
    expect(handled(ran)).toEqual(["SIGALRM"]);
    expect(resultOf(ran, "pause")).toBe(stack === SGX ? "0" : "never returns");
    const sleeps = rowsOf(ran, { what: "pal.call.leave", where: "DkThreadDelayExecution" }).map((row) => row.value);
    expect(sleeps[0]).toBe(1000);
    if (stack === LINUX) expect(Math.min(...sleeps)).toBeGreaterThan(0);
  });
});

describe.each(BOTH)("2.19 alarm, setitimer, async helper, %s", (stack) => {
  it("installs under the lock, creates the helper, wakes it by its pipe; the helper sends SIGALRM to the caller's ring", () => {
    const ran = runScenario("alarm", stack);
    order(ran, [
      "install_async_event: time = DkSystemTimeQuery()",
      "install_async_event: lock(async_helper_lock)",
      "install_async_event: append event to global async_list",
      "install_async_event: create_async_helper()  < if not alive >",
      "install_async_event: unlock(async_helper_lock)",
      "install_async_event: set_event: DkStreamWrite(async_helper_event)",
    ]);
    order(
      ran,
      [
        "shim_async_helper: timeout fired: call event.callback",
        "libos.signal.append",
        "libos.wake",
        "host.signal.generate",
        "shim_async_helper: async_list.pop()",
      ],
      "async-helper",
    );
    const [appended] = rowsOf(ran, { what: "libos.signal.append" });
    expect([appended?.signal, appended?.value]).toEqual([14, 0]);
    expect(resultOf(ran, "nanosleep")).toBe("-EINTR");
  });

  it("directed to the thread that called alarm, not to the process (D13)", () => {
    const ran = runProgram(stack, [on("SIGALRM"), { clone: "one" }, { nanosleep: "2s" }], [], {
      programs: { one: [{ alarm: "1s" }, { nanosleep: "2s" }] },
    });
    expect(rowsOf(ran, { what: "app.handler.enter" }).map((row) => row.who)).toEqual(["one"]);
    expect([resultOf(ran, "nanosleep"), resultOf(ran, "nanosleep", "one")]).toEqual(["0", "-EINTR"]);
  });

  it("a later alarm removes the earlier and returns its remaining seconds, rounded up; alarm(0) only removes", () => {
    const ran = runProgram(stack, [
      on("SIGALRM"),
      { alarm: "3s" },
      { alarm: "2s" },
      { nanosleep: "1ms" },
      { alarm: "0s" },
      { nanosleep: "4s" },
    ]);
    expect(results(ran).filter((text) => text.startsWith("alarm"))).toEqual(["alarm 0", "alarm 3", "alarm 2"]);
    expect(handled(ran)).toEqual([]);
  });

  it("the last entry goes, whatever it is: setitimer or FIOASYNC cancels an alarm", () => {
    for (const other of [{ setitimer: { value: "3s" } }, { fioasync: { on: "socket" } }]) {
      const ran = runProgram(stack, [on("SIGALRM"), { alarm: "1s" }, other, { nanosleep: "2s" }]);
      const removed = rowsOf(ran, { where: "install_async_event: remove the previous entry" }).at(-1);
      expect([removed?.extra, handled(ran)]).toEqual([2, []]);
    }
  });

  it("setitimer: its callback keeps books and sends nothing", () => {
    const ran = runProgram(stack, [on("SIGALRM"), { setitimer: { value: "5ms", interval: "5ms" } }, { nanosleep: "50ms" }]);
    order(
      ran,
      [
        "shim_async_helper: timeout fired: call event.callback",
        "shim_async_helper: setitimer: only its bookkeeping",
        "shim_async_helper: async_list.pop()",
      ],
      "async-helper",
    );
    expect(rowsOf(ran, { where: "shim_async_helper: timeout fired" })).toHaveLength(1);
    expect([handled(ran), resultOf(ran, "nanosleep")]).toEqual([[], "0"]);
  });

  it("whatever ends the helper's wait counts as the time-out: a signal for the helper fires the alarm early (D14)", () => {
    const ran = runProgram(
      stack,
      [on("SIGALRM"), { alarm: "1s" }, { nanosleep: "2s" }],
      [{ ...at("SIGINT", "5ms"), thread: "async-helper" }],
    );
    const [fired] = rowsOf(ran, { where: "shim_async_helper: timeout fired" });
    expect(fired?.value).toBeGreaterThan(900_000);
    expect(Math.floor((fired?.time ?? 0) / 1e6)).toBe(5);
  });

  it("the helper turns every millisecond for ever, and serves the next alarm", () => {
    const ran = runProgram(stack, [
      on("SIGALRM"),
      { alarm: "1s" },
      { nanosleep: "2s" },
      { nanosleep: "1s" },
      { alarm: "1s" },
      { nanosleep: "2s" },
    ]);
    const idle = rowsOf(ran, { where: "shim_async_helper: no next event: continue", who: "async-helper" }).filter((row) => row.value === 1);
    expect(idle.length).toBeGreaterThan(900);
    expect(rowsOf(ran, { where: "shim_async_helper: async helper thread started" })).toHaveLength(1);
    expect(handled(ran)).toEqual(["SIGALRM", "SIGALRM"]);
  });
});

/** Who interrupts: the host (SIGINT from outside) or another thread of the LibOS (SIGUSR1, then SIGCONT: RESUME). */
type Sender = "host" | "libos";

/** One line of the table of 2.20: the call, and its result per [stack, sender]; a wait that goes on ends by itself at the end. */
type Line = readonly [call: string, operation: unknown, linux: string, sgxResume: string, sgxHost: string];

// biome-ignore format: a table, one line a call
const TABLE: readonly Line[] = [
  ["futex_wait", { "futex-wait": { on: "word", timeout: "9ms" } }, "-EINTR", "-EINTR", "0"],
  ["read", { read: { from: "pipe" } }, "-EINTR", "0", "0"],
  ["accept", { accept: { on: "listener" } }, "-EINTR", "0", "0"],
  ["poll", { poll: { on: ["pipe"], timeout: "9ms" } }, "0", "0", "0"],
  ["epoll_wait", { "epoll-wait": { on: ["pipe"], timeout: "9s" } }, "0", "0", "0"],
  ["nanosleep", { nanosleep: "9ms" }, "-EINTR", "-EINTR", "-EINTR"],
  ["semop", { semop: { takes: "9ms", result: 0 } }, "0", "0", "0"],
  ["msgrcv", { msgrcv: { takes: "9ms", result: 5 } }, "5", "5", "5"],
  ["wait4", { wait4: { child: "child" } }, "2", "2", "2"],
  ["pause", "pause", "never returns", "0", "0"],
  ["call", { call: { name: "recvmsg", takes: "9ms", result: 7 } }, "-EINTR", "0", "0"],
];

const interrupted = (stack: StackName, operation: unknown, sender: Sender, before: readonly unknown[] = []): Ran =>
  runProgram(
    stack,
    [
      on("SIGUSR1"),
      ...(JSON.stringify(operation).includes("wait4") ? [{ fork: "child" }] : []),
      ...(sender === "libos" ? [{ clone: "sender" }] : []),
      ...before,
      operation,
      "getpid",
    ],
    sender === "host" ? [at("SIGINT", "2ms")] : [],
    {
      programs: { sender: [{ nanosleep: "1500us" }, ...SENDER.sender.slice(1)], child: [{ nanosleep: "20ms" }] },
      limit: { time: "30ms", transitions: 50_000 },
    },
  );

const CELLS = TABLE.flatMap(([call, operation, linux, sgxResume, sgxHost]): [string, StackName, Sender, string, unknown][] => [
  [call, LINUX, "host", linux, operation],
  [call, LINUX, "libos", linux, operation],
  [call, SGX, "libos", sgxResume, operation],
  [call, SGX, "host", sgxHost, operation],
]);

describe("2.20 how EINTR reaches the application, or misses it", () => {
  it.each(CELLS)("%s on %s, interrupted by the %s: %s", (call, stack, sender, result, operation) => {
    const ran = interrupted(stack, operation, sender);
    expect(resultOf(ran, call)).toBe(result);
    expect(handled(ran)).toEqual([sender === "host" ? "SIGINT" : "SIGUSR1"]);
  });

  it.each(CELLS.filter(([, stack]) => stack === LINUX))(
    "%s natively, for %s's row and the %s: -EINTR",
    (call, _, sender, __, operation) => {
      expect(resultOf(interrupted("native-linux", operation, sender), call)).toBe("-EINTR");
    },
  );

  it.each([
    ["futex_wait", { "futex-wait": { on: "word", timeout: "9ms" } }, "-ETIMEDOUT"],
    ["read", { read: { from: "pipe" } }, "-EAGAIN"],
    ["accept", { accept: { on: "listener" } }, "-EAGAIN"],
  ])("%s on SGX after a call that failed with EAGAIN: the stale error, %s", (call, operation, result) => {
    const stale = [{ read: { takes: "1us", result: -11 } }];
    expect(resultOf(interrupted(SGX, operation, "host", stale), call)).toBe(result);
    expect(resultOf(interrupted(LINUX, operation, "host", stale), call)).toBe("-EINTR");
  });

  it("futex_wait, woken: 0; timed out: -ETIMEDOUT on Linux, while SGX takes a time-out for a changed word and waits on", () => {
    for (const stack of BOTH) {
      const woken = runProgram(stack, [{ clone: "one" }, { "futex-wait": { on: "word" } }], [], {
        programs: { one: [{ nanosleep: "1ms" }, { "futex-wake": { on: "word" } }] },
      });
      expect([resultOf(woken, "futex_wait"), resultOf(woken, "futex_wake", "one")]).toEqual(["0", "1"]);
      const late = runProgram(stack, [{ "futex-wait": { on: "word", timeout: "1ms" } }], [], { limit: { time: "9ms", transitions: 9000 } });
      expect(resultOf(late, "futex_wait")).toBe(stack === SGX ? "never returns" : "-ETIMEDOUT");
      expect(rowsOf(late, { what: "thread.wake", who: "main", where: "futex" }).length).toBe(stack === SGX ? 8 : 1);
    }
  });

  it("accept holds the handle's lock: the handler is deferred to the unlock (Linux PAL)", () => {
    const ran = interrupted(LINUX, { accept: { on: "listener" } }, "host");
    order(ran, [
      "shim_do_accept: lock(hdl.lock)",
      "libos.signal.append",
      "shim_do_accept: unlock(hdl.lock)",
      "app.handler.enter",
      "shim_do_accept: return",
    ]);
  });

  it("poll on the Linux PAL: the handler ran inside, long before the time-out, and the call looks like one", () => {
    const ran = interrupted(LINUX, { poll: { on: ["pipe"], timeout: "9ms" } }, "host");
    const [back] = rowsOf(ran, { where: "libc poll: back in the application" });
    expect((back?.time ?? 0) / 1e6).toBeLessThan(3);
    order(ran, ["app.handler.enter", "libc poll: back in the application"]);
  });

  it("nanosleep: the rest is what was not slept on Linux, the whole request under SGX", () => {
    const rest = (stack: StackName): number =>
      rowsOf(interrupted(stack, { nanosleep: "9ms" }, "host"), { where: "slept shorter than asked", who: "main" })[0]?.value ?? 0;
    expect(rest(LINUX)).toBeGreaterThan(7e6);
    expect(rest(LINUX)).toBeLessThan(9e6);
    expect(rest(SGX)).toBe(9e6);
  });

  it("nanosleep above a second: the rest is wrong by the slip in its arithmetic", () => {
    const ran = runProgram(LINUX, [{ nanosleep: "3s" }], [at("SIGINT", "5ms")]);
    const [row] = rowsOf(ran, { where: "slept shorter than asked" });
    expect(row?.value).toBeGreaterThan(1e9);
  });

  it("wait4 for any child under SGX: no upcall in the wait, the handler runs at the loop's own lock", () => {
    const ran = interrupted(SGX, "wait4", "libos");
    order(ran, [
      "_DkHandleExternalEvent: return at once: the code survives, no upcall",
      "shim_do_wait4: unlock(cur->lock)",
      "libos.signal.fetch",
      "app.handler.enter",
      "libc wait4: back in the application",
    ]);
    const [entered] = rowsOf(ran, { what: "app.handler.enter" });
    expect((entered?.time ?? 0) / 1e6).toBeLessThan(3);
  });

  it("wait4 for one child under SGX: the handler runs at the loop's unlock of that child's record", () => {
    const ran = interrupted(SGX, { wait4: { child: "child" } }, "libos");
    const [entered] = rowsOf(ran, { what: "app.handler.enter" });
    expect((entered?.time ?? 0) / 1e6).toBeLessThan(3);
    expect(resultOf(ran, "wait4")).toBe("2");
  });

  it("SA_RESTART is never honoured", () => {
    for (const stack of BOTH) {
      const ran = runProgram(
        stack,
        [on("SIGINT", "quick", { flags: ["SA_RESTART"] }), { nanosleep: "9ms" }],
        [inCall("SIGINT", "nanosleep")],
      );
      expect(resultOf(ran, "nanosleep")).toBe("-EINTR");
      expect(count(ran, "app.handler.enter")).toBe(1);
    }
  });
});
