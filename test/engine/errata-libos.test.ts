/**
 * Rows of the errata that are about calls of the LibOS and the PAL below them: each test reads like its row. The scenarios are the fixtures
 * of the same name, or a few operations of their own.
 */

import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { PAL_ERROR, parseScenario, type Scenario, type StackName, signalNumber } from "../../engine/index.ts";
import {
  count,
  endOf,
  handled,
  inCall,
  on,
  pin,
  type Ran,
  resultOf,
  results,
  rowsOf,
  runProgram,
  runScenario,
  SENDER,
  scenarioOf,
} from "../support/run-scenario.ts";
import { order } from "./reference-support.ts";

const NATIVE = "native-linux";
const LINUX = "graphene-linux";
const SGX = "graphene-sgx";
const BOTH = [LINUX, SGX] as const;

const FOLDER = path.resolve(import.meta.dirname, "../fixtures/fidelity");
const fixture = (name: string): Scenario => parseScenario(readFileSync(path.join(FOLDER, `${name}.yaml`), "utf8"), name);
const run = (name: string, stack: StackName): Ran => runScenario(fixture(name), stack);

/** `objects` of a scenario in which `o` is of this kind. */
const kind = (of: unknown): Record<string, unknown> => ({ objects: { o: of } });
const seqOf = (ran: Ran, where: string, nth = 0): number => rowsOf(ran, { where })[nth]?.seq ?? -1;

describe("A3: lock() and unlock() are PAL calls even when nobody else is there", () => {
  it("an event pended after one call's check is taken at the next call's first lock, and its handler runs at the unlock", () => {
    const ran = run("pend-after-check", LINUX);
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
    const ran = run("lock-pal", LINUX);
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
    order(ran, ["shim_do_sigsuspend: lock(cur.lock)", "libos.signal.append", "thread.block"]);
    expect([handled(ran), endOf(ran)]).toEqual([[], "hang"]);
  });

  it("SGX pends nothing: the same lock is a PAL call without an ocall", () => {
    const ran = runProgram(SGX, [on("SIGUSR2")]);
    const calls = rowsOf(ran, { what: "pal.call.enter" }).filter((row) => row.place.flow === "lock");
    expect(calls.length).toBeGreaterThan(2);
    expect(count(ran, "ocall.enter") - rowsOf(ran, { where: "DkProcessExit" }).filter((row) => row.what === "ocall.enter").length).toBe(0);
  });
});

/** Visits of the lock's cmpxchg by the main thread up to that of sigsuspend's own lock. */
function nthLock(): number {
  const ran = runProgram(LINUX, ["getpid", "sigsuspend"]);
  const lock = seqOf(ran, "shim_do_sigsuspend: lock(cur.lock)");
  return rowsOf(ran, { where: "DkObjectsWaitAny (mutex): cmpxchg: take it", who: "main" }).filter((row) => row.seq < lock).length + 1;
}

describe("A5: SGX pipes and sockets are written with MSG_NOSIGNAL", () => {
  it("a broken pipe: Linux raises SIGPIPE, SGX does not; -ECONNRESET on both", () => {
    expect(handlersOfPipe(run("sigpipe", LINUX))).toBe(1);
    expect(handlersOfPipe(run("sigpipe", SGX))).toBe(0);
    for (const stack of BOTH) {
      const ran = run("sigpipe", stack);
      expect([resultOf(ran, "write"), endOf(ran)]).toEqual(["-ECONNRESET", "exit"]);
    }
  });

  it("a socket: -EPIPE, and no SIGPIPE on either", () => {
    for (const stack of BOTH) {
      const ran = runProgram(stack, [{ close: { what: "o" } }, { write: { to: "o" } }], [], kind("socket"));
      expect([resultOf(ran, "write"), handlersOfPipe(ran)]).toEqual(["-EPIPE", 0]);
    }
  });

  it("a terminal is written by write(2): under SGX a SIGPIPE there has no handler and ends the process", () => {
    const ran = runProgram(SGX, [{ close: { what: "o" } }, { write: { to: "o" } }], [], kind("tty"));
    expect([handlersOfPipe(ran), endOf(ran)]).toEqual([1, "killed"]);
  });
});

/** SIGPIPEs that the host made. */
const handlersOfPipe = (ran: Ran): number =>
  ran.rows.filter((row) => row.what === "host.signal.generate" && row.signal === signalNumber("SIGPIPE")).length;

