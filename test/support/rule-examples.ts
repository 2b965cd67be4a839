/** Runs the examples of a rule's own file: what must be found is found, what comes close is not. */

import { describe, expect, it } from "vitest";
import type { Example, Finding, Invalid, Rule, Valid } from "../../analyzer/index.ts";
import { type FixName, ScenarioError, STACK_NAMES, STACKS, type StackName } from "../../engine/index.ts";
import { analyzeRows, madeUp, watch } from "../analyzer/support.ts";

const ROWS = 60_000;
/** So that a scope may end in another block than it began. */
const BLOCK = 3;

interface Seen {
  readonly findings: readonly Finding[];
  /** Kinds and places ("flow: label") that were come to. */
  readonly reached: ReadonlySet<string>;
}

function see(rule: Rule, { scenario, fixes = [] }: Example, stack: StackName | null, more: readonly FixName[] = []): Seen {
  if (typeof scenario === "string") {
    if (stack === null) throw new Error("an example with a scenario names the stacks it is for");
    const w = watch(scenario, stack, { rows: ROWS, rules: [rule], fixes: [...fixes, ...more] });
    return { findings: w.findings, reached: new Set(w.rows.flatMap(({ name, at }) => [name, `${at.flow}: ${at.label}`])) };
  }
  const names = { sites: [], threads: [], texts: [] };
  const { findings } = analyzeRows(madeUp(scenario), names, BLOCK, [rule]);
  return { findings, reached: new Set(scenario.map(({ name }) => name)) };
}

/** A scenario may name places that another stack does not have: then there is nothing to find. */
function isSilentOn(rule: Rule, example: Example, stack: StackName): boolean {
  try {
    return see(rule, example, stack).findings.length === 0;
  } catch (error) {
    if (error instanceof ScenarioError) return true;
    throw error;
  }
}

const stacksOf = ({ scenario, stacks }: Example): readonly (StackName | null)[] => (typeof scenario === "string" ? (stacks ?? []) : [null]);

function mustReport(rule: Rule, example: Invalid): void {
  const stacks = stacksOf(example);
  expect(stacks).not.toEqual([]);
  for (const stack of stacks) {
    const { findings } = see(rule, example, stack);
    const found = findings.map(({ title, evidence }) => ({ title, evidence: evidence.map(({ id }) => id) }));
    expect(found, stack ?? "rows").toEqual(example.found);
    // A stack that does not know the switch is not mended by it.
    if (rule.fix !== null && stack !== null && STACKS[stack].switches?.includes(rule.fix))
      expect(see(rule, example, stack, [rule.fix]).findings, `${stack}, fixed`).toEqual([]);
  }
  if (typeof example.scenario !== "string") return;
  const named = new Set(rule.invalid.filter(({ scenario }) => scenario === example.scenario).flatMap(stacksOf));
  const more = STACK_NAMES.filter((stack) => !named.has(stack) && !isSilentOn(rule, example, stack));
  expect(more, `stacks on which the rule finds something in "${example.name}", and which no example of the scenario names`).toEqual([]);
}

function mustNotReport(rule: Rule, example: Valid): void {
  const stacks = stacksOf(example);
  expect(stacks).not.toEqual([]);
  expect(example.reaches).not.toEqual([]);
  for (const stack of stacks) {
    const { findings, reached } = see(rule, example, stack);
    for (const place of example.reaches) expect(reached, `${stack ?? "rows"}: ${place}`).toContain(place);
    expect(findings, stack ?? "rows").toEqual([]);
  }
}

/** The tests of a rule are its examples. */
export function describeRule(rule: Rule): void {
  describe(rule.id, () => {
    for (const example of rule.invalid) it(`reports: ${example.name}`, () => mustReport(rule, example));
    for (const { nearMiss } of rule.ignore) it(`does not report: ${nearMiss.name}`, () => mustNotReport(rule, nearMiss));
  });
}
