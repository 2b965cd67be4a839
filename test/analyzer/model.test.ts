/** The model of threads: what it says agrees with the machine, with and without depths; its memory goes with what lives. */

import { describe, expect, it } from "vitest";
import { RULES } from "../../analyzer/catalogue.ts";
import { ENDED, finishTrace, HOW, MASK, NONE, SCOPE, SCOPE_NAMES, ThreadModel, takeRow, WAITS_IN } from "../../analyzer/model/index.ts";
import {
  type Block,
  boot,
  COLUMN_NAMES,
  KIND,
  type KindName,
  newBlock,
  type Run,
  STACK_NAMES,
  STATE_COLUMNS,
  type StackName,
  type Transition,
} from "../../engine/index.ts";
import { below, seedPrng } from "../../engine/prng.ts";
import { ownedLocks } from "../support/graphene.ts";
import { randomScenario } from "../support/random-scenario.ts";
import { SAMPLE_RULES } from "../support/sample-rules.ts";
import { analyzeRows, BUILT_IN, LOST, type MadeRow, madeUp, scenario, watch, YIELD } from "./support.ts";

const NOBODY = { sites: [], threads: [], texts: [] };

/** A model that has taken these rows, and the ends it told of: "name how seq". */
function after(rows: readonly MadeRow[], names: ConstructorParameters<typeof ThreadModel>[0] = NOBODY) {
  const ends: string[] = [];
  const model: ThreadModel = new ThreadModel(names, (type) =>
    ends.push(`${SCOPE_NAMES[type]} ${Object.keys(HOW)[model.how]} ${model.seqOf(model.closed)}`),
  );
  const take = (row: Transition): void => {
    const block = newBlock(1);
    block.seq0 = row.seq;
    block.n = 1;
    for (const name of COLUMN_NAMES) block[name][0] = row[name];
    takeRow(model, block, 0);
  };
  for (const row of madeUp(rows)) take(row);
  return { model, ends };
}

const opened = (model: ThreadModel, type: (typeof SCOPE)[keyof typeof SCOPE]): number => {
  let count = 0;
  for (let scope = model.open(type); scope !== NONE; scope = model.around(scope)) count += 1;
  return count;
};

/** Runs row by row and compares. Returns how often the application's own rows were compared. */
function agrees(run: Run, name: string): number {
  const model = new ThreadModel(run, () => {});
  const sink = {
    put(block: Block): void {
      for (let row = 0; row < block.n; row += 1) takeRow(model, block, row);
    },
  };
  let compared = 0;
  for (let turn = 0; turn < 6000 && run.run(1, sink); turn += 1) {
    const before = model.seq;
    run.flush(sink);
    // A turn without a row may have woken somebody, which no row tells yet.
    if (model.seq === before && turn > 0) continue;
    const t = run.machine.threads[model.thread];
    if (t === null || t === undefined || model.slot === NONE) continue;
    const where = `${name}, seq ${model.seq}`;
    if (t.state === "blocked") expect(model.asleepSince(), where).not.toBe(NONE);
    for (const { name: lock, object, owner } of ownedLocks(run.machine)) expect(model.holderOf(object), `${where}: ${lock}`).toBe(owner);
    // Frames that were cut outside are missed at the next row of the application.
    if (model.kind !== KIND["app.call"] && model.kind !== KIND["app.return"]) continue;
    compared += 1;
    expect(opened(model, SCOPE.HANDLER), where).toBe(t.app.inHandler);
    expect(opened(model, SCOPE.HOST_FRAME), where).toBe(t.signalFrames);
  }
  return compared;
}

describe.each(STACK_NAMES)("on %s, after every row", (stack: StackName) => {
  it.each(BUILT_IN.filter((name) => name !== "server"))("%s: frames, handlers, sleepers and locks are those of the machine", (name) => {
    expect(agrees(boot({ stack, scenario: scenario(name) }), name)).toBeGreaterThan(0);
  });

  it("and so they are in scenarios at random", () => {
    let compared = 0;
    for (let seed = 1; seed <= 12; seed += 1)
      compared += agrees(boot({ stack, scenario: randomScenario(seed, stack), seed, scheduler: "seeded" }), `seed ${seed}`);
    expect(compared).toBeGreaterThan(100);
  });
});

