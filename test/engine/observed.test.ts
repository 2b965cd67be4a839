/** An observed state does what the plain one does, its hash is that of what is there, and all of it can be taken back. */

import { describe, expect, it } from "vitest";
import { boot, firstDifference, type RunOptions, STACK_NAMES } from "../../engine/index.ts";
import { checkArguments } from "../../engine/locals.ts";
import { hashHigh, hashLow, setHash } from "../../engine/search/hash.ts";
import { beStrict, mixAll } from "../../engine/search/observed.ts";
import { backTo, moment, observeRun } from "../../engine/search/observed-run.ts";
import { randomScenario } from "../support/random-scenario.ts";
import { BUILT_IN, builtIn, NOWHERE } from "../support/run-scenario.ts";

/** Rows of a run that are looked at. */
const ROWS = 900;
/** Rows between two looks: a prime, so that they fall on every part of a flow. */
const STEP = 37;
const SEEDS = Array.from({ length: process.env.EINTR_TORTURE === undefined ? 12 : 1000 }, (_, i) => i + 1);

beStrict();
checkArguments();

/** Whether all contributions together are the hash: taken out, nothing is left of it. */
function hashIsThatOf(state: object): boolean {
  const low = hashLow();
  const high = hashHigh();
  mixAll(state);
  const empty = hashLow() === 0 && hashHigh() === 0;
  setHash(low, high);
  return empty;
}

/** The run with a plain and with an observed state side by side; each stretch of the observed one is taken back and made again. */
function compare(options: RunOptions): void {
  const plain = boot(options);
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
    const hash = [hashLow(), hashHigh()];
    const at = `after seq ${observed.machine.seq - 1}`;
    expect(hashIsThatOf(observed.machine), `the hash is that of the state ${at}`).toBe(true);
    backTo(observed, here);
    expect(JSON.stringify(observed.machine), `taken back from ${at}`).toBe(before);
    expect(hashIsThatOf(observed.machine), `the hash is that of the state, taken back from ${at}`).toBe(true);
    going = go(observed);
    expect([hashLow(), hashHigh()], `the same way leads to the same hash ${at}`).toEqual(hash);
    go(plain);
    expect(firstDifference(JSON.parse(plain.keyframe()), JSON.parse(observed.keyframe())), at).toBe("");
  }
}

describe.each(STACK_NAMES)("an observed state on %s", (stack) => {
  it.each(BUILT_IN)("%s", (name) => compare({ stack, scenario: builtIn(name) }));

  it("random scenarios, seeded", () => {
    for (const seed of SEEDS) {
      try {
        compare({ stack, scenario: randomScenario(seed, stack), scheduler: seed % 2 === 0 ? "seeded" : "scripted" });
      } catch (cause) {
        throw new Error(`seed ${seed} on ${stack}: ${cause instanceof Error ? cause.message : cause}`, { cause });
      }
    }
  }, 120_000);
});