describe("A9: epoll_wait takes milliseconds for microseconds", () => {
  it("epoll_wait(1000) ends after a millisecond, poll(1000) after a second", () => {
    for (const stack of BOTH) {
      const took = (operation: string): number => {
        const ran = runProgram(stack, [{ [operation]: { on: ["o"], timeout: "1s" } }]);
        const name = operation.replace("-", "_");
        const [call] = ran.rows.filter((row) => row.what === "app.call" && row.where.includes(`${name}(`));
        return (rowsOf(ran, { where: `libc ${name}: back in the application` })[0]?.time ?? 0) - (call?.time ?? 0);
      };
      expect(Math.round(took("epoll-wait") / 1e6)).toBe(1);
      expect(Math.round(took("poll") / 1e6)).toBe(1000);
    }
  });

  it("an empty set returns at once", () => {
    for (const stack of BOTH) expect(count(runProgram(stack, [{ "epoll-wait": { timeout: "1s" } }]), "thread.block")).toBe(0);
  });
});

describe("A10: poll asks each descriptor first and counts all that are ready", () => {
  it.each(BOTH)("two ready pipes are 2 for poll, 1 for epoll_wait (%s)", (stack) => {
    const ran = run("poll-two", stack);
    expect([resultOf(ran, "poll"), resultOf(ran, "epoll_wait")]).toEqual(["2", "1"]);
    expect(rowsOf(ran, { where: "shim_do_poll: DkObjectsWaitAny(handles, timeout)" })).toEqual([]);
  });

  it("the questions are asked at preempt 2: a signal that is taken there waits for unlock(map)", () => {
    const place = "DkStreamAttributesQuerybyHandle: INLINE_SYSCALL(ioctl)";
    const ran = runProgram(LINUX, [{ write: { to: "o" } }, { poll: { on: ["o"] } }], [pin("SIGINT", place)]);
    expect(rowsOf(ran, { what: "libos.signal.decide" }).map((row) => [row.value, row.preempt])).toEqual([[1, 3]]);
    order(ran, [
      place,
      "pal.event.deliver",
      "shim_do_poll: unlock(handle_map.lock)",
      "app.handler.enter",
      "shim_do_poll: ret = number of descriptors with revents",
    ]);
    expect(resultOf(ran, "poll")).toBe("1");
  });

  it("after the first hit the rest is asked again without waiting, and leaves TRYAGAIN", () => {
    const ran = runProgram(LINUX, [{ poll: { on: ["o", "idle"] } }, "getpid"], [], { arrivals: [{ to: "o", when: { at: "5ms" } }] });
    expect(resultOf(ran, "poll")).toBe("1");
    expect(rowsOf(ran, { what: "libos.syscall.exit", where: "shim_poll" })[0]?.extra).toBe(PAL_ERROR.TRYAGAIN);
  });

  it("without a descriptor it does not wait at all", () => {
    for (const stack of BOTH) {
      const ran = runProgram(stack, [{ poll: { timeout: "1s" } }]);
      expect([resultOf(ran, "poll"), count(ran, "thread.block")]).toEqual(["0", 0]);
    }
  });
});

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
    const ran = runProgram(SGX, two, [pin("SIGCONT", "ocall_futex: unix_to_pal_error(result)")], more);
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
    expect(rowsOf(asleep, { where: "host futex-wake: futex-wake: enter the kernel", who: "main" })).toHaveLength(1);
    const late = wakes([pin("SIGINT", SLEEP, "one")]);
    expect(rowsOf(late, { where: "DkEventSet: nwaiters == 0?" }).map((row) => row.value)).toEqual([1]);
    expect(rowsOf(late, { where: "host futex-wake: futex-wake: enter the kernel", who: "main" })).toEqual([]);
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

describe("B7: accept of a TCP and of an AF_UNIX socket, interrupted", () => {
  const accepted = (stack: StackName, of: string): string =>
    resultOf(runProgram(stack, [{ accept: { on: "o" } }], [inCall("SIGINT", "accept")], kind(of)), "accept");

  it("Linux PAL: -EINTR and -EACCES", () => {
    expect([accepted(LINUX, "socket"), accepted(LINUX, "unix"), accepted(NATIVE, "unix")]).toEqual(["-EINTR", "-EACCES", "-EINTR"]);
  });

  it("O_NONBLOCK: -EAGAIN", () => {
    for (const stack of [NATIVE, LINUX, SGX] as const) {
      const ran = runProgram(stack, [{ read: { from: "o" } }, { accept: { on: "l" } }], [], {
        objects: { o: { nonblock: true }, l: { kind: "unix", nonblock: true } },
      });
      expect([resultOf(ran, "read"), resultOf(ran, "accept")]).toEqual(["-EAGAIN", "-EAGAIN"]);
    }
  });
});

