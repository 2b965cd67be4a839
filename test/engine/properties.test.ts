/**
 * What holds for every scenario: random ones on every stack, run to their end with the machine's laws checked on the way. A failure
 * names its seed and stack; `EINTR_SEED=17 npx vitest run test/engine/properties.test.ts` runs that seed alone, `EINTR_SEED=1-5000`
 * many more than the usual ones.
 */

import { describe, expect, it } from "vitest";
import {
  boot,
  checkInvariants,
  firstDifference,
  type KindName,
  parseScenario,
  type Run,
  type RunOptions,
  type ScenarioInput,
  type Sink,
  STACK_NAMES,
  type StackName,
  scenarioSchema,
} from "../../engine/index.ts";
import { createDigest, FORMAT_VERSION } from "../../recorder/index.ts";
import { leakedRestarts, sharedLocks, unaccounted } from "../support/accounts.ts";
import { quietInput, randomInput, randomScenario, talkInput } from "../support/random-scenario.ts";
import { BUILT_IN, collect, collectorOf, endOf, handled, type Ran, results, runScenario } from "../support/run-scenario.ts";

const ONLY = process.env.EINTR_SEED;
const [FIRST = 1, LAST = FIRST] = (ONLY ?? "1-10").split("-").map(Number);
const SEEDS = Array.from({ length: LAST - FIRST + 1 }, (_, i) => FIRST + i);
/** Seeds of one test: a report comes before all are done. */
const PART = 250;
const PARTS = Math.ceil(SEEDS.length / PART);
const SCHEDULERS = ["scripted", "seeded"] as const;
/** In a campaign each seed is run under one of them. */
const schedulersOf = (seed: number): readonly (typeof SCHEDULERS)[number][] =>
  process.env.EINTR_TORTURE === "1" ? [SCHEDULERS[seed % 2] as "seeded"] : SCHEDULERS;
/** What is asked of talking and of quiet threads needs fewer. */
const FEWER = 500;
/** A prime: checks fall on every part of a flow. */
const CHECK_ROWS = 61;
/** One seed in so many is looked at after each transition. */
const EVERY_STEP = 20;

interface Case {
  readonly seed: number;
  readonly options: RunOptions;
}

const CASES: readonly [string, StackName, number][] = STACK_NAMES.flatMap((stack) =>
  Array.from({ length: PARTS }, (_, part): [string, StackName, number] => [`${stack}, ${part + 1} of ${PARTS}`, stack, part]),
);

/** Run a body for each seed of a part under its schedulers; what it throws comes with the words to run it again, and the rest is run all the same. */
function forEachCase(stack: StackName, part: number, body: (c: Case) => void): void {
  const failures: string[] = [];
  for (const seed of SEEDS.slice(part * PART, (part + 1) * PART)) {
    for (const scheduler of schedulersOf(seed)) {
      try {
        body({ seed, options: { stack, scenario: randomScenario(seed, stack), scheduler } });
      } catch (cause) {
        const again = `EINTR_SEED=${seed} npx vitest run test/engine/properties.test.ts`;
        failures.push(
          `seed ${seed} on ${stack}, ${scheduler} (${again}): ${cause instanceof Error ? (cause.stack ?? cause.message) : cause}`,
        );
      }
    }
  }
  if (failures.length > 0) throw new Error(failures.join("\n"));
}

/** Digest of everything a run still does. */
function finish(run: Run): string {
  const digest = createDigest(FORMAT_VERSION);
  run.run(1e6, digest);
  run.flush(digest);
  return digest.finish(run.texts, run.threads);
}

/** The rows of a run go to each of these. */
const both = (...sinks: readonly Sink[]): Sink => ({
  put(block): void {
    for (const sink of sinks) sink.put(block);
  },
});

/** Let it run, with the laws looked at each so many transitions; `most` of them, or all. */
function watch(run: Run, sink: Sink, every: number, most = Number.POSITIVE_INFINITY): void {
  const until = run.machine.seq + most;
  let time = run.machine.now;
  for (let going = true; going && run.machine.seq < until; ) {
    going = run.run(Math.min(every, until - run.machine.seq), sink);
    run.flush(sink);
    expect(checkInvariants(run.cpu), `seq ${run.machine.seq}`).toEqual([]);
    expect(run.machine.now, `time at seq ${run.machine.seq}`).toBeGreaterThanOrEqual(time);
    time = run.machine.now;
  }
}

function goesOnAsItsCopies({ seed, options }: Case): void {
  const every = seed % EVERY_STEP === 0 ? 1 : CHECK_ROWS;
  const run = boot(options);
  const collector = collectorOf(run);
  const [whole, rest] = [createDigest(FORMAT_VERSION), createDigest(FORMAT_VERSION)];
  watch(run, both(collector, whole), every, 100 + (seed % 700));

  const copy = run.clone();
  const again = boot(options, run.keyframe(), run);
  expect(firstDifference(run.machine, copy.machine)).toBe("");
  const kept = run.keyframe();
  const copied = finish(copy);
  expect(run.keyframe(), "the original does not move with its copy").toBe(kept);

  watch(run, both(collector, whole, rest), every);
  expect(rest.finish(run.texts, run.threads), "copy").toBe(copied);
  expect(finish(again), "keyframe").toBe(copied);
  expect(firstDifference(run.machine, copy.machine)).toBe("");
  const repeated = boot({ ...options, scheduler: "recorded", decisions: [...run.decisions] });
  expect(finish(repeated), "repeated").toBe(whole.finish(run.texts, run.threads));
  accountsForAll(collector.ran());
}

