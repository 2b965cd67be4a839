/** Choice points and choosers: who answers what the state leaves open, and how a run is made again from the answers. */

import { describe, expect, it } from "vitest";
import {
  boot,
  type ChoiceKind,
  type Chooser,
  exhaustive,
  parseScenario,
  type Run,
  type RunOptions,
  STACK_NAMES,
  type StackName,
  scripted,
} from "../../engine/index.ts";
import { createDigest, FORMAT_VERSION } from "../../recorder/index.ts";
import { builtIn, collect, handled, NOWHERE, results, scenarioOf } from "../support/run-scenario.ts";

const scenario = parseScenario("name: asked\ntitle: asked\nmain: []\n", "asked");

/** Digest of what a run still does. */
function digestOf(run: Run, rows = 4000): string {
  const digest = createDigest(FORMAT_VERSION);
  run.run(rows, digest);
  run.flush(digest);
  return digest.finish(run.texts, run.threads);
}

describe("many choice points at one seq", () => {
  const POINTS = 400;
  /** Two kinds in turn, of different widths. */
  const point = (i: number): [ChoiceKind, number] => (i % 3 === 0 ? ["arrive", 2] : ["thread", 4]);
  const answers = ({ cpu }: Run): number[] => Array.from({ length: POINTS }, (_, i) => cpu.choose(...point(i)));

  it.each([1, 2, 3])("have the same answers again, from their decisions: seed %i", (seed) => {
    const seeded = boot({ stack: "native-linux", scenario, scheduler: "seeded", seed });
    const answered = answers(seeded);
    // Answers that are the default stand before and between others: without them nobody knows which point a decision answers.
    const chosen = answered.map((choice, i) => ({ choice, kind: point(i)[0] })).filter(({ choice }) => choice !== 0);
    expect(new Set(chosen.map(({ kind }) => kind)).size).toBe(2);
    expect(answered.indexOf(0)).toBeLessThan(answered.findIndex((choice) => choice !== 0));
    const again = boot({ stack: "native-linux", scenario, scheduler: "recorded", decisions: seeded.decisions });
    expect(answers(again)).toEqual(answered);
    expect(again.decisions).toEqual(seeded.decisions);
    // No more of them than it takes: the last of each kind is no default.
    for (const kind of ["arrive", "thread"]) expect(seeded.decisions.filter((one) => one.point === kind).at(-1)?.choice).toBeGreaterThan(0);
  });

  it("with one answer only are none: nobody is asked", () => {
    const { cpu } = boot({ stack: "native-linux", scenario, chooser: answering(() => 7) });
    expect(cpu.choose("thread", 1)).toBe(0);
    expect(() => cpu.choose("thread", 7)).toThrow("answers 7 to thread, of 0 to 6");
    expect(cpu.choose("thread", 8)).toBe(7);
  });
});

/** A chooser as somebody else may write one. */
function answering(choose: Chooser["choose"]): Chooser {
  const chooser: Chooser = { name: "of a test", ordersThreads: true, choose, fork: () => chooser };
  return chooser;
}

describe("a chooser", () => {
  it.each(STACK_NAMES)("is asked before anything is changed: server on %s", (stack) => {
    let before = "";
    let asked = 0;
    const state = ({ machine: { rng, questions, ...machine } }: Run): string => JSON.stringify(machine);
    const look = (): void => {
      asked += 1;
      expect(state(run)).toBe(before);
    };
    const random = boot({ stack, scenario: builtIn("server"), scheduler: "seeded", seed: 5 });
    const { chooser } = random.cpu;
    const looking = answering((kind, n, chance) => {
      if (before !== "") look();
      return chooser.choose(kind, n, chance);
    });
    const run = boot({ stack, scenario: { ...builtIn("server"), interrupts: 100_000 }, chooser: looking, seed: 5 });
    for (let i = 0; i < 1500; i += 1) {
      before = state(run);
      run.run(1, NOWHERE);
      run.flush(NOWHERE);
    }
    expect(asked).toBeGreaterThan(500);
  });

  it("of its own puts a signal where it wants it", () => {
    const options = { stack: "native-linux", scenario: oneSignal() } as const;
    const LATEST = 13;
    const late = answering((kind, _, { seq }) => (kind === "arrive" && seq < LATEST ? 1 : 0));
    const [first, second] = [boot({ ...options, chooser: scripted(0) }), boot({ ...options, chooser: late })].map((run) => collect(run));
    const entered = [first, second].map((ran) => ran?.rows.find((row) => row.what === "app.handler.enter")?.seq ?? -1);
    // The frame is one row, the handler's first step the next.
    expect(entered[1]).toBe(LATEST + 1);
    expect(entered[0]).toBeLessThan(LATEST);
    // Its decisions are what another run needs.
    const again = collect(boot({ ...options, scheduler: "recorded", decisions: second?.decisions ?? [] }));
    expect(again.rows).toEqual(second?.rows);
  });
});

/** A signal comes while the program computes and then makes calls. */
const oneSignal = () =>
  scenarioOf({
    main: [{ sigaction: { signal: "SIGINT", handler: "quick" } }, { compute: "1us" }, "getpid", "getpid"],
    handlers: { quick: [] },
    signals: [{ signal: "SIGINT", when: { thread: "main", call: "getpid", phase: "before" } }],
  });

