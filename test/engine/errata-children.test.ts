/**
 * Children and the order of an end, row by row of the errata to the reference (N5, ... of the second page, B3, ... of the first): what the
 * base revision does where the reference was wrong or silent.
 */

import { describe, expect, test } from "vitest";
import { WHY } from "../../engine/index.ts";
import { count, endOf, handled, type Ran, resultOf, rowsOf } from "../support/run-scenario.ts";
import { all, BOTH, exits, inOrder, LINUX, ms, NATIVE, processEnds, QUICK, run, SGX } from "./errata-support.ts";

/** Wait statuses as the application got them. */
const statuses = (ran: Ran): number[] => rowsOf(ran, { what: "app.output" }).flatMap((row) => (row.extra === 1 ? [row.value] : []));

const CHLD = { sigaction: { signal: "SIGCHLD", handler: "h" } };

describe("N5, N6: wait4(-1) and child_exit_event", () => {
  const reaper = {
    main: [CHLD, { fork: "child" }, "wait4"],
    programs: { child: [{ nanosleep: "1ms" }] },
    handlers: { h: [{ wait4: { nohang: true } }] },
  };

  test("N5: a handler that reaps the child inside wait4(-1): on Linux the outer call never returns, -ECHILD is tested only at entry", () => {
    const ran = run(reaper, LINUX);
    expect([all(ran, "wait4"), endOf(ran)]).toEqual([["wait4 2"], "hang"]);
    // Under SGX the call has found the child before the handler runs.
    expect(all(run(reaper, SGX), "wait4")).toEqual(["wait4 -ECHILD", "wait4 2"]);
    expect(all(run(reaper, NATIVE), "wait4")).toEqual(["wait4 -ECHILD", "wait4 2"]);
  });

  test.each(BOTH)("N6, %s: wait4(pid) leaves child_exit_event set: the next wait4(-1) with a live child turns at full speed", (stack) => {
    const scenario = {
      main: [{ fork: "a" }, { fork: "b" }, { nanosleep: "5ms" }, { wait4: { child: "a" } }, "wait4"],
      programs: { a: [{ nanosleep: "1ms" }], b: [{ nanosleep: "20ms" }] },
      limit: { time: "30ms", transitions: 30_000 },
    };
    const ran = run(scenario, stack);
    expect(all(ran, "wait4")).toEqual(["wait4 2"]);
    expect(ran.run.ending).toBe("row-limit");
    const turns = rowsOf(ran, { where: "shim_do_wait4: DkObjectsWaitAny(cur->child_exit_event)", who: "main" });
    expect(turns.length).toBeGreaterThan(100);
    expect(ms(rowsOf(ran, { who: "main" }).at(-1))).toBeLessThan(20);
  });

  test.each(BOTH)("F22, %s: a wait for one child sleeps while another one is a zombie", (stack) => {
    const ran = run(
      {
        main: [{ fork: "a" }, { fork: "b" }, { nanosleep: "5ms" }, { wait4: { child: "b" } }, "wait4"],
        programs: { a: [{ nanosleep: "1ms" }], b: [{ nanosleep: "20ms" }] },
      },
      stack,
    );
    expect(all(ran, "wait4")).toEqual(["wait4 3", "wait4 2"]);
    expect(rowsOf(ran, { where: "shim_do_wait4: DkObjectsWaitAny(thread->exit_event)" }).length).toBeLessThan(4);
  });
});