describe("scopes", () => {
  const CALLS = [
    { name: "app.call", depth: 2 },
    { name: "libos.syscall.enter", depth: 3 },
    { name: "pal.call.enter", depth: 5 },
  ] as const;

  it("end with the row that says so, the innermost first", () => {
    const { ends } = after([
      ...CALLS,
      { name: "pal.call.leave", depth: 4 },
      { name: "libos.syscall.exit", depth: 2 },
      { name: "app.return", depth: 1 },
    ]);
    expect(ends).toEqual(["pal-call RETURNED 2", "syscall RETURNED 1", "call RETURNED 0"]);
  });

  it("end without a row when the thread is less deep, when the thread ends, and with the trace", () => {
    expect(after([...CALLS, { name: "app.handler.longjmp", depth: 1 }]).ends).toEqual([
      "pal-call DROPPED 2",
      "syscall DROPPED 1",
      "call DROPPED 0",
    ]);
    expect(after([...CALLS, { name: "thread.exit", depth: 0 }]).ends).toEqual([
      "pal-call THREAD_OVER 2",
      "syscall THREAD_OVER 1",
      "call THREAD_OVER 0",
    ]);
    const { model, ends } = after([CALLS[0]]);
    finishTrace(model);
    expect(ends).toEqual(["call TRACE_OVER 0"]);
  });

  it("of the enclave are not ended by rows outside of it, whose stack may have lost frames", () => {
    expect(after([...CALLS, { name: "host.syscall.enter", depth: 1 }, { name: "host.syscall.exit", depth: 0 }]).ends).toEqual([
      "host-call RETURNED 3",
    ]);
  });

  it("are not ended by the end of another function's", () => {
    const { model, ends } = after([CALLS[0], { name: "app.return", depth: 2 }]);
    expect(ends).toEqual([]);
    expect([model.closed, model.seqOf(model.open(SCOPE.CALL))]).toEqual([NONE, 0]);
  });

  it("hold what the LibOS returned, before the application sees it", () => {
    const { model } = after([...CALLS, { name: "libos.syscall.exit", depth: 2, value: -4 }]);
    const call = model.open(SCOPE.CALL);
    expect([model.libosExitOf(call), model.libosResultOf(call)]).toEqual([3, -4]);
  });
});

describe("a trace that does not tell depths", () => {
  const NO_STATE = { absent: STATE_COLUMNS };

  it("has scopes by pairs of rows, and numbers that are none", () => {
    const { model, ends } = after([{ name: "app.call" }, { name: "pal.call.enter" }, { name: "app.return" }, { name: "app.call" }], {
      ...NOBODY,
      ...NO_STATE,
    });
    expect(ends).toEqual(["pal-call DROPPED 1", "call RETURNED 0"]);
    expect([model.depth, model.cssa(), model.preempt(), model.pendingCount()]).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN]);
    expect(opened(model, SCOPE.CALL)).toBe(1);
  });

  it("does not keep scopes for ever whose end is never seen", () => {
    const { model } = after(
      Array.from({ length: 5000 }, () => ({ name: "app.call" }) as const),
      { ...NOBODY, ...NO_STATE },
    );
    expect(opened(model, SCOPE.CALL)).toBeLessThanOrEqual(1024);
  });

  it("is analyzed as far as it goes: what needs no depth is found, what does is not guessed", () => {
    const w = watch("w9-accept-sigchld", "graphene-sgx");
    const { sites, threads, texts } = w.run;
    const { findings } = analyzeRows(
      w.rows.map((row) => ({ ...row, depth: 0 })),
      { sites, threads, texts, ...NO_STATE },
      100,
    );
    expect(findings.map(({ rule }) => rule)).toEqual([LOST]);
    expect(findings).toEqual(w.findings.filter(({ rule }) => rule === LOST));
    expect(w.findings.map(({ rule }) => rule)).toContain(YIELD);
  });
});