describe("exhaustive", () => {
  /** All runs; each must end by itself. */
  function runs<T>(options: Omit<RunOptions, "chooser">, all: ReturnType<typeof exhaustive>, of: (run: Run) => T): T[] {
    const found: T[] = [];
    do found.push(of(boot({ ...options, chooser: all })));
    while (all.next());
    return found;
  }

  it("counts through answers whose number depends on those before", () => {
    const chance = { seq: 0, rng: [1, 2, 3, 4] as [number, number, number, number], questions: { seq: 0, asked: [], kept: [] } };
    const all = exhaustive();
    const seen: string[] = [];
    do {
      const first = all.choose("thread", 3, chance);
      const more = Array.from({ length: first }, () => all.choose("arrive", 2, chance));
      seen.push([first, ...more].join(""));
    } while (all.next());
    expect(seen).toEqual(["0", "10", "11", "200", "201", "210", "211"]);
  });

  it("makes every order of the steps of two threads, each once", () => {
    const two = scenarioOf({ main: [{ clone: "other" }, { exit: {} }], programs: { other: [{ exit: {} }] } });
    const options = { stack: "native-linux", scenario: two } as const;
    const orders = runs(options, exhaustive({ kinds: ["thread"] }), (run) => collect(run).rows.map((row) => row.who));
    // From the row that makes the other thread on, both take steps until one is gone. What the kernel does besides is no step of theirs.
    const { rows } = collect(boot(options));
    const steps = rows.slice(rows.findIndex((row) => row.where === "host clone: clone: enter the kernel") + 1);
    const own = steps.filter((row) => row.who === "main").length;
    const other = steps.filter((row) => row.who === "other" && row.place.flow !== "(outside)").length;
    expect(new Set(orders.map((order) => order.join(" "))).size).toBe(orders.length);
    expect(orders.length).toBe(binomial(own + other, own));
  });

  it.each<[StackName, number]>([
    ["native-linux", 1],
    ["graphene-linux", 1],
  ])("delivers a signal at every step at which it may arrive: %s", (stack, least) => {
    const seen = runs({ stack, scenario: oneSignal() }, exhaustive({ kinds: ["arrive"] }), (run) => {
      const ran = collect(run);
      return { at: ran.rows.find((row) => row.what === "host.signal.deliver")?.seq ?? -1, ran };
    });
    const places = seen.map(({ at }) => at);
    expect(places.filter((at) => at >= 0).length).toBeGreaterThan(least);
    expect(new Set(places).size).toBe(places.length);
    for (const { ran } of seen) expect([handled(ran).length <= 1, results(ran).includes("getpid -EINTR")]).toEqual([true, false]);
  });

  it("stops trying after so many points", () => {
    const options = { stack: "native-linux", scenario: oneSignal() } as const;
    for (const most of [0, 1, 3]) expect(runs(options, exhaustive({ kinds: ["arrive"], most }), digestOf).length).toBe(most + 1);
  });
});

const binomial = (n: number, k: number): number => (k === 0 ? 1 : (binomial(n - 1, k - 1) * n) / k);

describe("a copy of a run", () => {
  const OPTIONS = STACK_NAMES.map((stack): [string, RunOptions] => [
    stack,
    { stack, scenario: builtIn("server"), scheduler: "seeded", seed: 3 },
  ]);

  it.each(OPTIONS)("carries its decisions: going on, and made again from them, it is the same on %s", (_, options) => {
    const run = boot(options);
    run.run(2500, NOWHERE);
    run.flush(NOWHERE);
    const copy = run.clone();
    expect([copy.decisions, copy.texts, copy.threads]).toEqual([run.decisions, run.texts, run.threads]);
    expect(copy.decisions.length).toBeGreaterThan(50);
    const rest = digestOf(run);
    expect(digestOf(copy)).toBe(rest);
    expect(copy.decisions).toEqual(run.decisions);
    expect(digestOf(boot({ ...options, scheduler: "recorded", seed: 99, decisions: copy.decisions }), 6500)).toBe(
      digestOf(boot(options), 6500),
    );
  });

  it.each(OPTIONS)("from a keyframe, with the lists of the whole run, has those of its place on %s", (_, options) => {
    const run = boot(options);
    run.run(2500, NOWHERE);
    run.flush(NOWHERE);
    const keyframe = run.keyframe();
    const known = [run.threads.length, run.texts.length, run.decisions.length];
    const rest = digestOf(run);
    const again = boot(options, keyframe, run);
    expect([again.threads.length, again.texts.length, again.decisions.length]).toEqual(known);
    expect(digestOf(again)).toBe(rest);
    expect([again.threads, again.texts, again.decisions]).toEqual([run.threads, run.texts, run.decisions]);
  });

  it("knows which decisions were met", () => {
    const options: RunOptions = { stack: "graphene-sgx", scenario: builtIn("server"), scheduler: "seeded", seed: 3 };
    const first = boot(options);
    first.run(3000, NOWHERE);
    const never = { seq: 1, point: "interrupt", choice: 1 };
    const again = boot({ ...options, scheduler: "recorded", decisions: [never, ...first.decisions] });
    again.run(1500, NOWHERE);
    const copy = again.clone();
    expect(copy.unanswered).toEqual(again.unanswered);
    expect(copy.unanswered.length).toBeLessThan(first.decisions.length);
    again.run(1500, NOWHERE);
    expect(again.unanswered).toEqual([never]);
    expect(copy.unanswered.length).toBeGreaterThan(1);
  });

  it("takes no memory for rows before it makes one", () => {
    const run = boot({ stack: "graphene-sgx", scenario: builtIn("server") });
    expect(run.cpu.block).toBeNull();
    run.run(10, NOWHERE);
    const copy = run.clone();
    copy.flush(NOWHERE);
    expect(copy.cpu.block).toBeNull();
    copy.run(1, NOWHERE);
    expect(copy.cpu.block?.seq0).toBe(10);
  });
});
