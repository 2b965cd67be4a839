/**
 * Each finding's evidence, checked by SQL on trace.db: kinds, threads, order, and what must hold between the rows (`support/evidence-sql`).
 * npm run torture -- evidence does the same with all examples, and with random scenarios on all stacks.
 */

import Sqlite from "better-sqlite3";
import { expect, it } from "vitest";
import { createAnalysis, RULES } from "../../analyzer/catalogue.ts";
import type { Example, Rule } from "../../analyzer/index.ts";
import { type Block, boot, type Run, STACK_NAMES, type StackName } from "../../engine/index.ts";
import { DB_NAME, record } from "../../recorder/index.ts";
import { EVIDENCE_SQL, VIEW, wrongIn } from "../support/evidence-sql/index.ts";
import { randomScenario } from "../support/random-scenario.ts";
import { testInfo } from "../support/synthetic-source.ts";
import { tempPaths } from "../support/temp-dir.ts";
import { scenario } from "./support.ts";

const TORTURE = process.env.EINTR_TORTURE === "1";
/** Rules between two whose examples are run in npm test. */
const EVERY = 15;
const ROWS = 60_000;
/** Of a random run: those of npm test are short. */
const RANDOM_ROWS = TORTURE ? 20_000 : 6_000;
const [FIRST = 1, LAST = FIRST] = (process.env.EINTR_SEED ?? "1").split("-").map(Number);
const SEEDS = Array.from({ length: LAST - FIRST + 1 }, (_, i) => FIRST + i);
const fresh = tempPaths();

/** Findings of a recorded run, by the rule alone, if there is one, and by all; and what SQL says against them. */
async function against(run: Run, stack: StackName, rule: Rule | null, rows = ROWS): Promise<{ found: number; wrong: string[] }> {
  const analyses = (rule === null ? [RULES] : [[rule], RULES]).map((rules) => createAnalysis(run, rules));
  const dir = fresh("evidence.trace");
  const also = { put: (block: Block) => analyses.forEach((analysis) => void analysis.put(block)) };
  await record(run, dir, { ...testInfo(), stack }, { rows, also });
  const findings = analyses.map((analysis) => analysis.finish().findings);
  const db = new Sqlite(`${dir}/${DB_NAME}`);
  try {
    db.exec(VIEW);
    const wrong = findings.flat().flatMap((one) => wrongIn(db, one).map((why) => `${one.rule} (${one.title}): ${why}`));
    return { found: findings[0]?.length ?? 0, wrong: [...new Set(wrong)] };
  } finally {
    db.close();
  }
}

it("each rule has its entry, and each entry its rule", () => {
  const [entries, ids] = [Object.keys(EVIDENCE_SQL), RULES.map(({ id }) => id)];
  expect(
    ids.filter((id) => !entries.includes(id)),
    "rules that have no entry in test/support/evidence-sql",
  ).toEqual([]);
  expect(
    entries.filter((id) => !ids.includes(id)),
    "entries in test/support/evidence-sql without a rule",
  ).toEqual([]);
});

/** Examples that are scenarios, on their stacks. In npm test one rule of so many shows its first one. */
const EXAMPLES = RULES.flatMap((rule, i) => {
  const all = rule.invalid.flatMap((example: Example) =>
    typeof example.scenario !== "string"
      ? []
      : (example.stacks ?? []).map((stack) => ({
          id: rule.id,
          name: example.name,
          stack,
          rule,
          text: example.scenario as string,
          fixes: example.fixes ?? [],
        })),
  );
  return TORTURE ? all : i % EVERY === 0 ? all.slice(0, 1) : [];
});

it.each(EXAMPLES)("$id: $name, on $stack", async ({ rule, stack, text, fixes }) => {
  const { found, wrong } = await against(boot({ stack, scenario: scenario(text), fixes }), stack, rule);
  expect(wrong).toEqual([]);
  expect(found).toBeGreaterThan(0);
});

it.each(SEEDS)("seed %i: random scenarios on all stacks", async (seed) => {
  for (const stack of STACK_NAMES) {
    const run = boot({ stack, scenario: randomScenario(seed, stack), seed, scheduler: "seeded" });
    const { wrong } = await against(run, stack, null, RANDOM_ROWS);
    expect(wrong, stack).toEqual([]);
  }
});
