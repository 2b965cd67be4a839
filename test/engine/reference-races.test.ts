/**
 * What happens between two steps of a thread: the kernel's look and sleep (1.2), the LibOS's locks (2.13), its rings (2.12, 3.2) and
 * its idea of which threads are alive (2.5, 2.9, 2.15, 2.16).
 */

import { describe, expect, it } from "vitest";
import { boot, STACK_NAMES, type StackName } from "../../engine/index.ts";
import {
  collect,
  count,
  endOf,
  handled,
  NOWHERE,
  on,
  pin,
  type Ran,
  type Row,
  resultOf,
  results,
  rowsOf,
  runProgram,
  runScenario,
  scenarioOf,
} from "../support/run-scenario.ts";
import { block, order, raise, UNBLOCK } from "./reference-support.ts";

const NATIVE = "native-linux";
const LINUX = "graphene-linux";
const SGX = "graphene-sgx";
const BOTH: readonly StackName[] = [LINUX, SGX];

const SEEDS = Array.from({ length: 12 }, (_, i) => i + 1);

describe.each(STACK_NAMES)("1.2 a call that waits looks and goes to sleep in one action, %s", (stack) => {
  it("data that comes between its two steps is read at once", () => {
    const ran = runProgram(stack, [{ read: { from: "pipe" } }], [], {
      arrivals: [{ to: "pipe", when: { thread: "main", site: "host read: read: wait" } }],
    });
    expect([resultOf(ran, "read"), endOf(ran)]).toEqual(["1", "exit"]);
    for (const what of ["thread.block", "thread.wake"] as const) expect(rowsOf(ran, { what, who: "main", where: "host read" })).toEqual([]);
  });

  it("two threads that answer each other never hang, whoever runs first", () => {
    const scenario = scenarioOf({
      main: [{ clone: "other" }, { loop: { times: 60, do: [{ read: { from: "to" } }, { write: { to: "fro" } }] } }],
      programs: { other: [{ loop: { times: 60, do: [{ write: { to: "to" } }, { read: { from: "fro" } }] } }] },
    });
    for (const seed of SEEDS) expect(endOf(runScenario(scenario, stack, { scheduler: "seeded", seed })), `seed ${seed}`).not.toBe("hang");
  });
});

describe("1.2 the same natively for words and children", () => {
  it("a wake-up that comes between the two steps of futex-wait counts as one sleeper woken", () => {
    const scenario = scenarioOf({
      main: [{ clone: "sleeper" }, { loop: { times: 12, do: [{ compute: "5ns" }] } }, { "futex-wake": { on: "word" } }],
      programs: { sleeper: [{ "futex-wait": { on: "word" } }] },
    });
    const between = (ran: Ran): boolean => {
      const at = (where: string, who: string): number => rowsOf(ran, { where, who })[0]?.seq ?? -1;
      const woken = at("futex-wake: enter the kernel", "main");
      return at("futex-wait: enter the kernel", "sleeper") < woken && woken < at("futex-wait: wait", "sleeper");
    };
    const runs = Array.from({ length: 100 }, (_, seed) => runScenario(scenario, NATIVE, { scheduler: "seeded", seed })).filter(between);
    expect(runs.length).toBeGreaterThan(0);
    for (const ran of runs) {
      expect([resultOf(ran, "futex_wake"), resultOf(ran, "futex_wait", "sleeper")]).toEqual(["1", "0"]);
      expect(count(ran, "thread.block", "sleeper")).toBe(0);
    }
  });

  it("a child that ends between the two steps of wait4 is reaped at once", () => {
    const between = (ran: Ran): boolean => {
      const ended = rowsOf(ran, { where: "host exit: exit: enter the kernel", who: "child" })[0]?.seq ?? -1;
      return ended > 0 && rowsOf(ran, { who: "main" }).findLast((row) => row.seq < ended)?.place.label === "wait4: enter the kernel";
    };
    const program = (ns: number): unknown[] => [{ fork: "child" }, { compute: `${ns}ns` }, "wait4"];
    const runs = Array.from({ length: 100 }, (_, i) =>
      runProgram(NATIVE, program(99_000 + 35 * i), [], { programs: { child: [{ exit: {} }] } }),
    );
    expect(runs.filter(between).length).toBeGreaterThan(0);
    for (const ran of runs) expect([resultOf(ran, "wait4"), endOf(ran)]).toEqual(["2", "exit"]);
  });
});

