/**
 * On plain Linux nothing goes wrong that a rule knows: scenarios at random give no finding. EINTR_SEED=1-4000 tries those seeds
 * (3,000 transitions each).
 */

import { expect, it } from "vitest";
import { createAnalysis } from "../../analyzer/index.ts";
import { boot, parseScenario } from "../../engine/index.ts";
import { quietInput, randomScenario, talkInput } from "../support/random-scenario.ts";

const [FROM = 1, TO = 150] = (process.env.EINTR_SEED ?? "1-150").split("-").map(Number);
const STACK = "native-linux";

function findingsOf(scenario: ReturnType<typeof randomScenario>, rows: number): string[] {
  const run = boot({ stack: STACK, scenario });
  const analysis = createAnalysis(run);
  run.run(rows, analysis);
  run.flush(analysis);
  return analysis.finish().findings.map(({ rule, title }) => `${scenario.name}: ${rule}: ${title}`);
}

it(`scenarios ${FROM} to ${TO}`, { timeout: 600_000 }, () => {
  for (let seed = FROM; seed <= TO; seed += 1) expect(findingsOf(randomScenario(seed, STACK), 3000)).toEqual([]);
});

it("scenarios without surprises, and threads that talk", () => {
  for (let seed = 1; seed <= 40; seed += 1)
    for (const input of [quietInput(seed), talkInput(seed)])
      expect(findingsOf(parseScenario(JSON.stringify(input), input.name), 20_000)).toEqual([]);
});
