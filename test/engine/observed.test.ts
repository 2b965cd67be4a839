/** An observed state does what the plain one does, its hash is the hash of what is there, and all of it can be taken back. */

import { describe, expect, it } from "vitest";
import { boot, firstDifference, STACK_NAMES } from "../../engine/index.ts";
import { hashHigh, hashLow, setHash } from "../../engine/search/hash.ts";
import { beStrict, mixAll } from "../../engine/search/observed.ts";
import { backTo, moment, observeRun } from "../../engine/search/observed-run.ts";
import { BUILT_IN, builtIn, NOWHERE } from "../support/run-scenario.ts";

const ROWS = 400;
beStrict();

const NAMES = BUILT_IN.filter((name) => name !== "server");

describe.each(STACK_NAMES)("on %s", (stack) => {
  it.each(NAMES)("%s: observed, undone and done again", (name) => {
    const options = { stack, scenario: builtIn(name) };
    const plain = boot(options);
    const start = observeRun(plain);
    const step = 37;
    for (let going = true, rows = 0; going && rows < ROWS; rows += step) {
      const before = JSON.stringify(start.machine);
      expect(before).toBe(JSON.stringify(plain.machine));
      const here = moment();
      start.run(step, NOWHERE);
      start.flush(NOWHERE);
      const low = hashLow();
      const high = hashHigh();
      mixAll(start.machine);
      expect([hashLow(), hashHigh()], "nothing is left of the hash when all is taken out").toEqual([0, 0]);
      setHash(low, high);
      backTo(start, here);
      expect(JSON.stringify(start.machine)).toBe(before);
      going = start.run(step, NOWHERE);
      start.flush(NOWHERE);
      expect([hashLow(), hashHigh()]).toEqual([low, high]);
      plain.run(step, NOWHERE);
      plain.flush(NOWHERE);
      expect(firstDifference(JSON.parse(JSON.stringify(plain.machine)), JSON.parse(JSON.stringify(start.machine)))).toBe("");
    }
  });
});