describe("2.13 a lock has one owner", () => {
  it("who finds it free and comes second tries again", () => {
    const crowd = { loop: { times: 20, do: [{ "futex-wake": { on: "word" } }] } };
    const scenario = scenarioOf({ main: [{ clone: "one" }, { clone: "one" }, { clone: "one" }, crowd], programs: { one: [crowd] } });
    let lost = 0;
    for (const seed of SEEDS) {
      const ran = runScenario(scenario, LINUX, { scheduler: "seeded", seed });
      const owners = new Map<string, string>();
      for (const row of ran.rows.filter((known) => known.place.flow === known.what && known.place.flow.endsWith("lock"))) {
        const name = ran.texts[row.detail] ?? "";
        if (row.what === "lock") expect(owners.get(name), `seed ${seed}, seq ${row.seq}: ${name}`).toBeUndefined();
        if (row.what === "lock") owners.set(name, row.who);
        else owners.delete(name);
      }
      lost += rowsOf(ran, { where: "DkObjectsWaitAny (mutex): cmpxchg: take it", what: "lock.busy" }).length;
      expect(endOf(ran), `seed ${seed}`).not.toBe("hang");
    }
    expect(lost).toBeGreaterThan(0);
  });
});

/** The rest of the run after a row, whose thread has lost the processor there for a while. */
function paused(ran: Ran, row: Row | undefined, ns: number): Ran {
  const { stack, scenario } = ran.run.options;
  const run = boot({ stack, scenario });
  run.run((row?.seq ?? 0) + 1, NOWHERE);
  run.flush(NOWHERE);
  const t = run.machine.threads[row?.thread ?? -1];
  if (t) t.time += ns;
  return collect(run);
}

describe.each(BOTH)("2.12, 3.2 the rings of pending signals, %s", (stack) => {
  const SENDER = { sender: [{ nanosleep: "1ms" }, { tgkill: { thread: "main", signal: "SIGUSR1" } }] };

  it("a slot is reserved, counted and written in three steps", () => {
    const ran = runProgram(stack, [on("SIGUSR1"), { clone: "sender" }, { compute: "3ms" }], [], { programs: SENDER });
    order(
      ran,
      [
        "append_signal: allocate_signal_log(sig): reserve a slot",
        "allocate_signal_log: read head and tail: full?",
        "allocate_signal_log: compare-and-swap tail, tail + 1: is the old value tail + 1? again",
        "allocate_signal_log: has_signal + 1",
        "append_signal: append signal",
      ],
      "sender",
    );
    expect(rowsOf(ran, { what: "libos.signal.append" })[0]?.pending).toBe(0);
  });

  it("a scan between reserving and writing finds nothing, has_signal or not", () => {
    const main = [on("SIGUSR1"), { clone: "sender" }, { compute: "1ms" }, { loop: { times: 400, do: ["getpid", { compute: "1us" }] } }];
    const ran = runProgram(stack, main, [], { programs: SENDER });
    const [counted] = rowsOf(ran, { where: "allocate_signal_log: has_signal + 1", who: "sender" });
    const other = paused(ran, counted, 100_000);
    const [written] = rowsOf(other, { what: "libos.signal.append" });
    const scans = rowsOf(other, { what: "libos.signal.pending", who: "main" }).filter((row) => row.seq < (written?.seq ?? 0));
    expect(scans.length).toBeGreaterThan(0);
    expect(new Set(scans.map((row) => row.value))).toEqual(new Set([1]));
    expect(handled(other)).toEqual(["SIGUSR1"]);
  });
});

describe("3.2 signal-log-cas-false-success", () => {
  const tgkill = { tgkill: { thread: "main", signal: "SIGALRM" } };
  const scenario = scenarioOf({
    main: [
      on("SIGALRM", "h"),
      block("SIGALRM"),
      { clone: "other" },
      { alarm: "1s" },
      { compute: "999ms" },
      { loop: { times: 15, do: [raise("SIGALRM"), { compute: "100us" }] } },
      { compute: "2ms" },
      UNBLOCK,
      "getpid",
    ],
    programs: { other: [{ nanosleep: "999ms" }, { loop: { times: 15, do: [tgkill, { compute: "100us" }] } }] },
    handlers: { h: [{ compute: "1us" }] },
    limit: { time: "3s", transitions: 60_000 },
  });
  const ran = runScenario(scenario, LINUX);
  const [read] = rowsOf(ran, { where: "allocate_signal_log: read head and tail: full?", who: "async-helper" });
  const swap = (of: Ran): Row[] => rowsOf(of, { where: "allocate_signal_log: compare-and-swap tail", who: "async-helper" });

  it("undisturbed, or with one producer in between, each has its own slot", () => {
    expect(swap(ran).map((row) => row.value)).toEqual([0]);
    expect(count(ran, "libos.signal.overwrite")).toBe(0);
    expect(rowsOf(ran, { who: "main" }).at(-1)?.pending).toBe(0);
  });

  it("with two in between, the third takes the slot of the first for its own: a signal is lost, has_signal stays one too high", () => {
    // The helper has read the tail; the other two put signals into the ring; the helper goes on.
    const other = paused(ran, read, 1_000_000);
    expect(swap(other)[0]?.value).toBe(0);
    const [lost] = rowsOf(other, { what: "libos.signal.overwrite" });
    expect([lost?.who, lost?.signal]).toEqual(["async-helper", 14]);
    expect(rowsOf(other, { who: "main" }).at(-1)?.pending).toBe(1);
  });
});

