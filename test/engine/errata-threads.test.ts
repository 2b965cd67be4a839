/**
 * Rows B5 and B11 of the errata: a thread that is joined, and a child that borrows its parent's memory. Each test reads like what the
 * source, or Linux, does.
 */

import { describe, expect, test } from "vitest";
import { count, handled, resultOf, rowsOf } from "../support/run-scenario.ts";
import { BOTH, inOrder, LINUX, ms, NATIVE, QUICK, run, SGX } from "./errata-support.ts";

const STACKS = [NATIVE, LINUX, SGX] as const;

describe("B5: pthread_join waits on clear_child_tid", () => {
  const joins = (b: unknown[], more: Record<string, unknown> = {}) => ({
    main: [{ sigaction: { signal: "SIGUSR1", handler: "h" } }, { clone: "b" }, { "pthread-join": "b" }],
    programs: { b },
    handlers: QUICK,
    ...more,
  });

  test.each(STACKS)("%s: it returns when the thread has ended, and not before", (stack) => {
    const ran = run(joins([{ nanosleep: "5ms" }]), stack);
    expect(resultOf(ran, "pthread_join")).toBe("0");
    const back = rowsOf(ran, { where: "libc pthread_join: back in the application" })[0];
    expect(ms(back)).toBeGreaterThan(5);
    expect(ms(back)).toBeLessThan(7);
  });

  test.each(STACKS)("%s: a handler runs during the wait, and the wait goes on", (stack) => {
    const ran = run(joins([{ nanosleep: "2ms" }, { tgkill: { thread: "main", signal: "SIGUSR1" } }, { nanosleep: "5ms" }]), stack);
    expect([handled(ran, "main"), resultOf(ran, "pthread_join")]).toEqual([["SIGUSR1"], "0"]);
    expect(ms(rowsOf(ran, { where: "libc pthread_join: back in the application" })[0])).toBeGreaterThan(7);
  });

  test.each(STACKS)("%s: a thread that has ended before is joined without a call; one that never was is ESRCH", (stack) => {
    const ran = run({ main: [{ clone: "b" }, { nanosleep: "5ms" }, { "pthread-join": "b" }], programs: { b: ["getpid"] } }, stack);
    expect(resultOf(ran, "pthread_join")).toBe("0");
    expect(rowsOf(ran, { where: "libc pthread_join: look again" })).toEqual([]);
    const never = run({ main: [{ "pthread-join": "b" }], programs: { b: ["getpid"] } }, stack);
    expect(resultOf(never, "pthread_join")).toBe("-ESRCH");
  });

  test.each(BOTH)("%s: the LibOS puts the 0 there before exit_event is set, and wakes all who wait", (stack) => {
    const ran = run(joins([{ nanosleep: "5ms" }]), stack);
    inOrder(ran, "b", [
      "thread_exit: unlock(self->lock)",
      "release_clear_child_id: *clear_child_tid := 0",
      "release_clear_child_id: thread_wakeup: DkEventSet(scheduler_event)",
      "thread_exit: DkEventSet(self->exit_event)",
    ]);
  });

  test("under SGX a thread that dies in the PAL leaves its tid where it is: it is waited for for ever", () => {
    const b = [{ nanosleep: "1ms" }, { fault: { what: "syscall" } }];
    const ran = run(joins(b, { limit: { time: "50ms" } }), SGX);
    expect(count(ran, "thread.exit", "b")).toBe(1);
    expect(resultOf(ran, "pthread_join")).toBe("never returns");
  });
});
