/**
 * Rows of the errata that are about system calls of the LibOS: each test reads like its row. The scenarios are the fixtures
 * of the same name, or a few operations of their own.
 */

import { describe, expect, it } from "vitest";
import { PAL_ERROR, type StackName, signalNumber } from "../../engine/index.ts";
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
  rowsWithin,
  runProgram,
  SENDER,
} from "../support/run-scenario.ts";
import { BOTH, LINUX, NATIVE, runFixture, SGX } from "./errata-support.ts";
import { order } from "./reference-support.ts";

/** `objects` of a scenario in which `o` is of this kind. */
const kind = (of: unknown): Record<string, unknown> => ({ objects: { o: of } });

/** How often the main thread went to sleep in its first call of that name. */
const blocks = (ran: Ran, call: string): number => rowsWithin(ran, call).filter((row) => row.what === "thread.block").length;

describe("A5: SGX pipes and sockets are written with MSG_NOSIGNAL", () => {
  it("a broken pipe: Linux raises SIGPIPE, SGX does not; -ECONNRESET on both", () => {
    expect(handlersOfPipe(runFixture("sigpipe", LINUX))).toBe(1);
    expect(handlersOfPipe(runFixture("sigpipe", SGX))).toBe(0);
    for (const stack of BOTH) {
      const ran = runFixture("sigpipe", stack);
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
    for (const stack of BOTH) expect(blocks(runProgram(stack, [{ "epoll-wait": { timeout: "1s" } }]), "epoll_wait")).toBe(0);
  });
});

describe("A10: poll asks each descriptor first and counts all that are ready", () => {
  it.each(BOTH)("two ready pipes are 2 for poll, 1 for epoll_wait (%s)", (stack) => {
    const ran = runFixture("poll-two", stack);
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
      expect([resultOf(ran, "poll"), blocks(ran, "poll")]).toEqual(["0", 0]);
    }
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

  it("an alarm that sigsuspend's mask blocks, and the old mask too", () => {
    const ran = runProgram(
      LINUX,
      [{ sigprocmask: { how: "block", signals: ["SIGALRM"] } }, { alarm: "1s" }, { sigsuspend: { mask: ["SIGALRM"] } }],
      [],
      {
        limit: { time: "3s", transitions: 100_000 },
      },
    );
    expect(endOf(ran)).toBe("assert");
  });

  it("not in read of a pipe, which sleeps without a lock", () => {
    const ran = runProgram(LINUX, [...blocked, { read: { from: "o" } }, "getpid"], [], { programs: SENDER });
    expect([endOf(ran), resultOf(ran, "read")]).toEqual(["exit", "-EINTR"]);
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
