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
  parseScenario,
  type Run,
  type RunOptions,
  type ScenarioInput,
  STACK_NAMES,
  type StackName,
  scenarioSchema,
} from "../../engine/index.ts";
import { createDigest } from "../../recorder/index.ts";
import { leakedRestarts, sharedLocks, unaccounted } from "../support/accounts.ts";
import { quietInput, randomInput, randomScenario, talkInput } from "../support/random-scenario.ts";
import { BUILT_IN, collect, endOf, handled, NOWHERE, type Ran, results, runScenario } from "../support/run-scenario.ts";

const ONLY = process.env.EINTR_SEED;
const [FIRST = 1, LAST = FIRST] = (ONLY ?? "1-10").split("-").map(Number);
const SEEDS = Array.from({ length: LAST - FIRST + 1 }, (_, i) => FIRST + i);
/** Tests of one stack are cut into parts, so that a report comes before all are done. */
const PARTS = 4;
const SCHEDULERS = ["scripted", "seeded"] as const;
/** A prime: checks fall on every part of a flow. */
const CHECK_ROWS = 61;
/** One seed in so many is looked at after each transition. */
const EVERY_STEP = 20;

interface Case {
  readonly seed: number;
  readonly options: RunOptions;
}

const CASES: readonly [string, StackName, number][] = STACK_NAMES.flatMap((stack) =>
  Array.from({ length: PARTS }, (_, part): [string, StackName, number] => [`${stack}, part ${part + 1} of ${PARTS}`, stack, part]),
);

/** Run a body for each seed of a part under each scheduler; what it throws comes with the words to run it again. */
function forEachCase(stack: StackName, part: number, body: (c: Case) => void): void {
  for (const seed of SEEDS.filter((_, i) => i % PARTS === part)) {
    for (const scheduler of SCHEDULERS) {
      try {
        body({ seed, options: { stack, scenario: randomScenario(seed, stack), scheduler } });
      } catch (cause) {
        const again = `EINTR_SEED=${seed} npx vitest run test/engine/properties.test.ts`;
        throw new Error(`seed ${seed} on ${stack}, ${scheduler} (${again}): ${cause instanceof Error ? cause.message : cause}`, { cause });
      }
    }
  }
}

/** Digest of everything a run still does. */
function finish(run: Run): string {
  const digest = createDigest();
  run.run(1e6, digest);
  run.flush(digest);
  return digest.finish(run.texts, run.threads);
}

describe("random scenarios", () => {
  it.each(CASES)("keep the machine's laws on their way: %s", (_, stack, part) => {
    forEachCase(stack, part, ({ seed, options }) => {
      const rows = seed % EVERY_STEP === 0 ? 1 : CHECK_ROWS;
      const run = boot(options);
      let time = 0;
      for (let going = true; going; ) {
        going = run.run(rows, NOWHERE);
        run.flush(NOWHERE);
        expect(checkInvariants(run.cpu), `seq ${run.machine.seq}`).toEqual([]);
        expect(run.machine.now, `time at seq ${run.machine.seq}`).toBeGreaterThanOrEqual(time);
        time = run.machine.now;
      }
    });
  });

  it.each(CASES)("account for every signal: %s", (_, stack, part) => {
    forEachCase(stack, part, ({ options }) => {
      const ran = collect(boot(options));
      expect(unaccounted(ran)).toEqual([]);
      expect(leakedRestarts(ran)).toEqual([]);
      expect(sharedLocks(ran)).toEqual([]);
    });
  });

  it.each(CASES)("go on from a copy and from a keyframe as from the original: %s", (_, stack, part) => {
    forEachCase(stack, part, ({ seed, options }) => {
      const run = boot(options);
      run.run(100 + (seed % 700), NOWHERE);
      run.flush(NOWHERE);
      const copy = run.clone();
      const again = boot(options, run.keyframe(), run);
      expect(firstDifference(run.machine, copy.machine)).toBe("");
      const kept = run.keyframe();
      const rest = finish(copy);
      expect(run.keyframe(), "the original does not move with its copy").toBe(kept);
      expect(finish(run), "original").toBe(rest);
      expect(finish(again), "keyframe").toBe(rest);
      expect(firstDifference(run.machine, copy.machine)).toBe("");
    });
  });

  it.each(CASES)("are repeated from their decisions: %s", (_, stack, part) => {
    forEachCase(stack, part, ({ options }) => {
      const run = boot(options);
      const digest = finish(run);
      const again = boot({ ...options, scheduler: "recorded", decisions: [...run.decisions] });
      expect(finish(again)).toBe(digest);
    });
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
      for (const seed of SEEDS) {
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
  const TALKS = ONLY === undefined ? SEEDS.slice(0, 6) : SEEDS;

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

  it("reach what they are made for, on every stack", () => {
    const counts = new Map<string, number>();
    for (const stack of STACK_NAMES) {
      for (let seed = 1; seed <= 60; seed += 1) {
        for (const row of collect(boot({ stack, scenario: randomScenario(seed, stack), scheduler: "seeded" })).rows) {
          counts.set(`${stack} ${row.what}`, (counts.get(`${stack} ${row.what}`) ?? 0) + 1);
        }
      }
    }
    const wanted = {
      "native-linux": ["app.handler.enter", "app.handler.longjmp", "host.signal.discard", "host.signal.default", "thread.wake"],
      "graphene-linux": ["pal.event.pend", "pal.event.deliver", "libos.signal.append", "libos.signal.fetch", "libos.fault"],
      "graphene-sgx": ["sgx.aex", "pal.event.inject", "pal.call.abandon", "libos.signal.delayed", "sgx.clobber", "undefined"],
    };
    const missing = Object.entries(wanted).flatMap(([stack, kinds]) => kinds.filter((kind) => !counts.has(`${stack} ${kind}`)));
    expect(missing).toEqual([]);
  });
});
