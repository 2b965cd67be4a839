/**
 * On plain Linux nothing goes wrong that a rule knows: random scenarios of 100,000 transitions in all give no finding; of 10 million with
 * EINTR_TORTURE=1 (`npm run torture -- silent`). A scenario's name holds its seed; EINTR_SEED=17 tries that one alone.
 */

import { expect, it } from "vitest";
import { createAnalysis, RULES } from "../../analyzer/catalogue.ts";
import { boot, parseScenario } from "../../engine/index.ts";
import { quietInput, randomScenario, talkInput } from "../support/random-scenario.ts";

const TORTURE = process.env.EINTR_TORTURE !== undefined;
const ONLY = process.env.EINTR_SEED;
const TRANSITIONS = TORTURE ? 10_000_000 : 100_000;
/** Of one scenario: some have no end. */
const MOST = 20_000;
const STACK = "native-linux";

/** Of findings, of which there should be none, so many are told. */
const MOST_TOLD = 20;
const told: string[] = [];

/** Transitions of the run. What is found goes to `told`. */
function transitionsOf(scenario: ReturnType<typeof randomScenario>): number {
  const run = boot({ stack: STACK, scenario });
  const analysis = createAnalysis(run, RULES);
  run.run(MOST, analysis);
  run.flush(analysis);
  for (const { rule, title, firstSeq } of analysis.finish().findings)
    if (told.length < MOST_TOLD) told.push(`${scenario.name}: ${rule} at seq ${firstSeq}: ${title}`);
  return run.machine.seq;
}

it(`random scenarios of ${TRANSITIONS} transitions in all`, { timeout: 3_600_000 }, () => {
  let seed = ONLY === undefined ? 1 : Number(ONLY);
  let transitions = 0;
  do {
    transitions += transitionsOf(randomScenario(seed, STACK));
    seed += 1;
  } while (ONLY === undefined && transitions < TRANSITIONS);
  if (TORTURE) process.stderr.write(`seeds 1 to ${seed - 1}, ${transitions.toLocaleString("en")} transitions\n`);
  expect(told).toEqual([]);
});

it("scenarios without surprises, and threads that talk", () => {
  for (let seed = 1; seed <= 40; seed += 1)
    for (const input of [quietInput(seed), talkInput(seed)]) transitionsOf(parseScenario(JSON.stringify(input), input.name));
  expect(told).toEqual([]);
});