describe("what a thread waits for", () => {
  const NAMED = { detail: 1 } as const;

  it("a lock, who holds it, and that the holder is no more", () => {
    const rows: MadeRow[] = [
      { name: "lock", value: 7, thread: 1, ...NAMED },
      { name: "thread.block", extra: 7, value: 1 },
    ];
    const { model } = after(rows);
    expect([model.asleepSince(), model.awaitedLock(), model.holderOf(7)]).toEqual([1, 7, 1]);
    const later = after([...rows, { name: "thread.exit", thread: 1 }]).model;
    expect(later.holderOf(7)).toBe(ENDED);
    const woken = after([...rows, { name: "unlock", value: 7, thread: 1, ...NAMED }, { name: "thread.wake" }]).model;
    expect([woken.asleepSince(), woken.awaitedLock(), woken.holderOf(7)]).toEqual([NONE, NONE, NONE]);
  });

  it("each other's locks, which a rule finds by going from holder to holder", () => {
    const NAMES = { ...NOBODY, texts: ["", "a"] };
    const rows: MadeRow[] = [
      { name: "lock", value: 7, thread: 0, ...NAMED },
      { name: "lock", value: 8, thread: 1, ...NAMED },
      { name: "thread.block", extra: 8, thread: 0 },
    ];
    const found = (last: MadeRow) =>
      analyzeRows(madeUp([...rows, last]), NAMES, 2, SAMPLE_RULES).findings.filter(({ rule }) => rule === "deadlock");
    expect(found({ name: "thread.block", extra: 7, thread: 1 }).map(({ title }) => title)).toEqual(["found: 2 locks"]);
    expect(found({ name: "thread.block", extra: 9, thread: 1 })).toEqual([]);
  });

  it("an object that is no lock is none", () => {
    expect(after([{ name: "thread.block", extra: 7 }]).model.awaitedLock()).toBe(NONE);
  });

  it("counts locks that have no name, and says nothing else of them", () => {
    const { model } = after([{ name: "lock" }, { name: "lock", value: 3, ...NAMED }]);
    expect([model.locksHeld(), model.holderOf(0), model.holderOf(3)]).toEqual([2, NONE, 0]);
  });
});

describe("signals that wait for a thread", () => {
  const SENT = { name: "host.signal.generate", thread: 5, signal: 2, extra: 40, value: 0 } as const;
  const START = { name: "thread.start" } as const;
  const waiting = (...rows: MadeRow[]) =>
    [...after([START, SENT, ...rows]).model.pendingSignals()].map(({ id, in: layer, seq }) => [id, layer, seq]);

  it("go from layer to layer until they are handled or lost", () => {
    const READ: MadeRow = { name: "thread.wake" };
    expect(waiting(READ)).toEqual([[40, WAITS_IN.HOST, 1]]);
    expect(waiting({ name: "host.signal.deliver", signal: 2, extra: 40 })).toEqual([]);
    const pended: MadeRow = { name: "pal.event.pend", signal: 2, extra: 40 };
    expect(waiting({ name: "host.signal.deliver", signal: 2, extra: 40 }, pended)).toEqual([[40, WAITS_IN.PAL, 3]]);
    const appended: MadeRow = { name: "libos.signal.append", signal: 2, extra: 40, value: 0 };
    expect(waiting(pended, appended)).toEqual([[40, WAITS_IN.LIBOS, 3]]);
    expect(waiting(appended, { name: "app.handler.enter", signal: 2, extra: 40 })).toEqual([]);
  });

  it("are deliverable as the mask says, and nobody knows without the mask", () => {
    const appended: MadeRow = { name: "libos.signal.append", signal: 2, extra: 40, value: 0 };
    const under = (low: number) => after([START, appended, { name: "app.mask", value: low }]).model;
    expect(after([START, appended]).model.hasDeliverable(MASK.APP)).toBeNull();
    expect(under(0).hasDeliverable(MASK.APP)).toBe(true);
    expect(under(0b10).hasDeliverable(MASK.APP)).toBe(false);
    expect(under(0b10).isBlocked(MASK.APP, 2)).toBe(true);
    expect(after([START, { name: "app.mask" }, { name: "app.call" }]).model.isBlocked(MASK.APP, 2)).toBeNull();
    expect(after([START]).model.hasDeliverable(MASK.HOST)).toBe(false);
  });
});

