/**
 * What holds for every scenario on gramine-sgx, with the options of its manifest: random ones run to their end with the laws checked on the way,
 * each goes on from a keyframe as from itself, an observed state does what a plain one does, and every signal of the host ends somewhere. A
 * failure names its seed; `EINTR_SEED=1-2000 npx vitest run test/engine/gramine-sgx-properties.test.ts` runs many more than the usual ones.
 */

import { describe, expect, it } from "vitest";
import { boot, checkInvariants, firstDifference, type OptionName, type RunOptions } from "../../engine/index.ts";
import { beStrict } from "../../engine/search/observed.ts";
import { backTo, moment, observeRun } from "../../engine/search/observed-run.ts";
import { searchArrivals } from "../../engine/search/search.ts";
import { createDigest, FORMAT_VERSION } from "../../recorder/index.ts";
import { GRAMINE_SGX } from "../support/gramine.ts";
import { randomScenario } from "../support/random-scenario.ts";
import { NOWHERE, on, scenarioOf } from "../support/run-scenario.ts";

const [FIRST = 1, LAST = FIRST] = (process.env.EINTR_SEED ?? "1-8").split("-").map(Number);
const SEEDS = Array.from({ length: LAST - FIRST + 1 }, (_, i) => FIRST + i);
/** A prime: looks fall on every part of a flow. */
const STEP = 61;
const ROWS = 2500;

const MANIFESTS: readonly (readonly OptionName[])[] = [
  [],
  ["sigterm-injection", "exinfo", "edmm"],
  ["exitless", "sigterm-injection"],
  ["aex-notify", "exinfo", "sigterm-injection"],
];
const NAMED = MANIFESTS.map((options) => [options.join(", ") || "no option", options] as const);

beStrict();

/** Each seed with the default manifest's places: a scenario's site may be one that only that has. */
function forEachSeed(options: readonly OptionName[], body: (o: RunOptions) => void): void {
  for (const seed of SEEDS) {
    const scheduler = seed % 2 === 0 ? "seeded" : "scripted";
    try {
      body({ stack: GRAMINE_SGX, scenario: randomScenario(seed, GRAMINE_SGX), scheduler, options });
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      if (options.length > 0 && message.includes("has no place")) continue;
      throw new Error(`seed ${seed}: ${message}`, { cause });
    }
  }
}

const finish = (run: ReturnType<typeof boot>): string => {
  const digest = createDigest(FORMAT_VERSION);
  run.run(1e6, digest);
  run.flush(digest);
  return digest.finish(run.texts, run.threads);
};

describe.each(NAMED)("random scenarios with %s", (_, options) => {
  it("keep the laws on their way", () => {
    forEachSeed(options, (o) => {
      const run = boot(o);
      for (let going = true; going; ) {
        going = run.run(STEP, NOWHERE);
        run.flush(NOWHERE);
        expect(checkInvariants(run.cpu), `seq ${run.machine.seq}`).toEqual([]);
      }
    });
  });

  it("go on from a keyframe as from the original", () => {
    forEachSeed(options, (o) => {
      const run = boot(o);
      run.run(700, NOWHERE);
      run.flush(NOWHERE);
      const again = boot(o, run.keyframe(), run);
      expect(finish(again)).toBe(finish(run));
    });
  });

  it("are observed as they are, and taken back", () => {
    forEachSeed(options, (o) => {
      const plain = boot(o);
      const observed = observeRun(plain);
      const go = (run: typeof plain): boolean => {
        const going = run.run(STEP, NOWHERE);
        run.flush(NOWHERE);
        return going;
      };
      for (let going = true; going && plain.machine.seq < ROWS; ) {
        const before = JSON.stringify(observed.machine);
        const here = moment(observed);
        go(observed);
        backTo(observed, here);
        expect(JSON.stringify(observed.machine)).toBe(before);
        going = go(observed);
        go(plain);
        expect(firstDifference(JSON.parse(plain.keyframe()), JSON.parse(observed.keyframe()))).toBe("");
      }
    });
  });
});

describe.each(NAMED)("a SIGTERM of the host at any place, with %s", (_, options) => {
  it("leads to an end or to FAIL_LOOP, never to a state that the emulation does not know", () => {
    const scenario = scenarioOf({
      main: [on("SIGTERM"), { read: { takes: "2us", result: 4 } }, "getpid"],
      handlers: { quick: [{ read: { takes: "1us", result: 1 } }] },
      signals: [{ signal: "SIGTERM", when: { at: "1ms" } }],
      limit: { time: "5s", transitions: 3000 },
    });
    const searched = searchArrivals({ run: boot({ stack: GRAMINE_SGX, scenario, options }), states: 40_000 });
    expect(searched.ends).toBeGreaterThan(0);
  }, 60_000);
});