function accountsForAll(ran: Ran): void {
  expect(unaccounted(ran)).toEqual([]);
  expect(leakedRestarts(ran)).toEqual([]);
  expect(sharedLocks(ran)).toEqual([]);
}

describe("random scenarios", () => {
  it.each(CASES)("keep the laws, account for every signal, go on from a copy and a keyframe, and are repeated: %s", (_, stack, part) => {
    forEachCase(stack, part, goesOnAsItsCopies);
  });
});

describe("a thread that nobody interrupts", () => {
  const seen = (input: ScenarioInput, stack: StackName): unknown => {
    const ran = runScenario(parseScenario(JSON.stringify(input), input.name), stack);
    return [results(ran), handled(ran), endOf(ran)];
  };
  const ofGramine = (stack: StackName): boolean => stack.startsWith("gramine-");

  // What today's Gramine does as Linux, and Graphene does not, is asked of it alone: slots for signals, waits for them, timers that signal.
  it.each(STACK_NAMES.filter((stack) => stack !== "native-linux"))(
    "gets the same answers and the same handlers from Linux and %s",
    (stack) => {
      for (const seed of SEEDS.slice(0, FEWER)) {
        const input = quietInput(seed, ofGramine(stack));
        expect(seen(input, stack), `seed ${seed}`).toEqual(seen(input, "native-linux"));
      }
    },
  );

  it("makes each of the calls that only Gramine is asked for", () => {
    const made = new Set(
      SEEDS.flatMap((seed) => results(runScenario(parseScenario(JSON.stringify(quietInput(seed, true)), "q"), "gramine-linux"))),
    );
    for (const call of [
      "rt_sigtimedwait 12",
      "rt_sigtimedwait -EAGAIN",
      "sigsuspend -EINTR",
      "pause -EINTR",
      "sigpending 0",
      "pthread_join 0",
    ])
      expect([...made], call).toContain(call);
    expect([...made].some((text) => /^wait4 \d/.test(text))).toBe(true);
  });
});

describe("threads that talk through pipes and want the same locks", () => {
  const TALKS = SEEDS.slice(0, ONLY === undefined ? 6 : FEWER);

  it.each(STACK_NAMES)("all get through, each lock with one owner at a time: %s", (stack) => {
    for (const seed of TALKS) {
      const scenario = parseScenario(JSON.stringify(talkInput(seed)), `seed ${seed}`);
      const native = outcome(runScenario(scenario, "native-linux"));
      for (const scheduler of SCHEDULERS) {
        const run = boot({ stack, scenario, scheduler });
        const ran = collect(run);
        const what = `seed ${seed}, ${scheduler}`;
        expect(sharedLocks(ran), what).toEqual([]);
        expect(checkInvariants(run.cpu), what).toEqual([]);
        expect(outcome(ran), what).toEqual(native);
      }
    }
  });

  /** How it ended, and what came back to each thread. Not the handlers: natively two signals in a row may become one. */
  const outcome = (ran: Ran): unknown => [endOf(ran), ...["main", "talker1", "talker2", "talker3"].map((who) => results(ran, who))];
});

describe("the built-in scenarios", () => {
  it.each(STACK_NAMES)("keep the same laws and account for every signal on %s", (stack) => {
    for (const name of BUILT_IN) {
      const ran = runScenario(name, stack, { rows: 30_000 });
      expect(checkInvariants(ran.run.cpu), name).toEqual([]);
      expect(unaccounted(ran), name).toEqual([]);
    }
  });
});

describe("the random scenarios themselves", () => {
  it("are valid, differ from seed to seed and are the same for the same seed", () => {
    expect(SEEDS, `EINTR_SEED=${ONLY}`).not.toEqual([]);
    const texts = SEEDS.map((seed) => JSON.stringify(randomInput(seed)));
    expect(new Set(texts).size).toBe(SEEDS.length);
    expect(SEEDS.map((seed) => JSON.stringify(randomInput(seed)))).toEqual(texts);
    for (const text of texts) expect(scenarioSchema.safeParse(JSON.parse(text)).success).toBe(true);
  });

  const WANTED: readonly (readonly [StackName, readonly KindName[]])[] = [
    ["native-linux", ["app.handler.enter", "app.handler.longjmp", "host.signal.discard", "host.signal.default", "thread.wake"]],
    ["graphene-linux", ["pal.event.pend", "pal.event.deliver", "libos.signal.append", "libos.signal.fetch", "libos.fault"]],
    ["graphene-sgx", ["sgx.aex", "pal.event.inject", "pal.call.abandon", "libos.signal.delayed", "sgx.clobber", "undefined"]],
  ];
  it.each(WANTED)("reach what they are made for on %s", (stack, kinds) => {
    const missing = new Set<KindName>(kinds);
    for (let seed = 1; seed <= 60 && missing.size > 0; seed += 1)
      for (const row of collect(boot({ stack, scenario: randomScenario(seed, stack), scheduler: "seeded" })).rows) missing.delete(row.what);
    expect([...missing]).toEqual([]);
  });
});
