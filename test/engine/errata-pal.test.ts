/**
 * Rows of the errata that are about the PAL calls inside the LibOS: locks, events, ocalls. Each test reads like its row. The scenarios are
 * the fixtures of the same name, or a few operations of their own.
 */

import { describe, expect, it } from "vitest";
import { PAL_ERROR, type StackName } from "../../engine/index.ts";
import { EVENT } from "../../engine/pal/events.ts";
import {
  endOf,
  handled,
  inCall,
  on,
  pin,
  type Ran,
  resultOf,
  rowsOf,
  rowsWithin,
  runProgram,
  runScenario,
  scenarioOf,
  visitsBefore,
} from "../support/run-scenario.ts";
import { LINUX, QUICK, run, runFixture, SGX } from "./errata-support.ts";
import { order } from "./reference-support.ts";

const seqOf = (ran: Ran, where: string, nth = 0): number => rowsOf(ran, { where })[nth]?.seq ?? -1;

describe("A3: lock() and unlock() are PAL calls even when nobody else is there", () => {
  it("an event pended after one call's check is taken at the next call's first lock, and its handler runs at the unlock", () => {
    const ran = runFixture("pend-after-check", LINUX);
    const [handler] = rowsOf(ran, { what: "app.handler.enter" });
    const call = ran.rows.find((row) => row.what === "app.call" && row.seq > seqOf(ran, "DkStreamWrite: return to the LibOS"));
    expect(call?.where).toContain("sigprocmask");
    expect(handler?.seq).toBeGreaterThan(call?.seq ?? 0);
    order(ran, [
      "DkStreamWrite: return to the LibOS",
      "pal.event.deliver",
      "libos.signal.append",
      "unlock: __handle_signal(0)",
      "app.handler.enter",
    ]);
    expect(rowsOf(ran, { what: "pal.event.deliver" })[0]?.preempt).toBe(1);
  });

  it("nanosleep has no lock: it is slept over, and the sigaction after it delivers", () => {
    const ran = runFixture("lock-pal", LINUX);
    const handler = rowsOf(ran, { what: "app.handler.enter" })[0]?.seq ?? 0;
    const second = ran.rows.filter((row) => row.what === "app.call" && row.where.includes("sigaction(SIGHUP"))[0]?.seq ?? 0;
    const back = ran.rows.find((row) => row.what === "app.return" && row.seq > second)?.seq ?? 0;
    expect(handler).toBeGreaterThan(second);
    expect(handler).toBeLessThan(back);
  });

  it("sigsuspend takes it at its first lock, puts it into the ring and sleeps over it", () => {
    const ran = runProgram(
      LINUX,
      ["getpid", "sigsuspend"],
      [pin("SIGINT", "DkObjectsWaitAny (mutex): cmpxchg: take it", "main", nthLock())],
    );
    order(ran, ["shim_do_sigsuspend: if (mask) lock(cur.lock)", "libos.signal.append", "thread.block"]);
    expect([handled(ran), endOf(ran)]).toEqual([[], "hang"]);
  });

  it("SGX pends nothing: the same lock is a PAL call without an ocall", () => {
    const ran = runProgram(SGX, [on("SIGUSR2")]);
    const rows = rowsWithin(ran, "sigaction");
    expect(rows.filter((row) => row.what === "pal.call.enter" && row.place.flow === "lock").length).toBeGreaterThan(1);
    expect(rows.filter((row) => row.what === "ocall.enter")).toEqual([]);
  });
});

/** Visits of the lock's cmpxchg by the main thread up to that of sigsuspend's own lock. */
function nthLock(): number {
  const ran = runProgram(LINUX, ["getpid", "sigsuspend"]);
  const lock = seqOf(ran, "shim_do_sigsuspend: if (mask) lock(cur.lock)");
  return rowsOf(ran, { where: "DkObjectsWaitAny (mutex): cmpxchg: take it", who: "main" }).filter((row) => row.seq < lock).length + 1;
}

describe("A15: a futex wait with timeout 0 under SGX has no timeout", () => {
  const wait = { "futex-wait": { on: "word", timeout: 0 } };

  it("it sleeps for ever, on Linux it ends", () => {
    expect(resultOf(runProgram(LINUX, [wait]), "futex_wait")).toBe("-ETIMEDOUT");
    const ran = runProgram(SGX, [wait]);
    expect([resultOf(ran, "futex_wait"), endOf(ran)]).toEqual(["never returns", "hang"]);
  });
});