/** A fault in PAL text, or in the untrusted PAL: the thread is gone and the LibOS not told. */
const DIES: Readonly<Record<string, readonly [signal: string, site: string]>> = {
  [LINUX]: ["SIGILL", "DkStreamRead: INLINE_SYSCALL(read)"],
  [SGX]: ["SIGSEGV", "ocall_sock_recv: take the arguments"],
};

describe.each(BOTH)("2.5, 2.9, 2.16 whom the LibOS takes for alive, %s", (stack) => {
  const [signal, site] = DIES[stack] ?? ["", ""];
  const dies = (main: readonly unknown[], programs: Record<string, never[] | unknown[]> = {}): Ran =>
    runProgram(stack, main, [pin(signal, site, "reader")], {
      programs: { reader: [{ read: { takes: "5ms", result: 1 } }], ...programs } as never,
      limit: { time: "200ms", transitions: 50_000 },
    });

  it("a thread that died in the PAL can still be sent to: the ring is written, the wake-up fails in the host", () => {
    const ran = dies([{ clone: "reader" }, { nanosleep: "10ms" }, { tgkill: { thread: "reader", signal: "SIGUSR1" } }, "getpid"]);
    expect(resultOf(ran, "tgkill")).toBe("0");
    expect(rowsOf(ran, { what: "libos.signal.append" }).map((row) => ran.threads[row.value]?.name)).toContain("reader");
    const [failed] = rowsOf(ran, { where: "handle_failure: tcb.pal_errno", who: "main" });
    expect(failed?.value).toBe(6);
    expect(resultOf(runProgram(NATIVE, [{ tgkill: { thread: "reader", signal: "SIGUSR1" } }]), "tgkill")).toBe("-ESRCH");
  });

  it("its process never ends by itself, although its parent hears of the leader's end and wait4 returns", () => {
    const ran = dies([{ fork: "child" }, "wait4"], {
      child: [{ clone: "reader" }, { nanosleep: "10ms" }, { "exit-group": { status: 3 } }],
    });
    order(ran, ["shim_do_exit_group: do_kill_proc(SIGKILL, without IPC)", "try_process_exit: DkThreadExit()", "thread.exit"], "child");
    expect([resultOf(ran, "wait4"), endOf(ran)]).toEqual(["2", "hang"]);
    expect(rowsOf(ran, { what: "process.exit" })).toEqual([]);
  });

  it("one that is about to end counts no more: of two that end at once, one ends the process", () => {
    const scenario = scenarioOf({
      main: [{ fork: "child" }, "wait4"],
      programs: { child: [{ clone: "one" }, { nanosleep: "1ms" }, { exit: {} }], one: [{ nanosleep: "1ms" }, { exit: {} }] },
      limit: { time: "100ms", transitions: 20_000 },
    });
    for (const seed of [...SEEDS, 0]) {
      const ran = runScenario(scenario, stack, seed === 0 ? {} : { scheduler: "seeded", seed });
      expect([resultOf(ran, "wait4"), endOf(ran)], `seed ${seed}`).toEqual(["2", "exit"]);
      // Both may tell the parent; it hears of it once.
      expect(rowsOf(ran, { where: "thread_exit: is_alive := false", who: "ipc-helper" })).toHaveLength(1);
    }
  });
});

describe.each(BOTH)("2.15 kill(-1), %s", (stack) => {
  const program = [on("SIGUSR1"), { nanosleep: "20ms" }];
  const child = [on("SIGUSR1"), { clone: "one" }, { nanosleep: "20ms" }];
  const all = { kill: { process: "all", signal: "SIGUSR1" } };
  const handledBy = (ran: Ran): string[] => rowsOf(ran, { what: "app.handler.enter" }).map((row) => row.who);

  it("is a broadcast that nobody answers; in each process the leader alone gets it", () => {
    const ran = runProgram(stack, [on("SIGUSR1"), { fork: "child" }, { nanosleep: "5ms" }, all, { nanosleep: "5ms" }], [], {
      programs: { child, one: program },
    });
    order(ran, ["shim_do_kill: broadcast_signal(cur->tid, sig)", "shim_do_kill: deliver_signal(info, NULL) to self"]);
    expect(rowsOf(ran, { where: "ipc_pid_kill_send" })).toEqual([]);
    expect(handledBy(ran).toSorted()).toEqual(["child", "main"]);
    expect(results(ran).filter((text) => text.startsWith("kill"))).toEqual(["kill 0"]);
  });

  it("from another thread than the leader: that one, too", () => {
    const ran = runProgram(stack, [on("SIGUSR1"), { clone: "sender" }, { clone: "one" }, { nanosleep: "20ms" }], [], {
      programs: { sender: [on("SIGUSR1"), { nanosleep: "2ms" }, all], one: program },
    });
    expect(handledBy(ran).toSorted()).toEqual(["main", "sender"]);
  });
});
