/** What a signal finds in the PAL that no upcall tells of: its locks, and a thread's memory after its end (reference, 1.4, 2.8, 3.4, 3.5). */

import { describe, expect, it } from "vitest";
import { at, count, endOf, exitOf, handled, on, pin, type Ran, resultOf, rowsOf, runProgram } from "../support/run-scenario.ts";
import { order } from "./reference-support.ts";

const LINUX = "graphene-linux";
const SGX = "graphene-sgx";
const LOCKED = "_DkGetExceptionHandler: read handlers[event].upcall";

describe("1.5: the lock of a slot of the handler table", () => {
  const during = (signal: string): Ran =>
    runProgram(SGX, [{ compute: "1ms" }, "getpid"], [at("SIGINT", "600us"), pin(signal, LOCKED)], {
      limit: { time: "5s", transitions: 2000 },
    });

  it("SGX: the same event while this thread holds it: it spins for ever (handler-table-lock-self-deadlock)", () => {
    const ran = during("SIGINT");
    order(ran, ["lock", "sgx.aex", "sgx.eresume", "_DkGetExceptionHandler: in the enclave: a spinlock, turn"]);
    const slot = (what: "lock" | "unlock"): number => rowsOf(ran, { what, where: "_DkGetExceptionHandler" }).length;
    expect([slot("lock"), slot("unlock")]).toEqual([1, 0]);
    expect(ran.rows.at(-1)?.place.flow).toBe("_DkGetExceptionHandler");
    expect([handled(ran), endOf(ran)]).toEqual([[], "endless"]);
  });

  it("SGX: another event has another slot", () => {
    expect([handled(during("SIGTERM")), endOf(during("SIGTERM"))]).toEqual([["SIGTERM", "SIGINT"], "exit"]);
  });

  it("Linux: the slot is read in PAL text, so the same event is kept", () => {
    const ran = runProgram(LINUX, [{ compute: "1ms" }, { nanosleep: "1us" }], [at("SIGINT", "600us"), pin("SIGTERM", LOCKED)]);
    order(ran, ["lock", "pal.event.pend", "unlock", "app.handler.enter"]);
  });

  it("Linux: a thread that dies in between leaves it taken, and the next waits for ever", () => {
    const ran = runProgram(
      LINUX,
      [{ clone: "one" }, { compute: "2ms" }, "getpid"],
      [
        { signal: "SIGINT", thread: "one", when: { at: "600us" } },
        pin("SIGSEGV", LOCKED, "one"),
        { signal: "SIGINT", thread: "main", when: { at: "1ms" } },
      ],
      { programs: { one: [{ compute: "2ms" }] } },
    );
    expect(exitOf(ran, "one")).toBe(2);
    order(ran, ["_DkGetExceptionHandler: futex: wait for the owner", "thread.block"]);
    expect([handled(ran), endOf(ran)]).toEqual([[], "hang"]);
  });

  it("Linux: the owner wakes who waits", () => {
    // SIGTERM holds the owner up for long enough that the other thread falls asleep.
    const both = (signal: string): NonNullable<Parameters<typeof runProgram>[2]> =>
      ["one", "two"].map((thread) => ({ signal, thread, when: { at: "600us" } }));
    const ran = runProgram(
      LINUX,
      [{ clone: "one" }, { clone: "two" }, { nanosleep: "9ms" }],
      [...both("SIGINT"), pin("SIGTERM", LOCKED, "one"), pin("SIGTERM", LOCKED, "two")],
      { programs: { one: [on("SIGINT"), { compute: "2ms" }], two: [on("SIGINT"), { compute: "2ms" }] } },
    );
    const sleeper = rowsOf(ran, { where: "_DkGetExceptionHandler: futex: wait for the owner" })[0]?.who ?? "nobody";
    order(ran, ["_DkGetExceptionHandler: futex: wait for the owner", "thread.block", "thread.wake", "lock", "app.handler.enter"], sleeper);
    expect(rowsOf(ran, { where: "_DkGetExceptionHandler: unlock the slot" }).length).toBeGreaterThan(0);
    expect(rowsOf(ran, { where: "host futex-wake: futex-wake: return from the kernel" }).map((row) => row.value)).toContain(1);
    expect(handled(ran).filter((signal) => signal === "SIGINT")).toHaveLength(2);
    expect(endOf(ran)).toBe("exit");
  });
});

describe("3.5: sgx-eexit-libc-lock", () => {
  const clones = (place: string): Ran =>
    runProgram(SGX, [{ clone: "one" }, { clone: "one" }, "getpid"], [pin("SIGINT", place)], { programs: { one: ["getpid"] } });

  it("a signal in pthread_create abandons libc with its lock held: the next clone waits for ever", () => {
    const ran = clones("ocall_wake_thread: pthread_create(): INLINE_SYSCALL(clone)");
    order(ran, ["lock", "pal.event.inject", "pal.call.abandon", "ocall_wake_thread: futex: wait for the owner", "thread.block"]);
    expect([resultOf(ran, "clone"), resultOf(ran, "getpid"), endOf(ran)]).toEqual(["0", "never returns", "hang"]);
  });

  it.each(["ocall_wake_thread: take the arguments", "ocall_wake_thread: clone_thread(): return"])("not at %s", (place) => {
    expect(resultOf(clones(place), "getpid")).toBe("1");
  });
});

describe("3.5: linux-thread-exit-window", () => {
  const during = (stack: typeof LINUX | typeof SGX, place: string): Ran =>
    runProgram(stack, [{ clone: "one" }, { nanosleep: "5ms" }, "getpid"], [pin("SIGINT", place, "one")], { programs: { one: ["getpid"] } });

  it("Linux: a handler after the TCB and the stacks were freed has no stack to run on", () => {
    const ran = during(LINUX, "DkThreadExit: INLINE_SYSCALL(exit)");
    order(ran, ["DkThreadExit: free the TCB and the stacks", "host.signal.deliver", "undefined"], "one");
    expect(rowsOf(ran, { what: "undefined" })[0]?.signal).toBe(2);
    expect(resultOf(ran, "getpid")).toBe("never returns");
  });

  it("Linux: before that it is kept, and lost with the thread", () => {
    const ran = during(LINUX, "DkThreadExit: free the TCB and the stacks");
    order(ran, ["pal.event.pend", "host.sigreturn", "thread.exit"], "one");
    expect([handled(ran), resultOf(ran, "getpid"), endOf(ran)]).toEqual([[], "1", "exit"]);
  });

  it("SGX: the exit is an ocall, nothing is freed before it", () => {
    expect(count(during(SGX, "ocall_exit: take the arguments"), "undefined")).toBe(0);
  });
});