describe("N1: a RESUME taken under a lock that finds nothing to deliver leaves bit 31, and END_SHIM's assertion fails", () => {
  const blocked = [on("SIGUSR1"), { sigprocmask: { how: "block", signals: ["SIGUSR1"] } }, { clone: "sender" }];

  it.each([
    ["accept", { accept: { on: "o" } }, {}],
    ["read of a terminal", { read: { from: "o" } }, kind("tty")],
  ])("a blocked signal to a thread in %s", (_, operation, more) => {
    const ran = runProgram(LINUX, [...blocked, operation, "getpid"], [], { programs: SENDER, ...more });
    expect(endOf(ran)).toBe("assert");
    expect(handled(ran)).toEqual([]);
    const [failed] = rowsOf(ran, { what: "libos.assert" });
    expect([failed?.value, failed?.extra]).toEqual([0x80000000, 0]);
  });

  it("not in read of a pipe, which sleeps without a lock", () => {
    const ran = runProgram(LINUX, [...blocked, { read: { from: "o" } }, "getpid"], [], { programs: SENDER });
    expect([endOf(ran), resultOf(ran, "read")]).toEqual(["exit", "-EINTR"]);
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

describe("N4: a terminal is read and written with hdl.lock held", () => {
  it.each(BOTH)("the handler runs at the unlock, the result was fixed before (%s)", (stack) => {
    const ran = runProgram(stack, [{ read: { from: "o" } }], [inCall("SIGINT", "read")], kind("tty"));
    order(ran, ["chroot_read (device): ret = bytes ? bytes : -PAL_ERRNO", "chroot_read (device): unlock(hdl.lock)", "app.handler.enter"]);
    expect(resultOf(ran, "read")).toBe(stack === LINUX ? "-EINTR" : "0");
  });

  it("at its end nothing is raised: the error of an older call comes out", () => {
    const end = [{ read: { takes: "1us", result: -11 } }, { close: { what: "o" } }, { read: { from: "o" } }];
    expect(resultOf(runProgram(LINUX, end.slice(1), [], kind("tty")), "read")).toBe("0");
    expect(results(runProgram(LINUX, end, [], kind("tty"))).at(-1)).toBe("read -EAGAIN");
  });
});

describe("N12: sigprocmask delivers at its unlock, under the new mask and before it returns", () => {
  it.each(BOTH)("%s", (stack) => {
    const unblock = { sigprocmask: { how: "unblock", signals: ["SIGINT"] } };
    const raise = { tgkill: { thread: "self", signal: "SIGINT" } };
    const ran = runProgram(stack, [{ sigprocmask: { how: "block", signals: ["SIGINT"] } }, raise, unblock]);
    order(ran, [
      "shim_do_sigprocmask: set_sig_mask(new)",
      "shim_do_sigprocmask: unlock(cur.lock)",
      "app.handler.enter",
      "shim_do_sigprocmask: return",
    ]);
  });
});

describe("N13: clone and fork copy 8 bytes of an action", () => {
  const resets = [on("SIGUSR1", "quick", { flags: ["SA_RESETHAND"] })];
  const child = [{ tgkill: { thread: "self", signal: "SIGUSR1" } }, { tgkill: { thread: "self", signal: "SIGUSR1" } }];

  it.each(["clone", "fork"] as const)("SA_RESETHAND is gone after %s: the handler runs twice, natively once", (how) => {
    const runs = (stack: StackName): number => {
      const ran = runProgram(stack, [...resets, { [how]: "child" }, { nanosleep: "9ms" }], [], { programs: { child } });
      return handled(ran, "child").length;
    };
    expect([runs(LINUX), runs(SGX)]).toEqual([2, 2]);
    expect(runs(NATIVE)).toBe(1);
  });
});

describe("N14: pal_errno is rarely 0 in a real program: a failed look-up leaves its code", () => {
  it("SGX: the read that a signal cuts off says -ENOENT, not the end of the file; Linux says -EINTR", () => {
    const main = [{ call: { name: "open", result: -2 } }, { read: { from: "o" } }];
    const read = (stack: StackName): string => resultOf(runProgram(stack, main, [inCall("SIGINT", "read")]), "read");
    expect([read(LINUX), read(SGX)]).toEqual(["-EINTR", "-ENOENT"]);
  });
});

describe("N16: poll on a descriptor that is closed reads through a NULL handle", () => {
  const closed = [{ close: { what: "o" } }, { poll: { on: ["o"], timeout: "1ms" } }];

  it("Linux PAL: an internal fault under map.lock, and SIGTRAP; natively it is one descriptor with POLLNVAL", () => {
    const ran = runProgram(LINUX, closed);
    expect(count(ran, "libos.fault")).toBe(1);
    expect(rowsOf(ran, { what: "process.exit" }).map((row) => row.value)).toEqual([0 - signalNumber("SIGTRAP")]);
    order(ran, ["shim_do_poll: lock(handle_map.lock)", "app.fault", "libos.fault"]);
    expect(resultOf(runProgram(NATIVE, closed), "poll")).toBe("1");
  });

  it("SGX: the breakpoint is skipped and the fault repeats for ever", () => {
    const ran = runProgram(SGX, closed, [], { limit: { time: "1s", transitions: 3000 } });
    expect(count(ran, "libos.fault")).toBeGreaterThan(2);
    expect(resultOf(ran, "poll")).toBe("never returns");
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
