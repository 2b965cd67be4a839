/**
 * Rows B5 and B11 of the errata: a thread that is joined, and a child that borrows its parent's memory. Each test reads like what the
 * source, or Linux, does.
 */

import { describe, expect, test } from "vitest";
import { count, endOf, handled, type Ran, resultOf, rowsOf } from "../support/run-scenario.ts";
import { BOTH, inOrder, LINUX, ms, NATIVE, processEnds, QUICK, run, SGX } from "./errata-support.ts";

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

/** Wait statuses as the application got them. */
const statuses = (ran: Ran): number[] => rowsOf(ran, { what: "app.output" }).flatMap((row) => (row.extra === 1 ? [row.value] : []));
const back = (ran: Ran, call: string): number => ms(rowsOf(ran, { where: `libc ${call}: back in the application`, who: "main" })[0]);
const CHLD = { sigaction: { signal: "SIGCHLD", handler: "h" } };

describe("B11: vfork", () => {
  const spawns = (b: unknown[], more: unknown[] = []) => ({
    main: [CHLD, { vfork: "b" }, ...more, { wait4: { child: "b" } }],
    programs: { b },
    handlers: QUICK,
    limit: { time: "200ms" },
  });
  const execs = spawns([{ nanosleep: "3ms" }, { exec: { takes: "300us" } }, { nanosleep: "20ms" }, { "exit-group": { status: 5 } }]);
  const ends = spawns([{ nanosleep: "3ms" }, { "exit-group": { status: 7 } }]);

  test.each(STACKS)("%s: the parent goes on when the child calls exec, and waits for it as for a forked one", (stack) => {
    const ran = run(execs, stack);
    expect([resultOf(ran, "vfork"), resultOf(ran, "execve", "b"), resultOf(ran, "wait4")]).toEqual(["2", "0", "2"]);
    expect(back(ran, "vfork")).toBeGreaterThan(3);
    expect(back(ran, "vfork")).toBeLessThan(10);
    expect([statuses(ran), handled(ran, "main"), endOf(ran)]).toEqual([[5 << 8], ["SIGCHLD"], "exit"]);
  });

  test("native-linux: a child that ends without exec: its status, and SIGCHLD", () => {
    const ran = run(ends, NATIVE);
    expect([statuses(ran), handled(ran, "main"), processEnds(ran).map((row) => [row.who, row.value])]).toEqual([
      [7 << 8],
      ["SIGCHLD"],
      [
        ["b", 7],
        ["main", 0],
      ],
    ]);
  });

  test.each(BOTH)("%s: a child that ends without exec: its exit_code is never set, and it is no other process: no SIGCHLD", (stack) => {
    const ran = run(ends, stack);
    expect([resultOf(ran, "vfork"), resultOf(ran, "wait4"), statuses(ran), handled(ran)]).toEqual(["2", "2", [0], []]);
    inOrder(ran, "b", [
      "shim_do_vfork: return 0",
      "thread_exit (dummy): is_alive := false",
      "thread_exit (dummy): DkEventSet(self->exit_event)",
    ]);
  });

  test.each(BOTH)("%s: exec makes a new host process, whose checkpoint the parent's host thread sends", (stack) => {
    const ran = run(execs, stack);
    inOrder(ran, "main", [
      "shim_do_vfork: execve of the child: DkProcessCreate()",
      "shim_do_vfork: DkStreamRead(newproc_response): wait for the child",
      "shim_do_vfork: switch_dummy_thread: back on the old stack, ret = tid of the child",
    ]);
    inOrder(ran, "b", [
      "do_migrate_process (dummy): a new process, and switch_dummy_thread",
      "shim_init: tell the parent: DkStreamWrite(newproc_response)",
    ]);
  });

  test.each(STACKS)("%s: a signal for the parent waits until the child is through", (stack) => {
    const main = [{ sigaction: { signal: "SIGUSR1", handler: "h" } }, { clone: "k" }, { vfork: "b" }, "getpid"];
    const programs = {
      k: [{ nanosleep: "1ms" }, { tgkill: { thread: "main", signal: "SIGUSR1" } }, { nanosleep: "9ms" }],
      b: [{ nanosleep: "5ms" }, { exit: {} }],
    };
    const ran = run({ main, programs, handlers: QUICK }, stack);
    const handler = rowsOf(ran, { what: "app.handler.enter" });
    expect(handler.map((row) => row.who)).toEqual(["main"]);
    expect(ms(handler[0])).toBeGreaterThan(5);
    expect(resultOf(ran, "getpid")).toBe("1");
  });

  test.each(BOTH)("%s: posix_spawn of glibc 2.24 and later is clone with CLONE_VFORK: an assertion fails", (stack) => {
    const ran = run({ main: [{ "posix-spawn": "b" }, "getpid"], programs: { b: ["exec"] } }, stack);
    expect([resultOf(ran, "posix_spawn"), count(ran, "libos.assert"), endOf(ran)]).toEqual(["never returns", 1, "assert"]);
  });

  test("native-linux: posix_spawn returns when the child has called exec", () => {
    const ran = run({ main: [{ "posix-spawn": "b" }, "wait4"], programs: { b: [{ nanosleep: "3ms" }, "exec"] } }, NATIVE);
    expect([resultOf(ran, "posix_spawn"), resultOf(ran, "wait4")]).toEqual(["2", "2"]);
    expect(back(ran, "posix_spawn")).toBeGreaterThan(3);
  });
});