describe("N7, N8, N11: the order of an end", () => {
  test.each(BOTH)("N7, %s: with a live child the helper stays behind and ends the process when the child's stream closes", (stack) => {
    const ran = run({ main: [{ fork: "c" }, { exit: { status: 7 } }], programs: { c: [{ nanosleep: "30ms" }] } }, stack);
    const [child, parent] = processEnds(ran);
    expect([child?.who, parent?.who, parent?.value]).toEqual(["c", "ipc-helper", 7]);
    expect(ms(parent)).toBeGreaterThan(30);
    const [main] = exits(ran).filter((row) => row.who === "main");
    expect(ms(main)).toBeLessThan(5);
  });

  test.each(BOTH)("N7, %s: without one the helper is waited for, a millisecond at a time", (stack) => {
    const ran = run({ main: ["getpid"] }, stack);
    expect(rowsOf(ran, { where: "try_process_exit: DkThreadDelayExecution(1000 microseconds)" })).toHaveLength(1);
    inOrder(ran, "main", [
      "try_process_exit: set_event: DkStreamWrite(ipc_helper_event)",
      "shim_clean: lock(__master_lock)",
      "process.exit",
    ]);
  });

  test.each(BOTH)("N8, %s: SIGCHLD and SIGCONT first, under parent->lock, then child_exit_event, then exit_event", (stack) => {
    const ran = run({ main: [CHLD, { fork: "c" }, { nanosleep: "9ms" }], programs: { c: [{ nanosleep: "1ms" }] }, handlers: QUICK }, stack);
    inOrder(ran, "ipc-helper", [
      "thread_exit: lock(self->lock)",
      "thread_exit: lock(parent->lock)",
      "append_signal: DkThreadResume(thread)  < SIGCONT via tgkill() >",
      "thread_exit: unlock(parent->lock)",
      "thread_exit: DkEventSet(parent->child_exit_event)",
      "thread_exit: unlock(self->lock)",
      "thread_exit: DkEventSet(self->exit_event)",
    ]);
    // The main thread of a child tells its parent twice; the second time it is dead already.
    expect(rowsOf(ran, { where: "ipc_cld_exit_send: broadcast_ipc", who: "c" })).toHaveLength(2);
    expect(rowsOf(ran, { where: "thread_exit: dead already", who: "ipc-helper" })).toHaveLength(1);
  });

  test.each(BOTH)("N11, %s: the unlock in thread_exit delivers what was deferred, to a thread that is not alive any more", (stack) => {
    const site = "thread_exit: is_alive?";
    const ran = run(
      {
        main: [{ sigaction: { signal: "SIGINT", handler: "h" } }, { exit: {} }],
        handlers: QUICK,
        signals: [{ signal: "SIGINT", thread: "main", when: { thread: "main", site } }],
      },
      stack,
    );
    inOrder(ran, "main", ["libos.signal.append", site, "thread_exit: is_alive := false", "app.handler.enter", "process.exit"]);
  });
});

describe("N9: kill of another process", () => {
  test("waits once for the answer: a signal that ends the wait makes it a success", () => {
    const ran = run(
      {
        main: [
          { sigaction: { signal: "SIGINT", handler: "h" } },
          { fork: "c" },
          { nanosleep: "1ms" },
          { kill: { process: "c", signal: "SIGUSR1" } },
        ],
        programs: { c: [{ nanosleep: "50ms" }] },
        handlers: QUICK,
        signals: [
          {
            signal: "SIGINT",
            thread: "main",
            when: { thread: "main", site: "ipc_pid_kill_send: thread_sleep: DkObjectsWaitAny(scheduler_event, forever), once" },
          },
        ],
      },
      LINUX,
    );
    const [entered] = rowsOf(ran, { what: "app.handler.enter" });
    const [answered] = rowsOf(ran, { where: "shim_ipc_helper: thread_wakeup", who: "ipc-helper" });
    expect(resultOf(ran, "kill")).toBe("0");
    expect(answered === undefined || (entered?.seq ?? 0) < answered.seq).toBe(true);
  });
});

describe("B3: wait status and siginfo of SIGCHLD", () => {
  const scenario = (child: unknown[], more: Record<string, unknown> = {}) => ({
    main: [CHLD, { fork: "c" }, "wait4"],
    programs: { c: child },
    handlers: QUICK,
    ...more,
  });
  const status = (ran: Ran): (number | undefined)[] => rowsOf(ran, { what: "app.siginfo.more" }).map((row) => row.value);

  test.each(BOTH)("%s: exit(3): status 3 << 8; si_status the same, shifted", (stack) => {
    const ran = run(scenario([{ nanosleep: "1ms" }, { exit: { status: 3 } }]), stack);
    expect([statuses(ran), status(ran)]).toEqual([[3 << 8], [3 << 8]]);
  });

  test.each(BOTH)("%s: killed by the LibOS's default action: the signal, and exit code 0", (stack) => {
    const ran = run(scenario([{ nanosleep: "1ms" }, { tgkill: { signal: "SIGTERM" } }]), stack);
    expect([statuses(ran), status(ran)]).toEqual([[15], [0]]);
  });

  test.each(BOTH)("%s: killed by the host: SIGKILL and exit code 104, whatever the signal was", (stack) => {
    const ran = run(scenario([{ nanosleep: "1s" }], { signals: [{ signal: "SIGUSR2", process: "c", when: { at: "5ms" } }] }), stack);
    expect([statuses(ran), status(ran)]).toEqual([[9 | (104 << 8)], [26_624]]);
  });
});