describe("A18: a contended lock under SGX leaves DENIED in pal_errno", () => {
  const two = [{ clone: "other" }, { nanosleep: "1ms" }, { accept: { on: "o" } }, { read: { from: "p" } }];
  const more = {
    programs: { other: [{ accept: { on: "o" } }] },
    arrivals: [
      { to: "o", when: { at: "5ms" } },
      { to: "o", when: { at: "8ms" } },
      { to: "p", when: { at: "20ms" } },
    ],
  };
  const errors = (ran: Ran): number[] =>
    rowsOf(ran, { what: "libos.upcall.enter", who: "main", where: "DkObjectsWaitAny (mutex)" }).map((row) => row.extra);

  it("an interrupted wait for it: INTERRUPTED on Linux, DENIED on SGX", () => {
    const signals = [
      { signal: "SIGCHLD", when: { at: "90ms" } },
      { signal: "SIGINT", thread: "main", when: { at: "3ms" } },
    ];
    expect(errors(runProgram(LINUX, two, signals, more))).toEqual([PAL_ERROR.INTERRUPTED]);
    const site = "ocall_futex: unix_to_pal_error(result)";
    const nth = visitsBefore(runProgram(SGX, two, [], more), site, "accept") + 1;
    const ran = runProgram(SGX, two, [{ signal: "SIGCONT", thread: "main", when: { thread: "main", site, nth } }], more);
    expect(errors(ran)).toContain(PAL_ERROR.DENIED);
  });
});

describe("A20: names as in C", () => {
  it("every ocall is one of enclave_ocalls.c", () => {
    const KNOWN = (
      "exit print_string alloc_untrusted map_untrusted unmap_untrusted cpuid open close read write fstat fionread fsetnonblock fchmod fsync " +
      "ftruncate mkdir getdents wake_thread create_process futex socketpair sock_listen sock_accept sock_connect sock_recv sock_send " +
      "sock_recv_fd sock_send_fd sock_setopt sock_shutdown gettime sleep poll rename delete load_debug"
    ).split(" ");
    const ran = runProgram(SGX, ["getpid"]);
    const names = new Set(ran.run.sites.map((site) => site.flow).filter((name) => name.startsWith("ocall_")));
    expect(names.size).toBeGreaterThan(10);
    for (const name of names) expect(KNOWN).toContain(name.slice("ocall_".length));
  });
});

describe("A21: DkEventSet enters the kernel only for the change from 0 to 1, and only for a waiter", () => {
  const wakes = (signals: Parameters<typeof runProgram>[2]): Ran =>
    runProgram(
      LINUX,
      [on("SIGINT", "slow"), { clone: "one" }, { nanosleep: "2ms" }, { "futex-wake": { on: "word" } }, { nanosleep: "9ms" }],
      signals,
      {
        programs: { one: [{ "futex-wait": { on: "word" } }] },
        handlers: { slow: [{ compute: "5ms" }] },
      },
    );
  const SLEEP = "shim_do_futex_wait: thread_sleep: DkObjectsWaitAny(scheduler_event, timeout)";

  it("a waiter that sleeps is woken; one that has not come to its sleep yet finds the event set, and no futex call is made", () => {
    const asleep = wakes([]);
    const woken = (ran: Ran): number =>
      rowsWithin(ran, "futex_wake").filter((row) => row.where === "host futex-wake: futex-wake: enter the kernel").length;
    expect(woken(asleep)).toBe(1);
    const late = wakes([pin("SIGINT", SLEEP, "one")]);
    expect(rowsWithin(late, "futex_wake").flatMap((row) => (row.where === "DkEventSet: nwaiters == 0?" ? [row.value] : []))).toEqual([1]);
    expect(woken(late)).toBe(0);
    for (const ran of [asleep, late]) expect(resultOf(ran, "futex_wait", "one")).toBe("0");
  });

  it("a wait that SGX abandons leaves its count behind, and each set calls the host from then on; Linux counts down", () => {
    const futex = [
      on("SIGUSR1"),
      { "futex-wait": { on: "word" } },
      { clone: "waker" },
      { "futex-wait": { on: "word" } },
      { nanosleep: "5ms" },
    ];
    const left = (stack: StackName): number => {
      const ran = runProgram(stack, futex, [inCall("SIGINT", "futex-wait")], {
        programs: { waker: [{ nanosleep: "1ms" }, { "futex-wake": { on: "word" } }] },
      });
      const thread = ran.machine.objects.filter((object) => object.name === "scheduler_event");
      return Math.max(...thread.map((object) => object.waiters));
    };
    expect([left(LINUX), left(SGX)]).toEqual([0, 1]);
  });
});

