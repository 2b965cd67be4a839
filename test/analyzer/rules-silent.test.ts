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

/** Transitions of the run, which must give no finding. */
function staysSilent(scenario: ReturnType<typeof randomScenario>): number {
  const run = boot({ stack: STACK, scenario });
  const analysis = createAnalysis(run, RULES);
  run.run(MOST, analysis);
  run.flush(analysis);
  const { findings } = analysis.finish();
  expect(
    findings.map(({ rule, title, firstSeq }) => `${rule} at seq ${firstSeq}: ${title}`),
    scenario.name,
  ).toEqual([]);
  return run.machine.seq;
}

it(`random scenarios of ${TRANSITIONS} transitions in all`, { timeout: 3_600_000 }, () => {
  if (ONLY !== undefined) {
    staysSilent(randomScenario(Number(ONLY), STACK));
    return;
  }
  let seed = 1;
  for (let transitions = 0; transitions < TRANSITIONS; seed += 1) transitions += staysSilent(randomScenario(seed, STACK));
  if (TORTURE) process.stderr.write(`seeds 1 to ${seed - 1}\n`);
});

it("scenarios without surprises, and threads that talk", () => {
  for (let seed = 1; seed <= 40; seed += 1)
    for (const input of [quietInput(seed), talkInput(seed)]) staysSilent(parseScenario(JSON.stringify(input), input.name));
});
