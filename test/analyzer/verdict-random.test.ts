/**
 * Random scenarios: the verdict agrees with a slow, plain comparison of the two runs (support/slow-verdict.ts), a run has no difference
 * from itself, and what differs from A in B differs from B in A. `npm run torture -- verdict` runs 10,000; EINTR_SEED=17 that seed alone.
 */

import { describe, expect, it } from "vitest";
import type { Difference } from "../../analyzer/index.ts";
import { type Compared, compare } from "../../analyzer/verdict/compare.ts";
import type { Observed } from "../../analyzer/verdict/observation.ts";
import { boot, parseScenario, type RunOptions, STACK_NAMES, type StackName } from "../../engine/index.ts";
import { randomInput } from "../support/random-scenario.ts";
import { collect } from "../support/run-scenario.ts";
import { tell } from "../support/slow-telling.ts";
import { slowVerdict } from "../support/slow-verdict.ts";
import { observedRun } from "../support/verdict.ts";

const [FIRST = 1, LAST = FIRST] = (process.env.EINTR_SEED ?? "1-60").split("-").map(Number);
const SEEDS = Array.from({ length: LAST - FIRST + 1 }, (_, i) => FIRST + i);
const PARTS = 4;

interface Case {
  readonly one: RunOptions;
  readonly other: RunOptions;
}

/** A stack against the kernel alone, or two runs of one stack with other seeds of the scheduler. */
function caseOf(seed: number): Case {
  const stacks = STACK_NAMES.filter((name) => name !== "native-linux");
  const stack = stacks[seed % stacks.length] as StackName;
  // Without pins to places: each stack has its own.
  const scenario = parseScenario(JSON.stringify(randomInput(seed)), `random-${seed}`);
  const scheduler = seed % 3 === 0 ? "seeded" : "scripted";
  const one: RunOptions = { stack, scenario, scheduler };
  if (seed % 5 === 0) return { one, other: { ...one, scheduler: "seeded", seed: seed + 1 } };
  return { one, other: { stack: "native-linux", scenario } };
}

const shortOf = ({ kind, weight, one, other }: Difference): string => `${kind} ${weight} ${one.seq ?? "-"}|${other.seq ?? "-"}`;
const swapped = ({ one, other, ...rest }: Difference): Difference => ({ ...rest, one: other, other: one });

function partnersOf(a: Observed, b: Observed, partner: Int32Array): [number, number][] {
  return [...partner].flatMap((other, item): [number, number][] => (other < 0 ? [] : [[a.items.seq.at(item), b.items.seq.at(other)]]));
}

async function differing(a: Observed, b: Observed): Promise<Compared> {
  const compared = await compare(a, b);
  if (compared === null) throw new Error("nobody aborts it");
  return compared;
}

async function forEachSeed(part: number, body: (seed: number) => Promise<void>): Promise<void> {
  for (const seed of SEEDS.filter((_, i) => i % PARTS === part)) {
    try {
      await body(seed);
    } catch (cause) {
      const again = `EINTR_SEED=${seed} npx vitest run test/analyzer/verdict-random.test.ts`;
      throw new Error(`seed ${seed} (${again}): ${cause instanceof Error ? cause.message : cause}`, { cause });
    }
  }
}

const parts = Array.from({ length: PARTS }, (_, part): [number, number] => [part + 1, part]);

describe("random scenarios", () => {
  it.each(parts)("the verdict agrees with the slow one, and mirrors itself: part %d", { timeout: 3_600_000 }, async (_, part) => {
    await forEachSeed(part, async (seed) => {
      const { one, other } = caseOf(seed);
      const [a, b] = [observedRun(one), observedRun(other)];
      const found = await differing(a, b);
      const slow = slowVerdict(tell(collect(boot(one))), tell(collect(boot(other))), partnersOf(a, b, found.pairing.a.partner));
      expect(slow.wrong, "partners").toEqual([]);
      expect([...found.differences].map(shortOf).sort()).toEqual(slow.differences);
      expect([...(await differing(b, a)).differences].map(swapped)).toEqual([...found.differences]);
      expect([...(await differing(a, observedRun(one))).differences], "with itself").toEqual([]);
    });
  });
});