describe("N2: SIGINT taken while the heap's lock is held allocates, and waits for itself", () => {
  const LEAVE = "DkObjectsWaitAny (mutex): LEAVE_PAL_CALL: __check_pending_event()";

  /** The LEAVE of the lock of the heap in the second sigaction: after that of the thread's lock. */
  const nth = (stack: StackName): number => {
    const ran = runProgram(stack, [on("SIGUSR2")]);
    const leaves = rowsOf(ran, { where: LEAVE, who: "main" });
    const heap =
      rowsOf(ran, { what: "lock", who: "main" })
        .filter((row) => ran.texts[row.detail] === "slab_mgr_lock")
        .at(-1)?.seq ?? 0;
    return leaves.findIndex((row) => row.seq > heap) + 1;
  };

  it("Linux: at the LEAVE of lock(slab_mgr_lock)", () => {
    const ran = runProgram(LINUX, [on("SIGUSR2")], [pin("SIGINT", LEAVE, "main", nth(LINUX))]);
    expect(endOf(ran)).toBe("hang");
    order(ran, ["pal.event.deliver", "deliver_signal: malloc(shim_signal)", "DkObjectsWaitAny (mutex): nwaiters + 1", "thread.block"]);
  });

  it("SGX: by an asynchronous exit inside the section", () => {
    const visits = rowsOf(runProgram(SGX, [on("SIGUSR2")]), { where: "malloc: take a block" }).length;
    const ran = runProgram(SGX, [on("SIGUSR2")], [pin("SIGINT", "malloc: take a block", "main", visits)]);
    expect(endOf(ran)).toBe("hang");
  });
});

describe("N3: LEAVE at preempt 0 runs the handler, LEAVE under a lock only takes the event", () => {
  it("in read of a pipe inside the PAL call, in accept at the unlock", () => {
    const read = runProgram(LINUX, [{ read: { from: "o" } }], [inCall("SIGINT", "read")]);
    order(read, ["pal.event.deliver", "app.handler.enter", "DkStreamRead: return to the LibOS"]);
    const accept = runProgram(LINUX, [{ accept: { on: "o" } }], [inCall("SIGINT", "accept")]);
    order(accept, [
      "pal.event.deliver",
      "DkStreamWaitForClient: return to the LibOS",
      "shim_do_accept: unlock(hdl.lock)",
      "app.handler.enter",
    ]);
  });
});

describe("A22: under SGX a RESUME that ends a wait has done its work", () => {
  it("no upcall, and the signal is not lost: the wait ends with EINTR, and the handler runs", () => {
    const main = [{ sigaction: { signal: "SIGUSR1", handler: "h" } }, { clone: "b" }, { "futex-wait": { on: "w" } }];
    const b = [{ nanosleep: "1ms" }, { tgkill: { thread: "main", signal: "SIGUSR1" } }];
    const ran = run({ main, programs: { b }, handlers: QUICK }, SGX);
    const told = rowsOf(ran, { what: "pal.event.deliver", who: "main" }).filter((row) => row.value === EVENT.RESUME);
    expect([told.length, resultOf(ran, "futex_wait"), handled(ran, "main")]).toEqual([1, "-EINTR", ["SIGUSR1"]]);
    expect(rowsOf(ran, { who: "main" }).filter((row) => row.what.endsWith(".lost"))).toEqual([]);
  });
});

describe("a time-out of an event under SGX (found beside A15)", () => {
  it("is taken for a word that has changed: thread_sleep(t) goes round for ever (Linux-SGX/db_events.c:94-107)", () => {
    const scenario = scenarioOf({ main: [{ "futex-wait": { on: "w", timeout: "1ms" } }], limit: { time: "20ms", transitions: 9000 } });
    const ran = runScenario(scenario, SGX);
    expect(resultOf(ran, "futex_wait")).toBe("never returns");
    expect(rowsOf(ran, { what: "thread.wake" }).length).toBe(19);
    expect(resultOf(runScenario(scenario, LINUX), "futex_wait")).toBe("-ETIMEDOUT");
  });
});

describe("N17: with debug_type each line about a call is a PAL call at preempt 0", () => {
  const pended = (debug: boolean): Ran =>
    runProgram(
      LINUX,
      [{ nanosleep: "1ms" }, "getpid", { nanosleep: "5ms" }],
      [pin("SIGINT", "DkThreadDelayExecution: return to the LibOS")],
      {
        debug,
      },
    );

  it("an event pended after the check of a sleep waits for the next lock or PAL call; with debugging on the line about the sleep is one", () => {
    const quiet = pended(false);
    const sleep = rowsOf(quiet, { where: "libc nanosleep: back in the application" });
    const handler = (ran: Ran): number => rowsOf(ran, { what: "app.handler.enter" })[0]?.seq ?? 0;
    expect(handler(quiet)).toBeGreaterThan(rowsOf(quiet, { where: "libc getpid: back in the application" })[0]?.seq ?? 0);
    expect(handler(quiet)).toBeLessThan(sleep[1]?.seq ?? 0);
    const loud = pended(true);
    order(loud, [
      "DkThreadDelayExecution: return to the LibOS",
      "shim_nanosleep: debug: the result",
      "app.handler.enter",
      "shim_nanosleep: return",
    ]);
  });
});