describe("B6: fork is many PAL calls", () => {
  const scenario = {
    main: [{ sigaction: { signal: "SIGINT", handler: "h" } }, { fork: "child" }, { wait4: { nohang: true } }],
    programs: { child: [{ nanosleep: "1ms" }] },
    handlers: QUICK,
    signals: [{ signal: "SIGINT", thread: "main", when: { at: "150us" } }],
    limit: { time: "50ms" },
  };

  test("on Linux a signal in the read of the child's answer makes it fail with EINTR; the child ends in its start", () => {
    const ran = run(scenario, LINUX);
    expect([resultOf(ran, "fork"), handled(ran)]).toEqual(["-EINTR", ["SIGINT"]]);
    expect(processEnds(ran).map((row) => [row.who, row.extra])[0]).toEqual(["child", WHY.PAL]);
    // Its record stays among the children: no -ECHILD any more.
    expect(resultOf(ran, "wait4")).toBe("0");
  });

  test("under SGX the read returns 0, and the stale error is that of the memory channel, which no enclave has: -ENOSYS", () => {
    // Linux-SGX/db_ipc.c:55; the row of the errata takes pal_errno for 0 there.
    const ran = run(scenario, SGX);
    expect([resultOf(ran, "fork"), handled(ran)]).toEqual(["-ENOSYS", ["SIGINT"]]);
  });

  test("under SGX a handler that meets the end of a stream leaves an error that is none: fork succeeds, and nothing is ever heard of the child", () => {
    const main = [CHLD, { close: { what: "o" } }, ...scenario.main.slice(0, 2), { nanosleep: "20ms" }, { wait4: { nohang: true } }];
    const ran = run({ ...scenario, main, handlers: { h: [{ read: { from: "o" } }] }, objects: { o: "pipe" } }, SGX);
    expect([resultOf(ran, "fork"), resultOf(ran, "wait4")]).toEqual(["2", "0"]);
    expect(handled(ran)).toEqual(["SIGINT"]);
  });

  test.each(BOTH)("%s: otherwise it waits for the child's answer, and then keeps its stream", (stack) => {
    const ran = run({ ...scenario, signals: [] }, stack);
    inOrder(ran, "main", [
      "shim_do_fork: set_as_child: lock(child->lock)",
      "shim_do_fork: DkProcessCreate()",
      "shim_do_fork: DkStreamWrite(newproc_header)",
      "shim_do_fork: send_checkpoint_on_stream: DkStreamWrite(checkpoint)",
      "shim_do_fork: DkStreamRead(newproc_response): wait for the child",
      "shim_do_fork: the stream to the child is a port, KEEPALIVE",
      "shim_do_fork: ret = pid of the child",
    ]);
  });
});

describe("B8: clone's two event waits", () => {
  test.each(BOTH)("%s: the creator waits until the new thread is on thread_list and among its children", (stack) => {
    const ran = run({ main: [{ clone: "b" }, "getpid"], programs: { b: ["getpid"] } }, stack);
    const at = (where: string, who: string): number => rowsOf(ran, { where, who })[0]?.seq ?? -1;
    const listed = at("clone_implementation_wrapper: on thread_list", "b");
    expect(at("shim_do_clone: DkEventSet(create_event)", "main")).toBeLessThan(listed);
    expect(listed).toBeLessThan(at("libc clone: back in the application", "main"));
    expect(count(ran, "thread.start", "b")).toBe(1);
  });
});