it("rows that make no sense leave the model in order: each scope that was opened ends once", () => {
  const KINDS_OF_ROWS = Object.keys(KIND) as KindName[];
  for (let seed = 1; seed <= 60; seed += 1) {
    const dice = seedPrng(seed);
    const rows = Array.from({ length: 400 }, (): MadeRow => {
      const [kind, thread, depth, extra, value] = [KINDS_OF_ROWS.length, 3, 9, 6, 5].map((sides) => below(dice, sides)) as [
        number,
        ...number[],
      ];
      return {
        name: KINDS_OF_ROWS[kind] as KindName,
        thread,
        depth,
        extra,
        value,
        detail: below(dice, 2),
        signal: below(dice, 65),
      } as MadeRow;
    });
    const names = seed % 2 === 0 ? NOBODY : ({ ...NOBODY, absent: ["depth"] } as const);
    const { model, ends } = after(rows, names);
    finishTrace(model);
    const opening =
      /^(app\.call|libos\.syscall\.enter|pal\.call\.enter|ocall\.enter|host\.syscall\.enter|libos\.upcall\.enter|app\.handler\.enter|host\.signal\.deliver|libos\.signal\.fetch)$/;
    const opened = rows.flatMap(({ name }, seq) => (opening.test(name) ? [seq] : []));
    expect(
      ends.map((end) => Number(end.split(" ")[2])).sort((a, b) => a - b),
      `seed ${seed}`,
    ).toEqual(opened);
    expect(() => analyzeRows(madeUp(rows), names, 7, [...RULES, ...SAMPLE_RULES])).not.toThrow();
  }
});

it("memory goes with what lives, not with what has been", () => {
  const rows: MadeRow[] = [];
  for (let thread = 0; thread < 3000; thread += 1)
    rows.push(
      { name: "thread.start", thread },
      { name: "app.call", thread, depth: 1 },
      { name: "lock", thread, value: thread, detail: 1 },
      { name: "libos.signal.append", thread, value: thread, extra: thread, signal: 10 },
      { name: "process.exit", thread },
      { name: "thread.exit", thread },
    );
  const { model } = after([...rows, { name: "thread.start", thread: 3000 }]);
  const { scopes, threads, signals, locks } = model;
  expect([threads.slots.size, signals.waiting.size]).toEqual([1, 0]);
  expect([...locks.values()].every(({ holder }) => holder === NONE)).toBe(true);
  expect(locks.size).toBeLessThan(1000);
  expect([threads.thread.length, scopes.seq.length]).toEqual([16, 64]);
});

it("a note is gone with its subject, and its rule is told if it wants to be", () => {
  const told: string[] = [];
  const model = new ThreadModel(NOBODY, () => {});
  const notes = model.notesOnScopes<string>((note, scope) => told.push(`${note} ${model.seqOf(scope)}`));
  const onThreads = model.notesOnThreads<string>();
  const rows = madeUp([
    { name: "app.call", depth: 1 },
    { name: "app.return", depth: 0 },
    { name: "app.call", depth: 1 },
    { name: "thread.exit" },
    { name: "app.call", depth: 1 },
  ]);
  const seen: (string | null)[] = [];
  for (const row of rows) {
    const block = newBlock(1);
    block.seq0 = row.seq;
    for (const name of COLUMN_NAMES) block[name][0] = row[name];
    takeRow(model, block, 0);
    const call = model.open(SCOPE.CALL);
    seen.push(notes.get(call), onThreads.get(model.slot));
    if (row.seq === 0) {
      notes.set(call, "first");
      onThreads.set(model.slot, "thread");
    }
  }
  expect(seen).toEqual([null, null, null, "thread", null, "thread", null, "thread", null, null]);
  expect(told).toEqual(["first 0"]);
});
