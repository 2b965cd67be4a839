/**
 * The table of `eintr stack --history`: what stands in it, and on which built-in cases a switch changes the verdict.
 * EINTR_UPDATE=1 npx vitest run test/engine/history.test.ts writes engine/history-cases.ts anew.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { ofWeight, type Verdict } from "../../analyzer/index.ts";
import { FIX_NAMES, type FixName, HISTORY, STACK_NAMES, stacksKnowing } from "../../engine/index.ts";
import { builtInCase } from "../../tui/case.ts";
import { listScenarios } from "../../tui/scenarios.ts";
import { judge } from "../support/cases-table.ts";

const CASES = fileURLToPath(new URL("../../engine/history-cases.ts", import.meta.url));

describe("the steps", () => {
  test("stand in order of time", () => {
    const dates = HISTORY.map(({ date }) => date);
    expect(dates).toEqual([...dates].sort());
    expect(dates.filter((date) => !/^20\d\d-\d\d-\d\d$/.test(date))).toEqual([]);
  });

  test("name commits once", () => {
    const commits = HISTORY.flatMap((step) => step.commits);
    expect(commits.filter((commit) => !/^[0-9a-f]{9}$/.test(commit))).toEqual([]);
    expect(new Set(commits).size).toBe(commits.length);
  });

  test("each library OS stands somewhere", () => {
    const standing = HISTORY.flatMap(({ stands = [] }) => stands);
    expect(STACK_NAMES.filter((name) => name !== "native-linux" && !standing.includes(name))).toEqual([]);
  });

  test("those of the page's bugs name their switch once", () => {
    const named = HISTORY.flatMap(({ fixes = [] }) => fixes);
    expect(new Set(named).size).toBe(named.length);
    expect(FIX_NAMES.filter((name) => stacksKnowing(name).includes("graphene-linux") && !named.includes(name))).toEqual([]);
  });
});

/** What the application sees of a run, without places. */
const seen = (verdict: Verdict): string =>
  JSON.stringify([
    verdict.outcomes.map(({ subject, name, how }) => [subject, subject === "run" ? "" : name, how]),
    ofWeight(verdict, "differs").map(({ kind, thread, what, one, other }) => [kind, thread, what, one.text, other.text]),
  ]);

describe("verdicts", () => {
  const fixes = HISTORY.flatMap((step) => step.fixes ?? []);
  const changed = new Map<string, string[]>();

  test.each(listScenarios().map(({ name }) => name))("of %s without and with each switch", async (name) => {
    const what = builtInCase(name);
    for (const stack of STACK_NAMES) {
      const known = fixes.filter((fix) => stacksKnowing(fix).includes(stack));
      const plain = known.length === 0 ? "" : seen(await judge(what, stack));
      for (const fix of known) {
        const key = `${fix} ${stack}`;
        const before = changed.get(key) ?? [];
        changed.set(key, seen(await judge(what, stack, [fix])) === plain ? before : [...before, name]);
      }
    }
  });

  test("are those that engine/history-cases.ts has", () => {
    const text = moduleText(fixes, changed);
    if (process.env.EINTR_UPDATE === "1") writeFileSync(CASES, text);
    else expect(text).toBe(readFileSync(CASES, "utf8"));
  });
});

function moduleText(fixes: readonly FixName[], changed: ReadonlyMap<string, readonly string[]>): string {
  const entries = fixes.map((fix) => {
    const stacks = stacksKnowing(fix).map((stack) => {
      const names = (changed.get(`${fix} ${stack}`) ?? []).map((name) => `"${name}"`);
      return `    "${stack}": [${names.join(", ")}],\n`;
    });
    return `  "${fix}": {\n${stacks.join("")}  },\n`;
  });
  return `/** Written by test/engine/history.test.ts: the built-in cases on which a switch of the history changes the verdict, by stack. */

import type { FixName } from "./fixes.ts";

// biome-ignore format: a line for each stack
export const CHANGED_CASES: Readonly<Partial<Record<FixName, Readonly<Record<string, readonly string[]>>>>> = {
${entries.join("")}};
`;
}
