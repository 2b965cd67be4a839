/**
 * Public reports: the rules that explain each are found on the stacks that have the fault, and nowhere else. The table is `reports.md`
 * beside this file.
 */

import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { RULES } from "../../analyzer/catalogue.ts";
import { type Scenario, STACK_NAMES, type StackName } from "../../engine/index.ts";
import { caseOf, casesIn } from "../support/cases-table.ts";
import { see } from "../support/explained.ts";
import { tempPaths } from "../support/temp-dir.ts";

const FOLDER = path.resolve(import.meta.dirname, "../fixtures/reports");
const TEXT = readFileSync(path.resolve(import.meta.dirname, "reports.md"), "utf8");
/** Columns of the table. */
const STACKS = ["graphene-linux", "graphene-sgx", "graphene-pr347", "graphene-pr1218", "gramine-linux", "gramine-sgx"] as const;
const NATIVE = "native-linux";
/** Some cases have no end. */
const ROWS = 20_000;

interface Line {
  readonly id: string;
  readonly expected: ReadonlyMap<StackName, readonly string[]>;
}

const TABLE: readonly Line[] = TEXT.split("\n")
  .filter((line) => /^\| [cM]\d/.test(line))
  .map((line) => {
    const [id = "", , , ...rules] = line.slice(2, -2).split(" | ");
    expect(rules, id).toHaveLength(STACKS.length);
    return { id, expected: new Map(STACKS.map((stack, i) => [stack, rules[i] === "-" ? [] : (rules[i] ?? "").split(", ")])) };
  });

const FILES = casesIn(FOLDER);
const fileOf = (id: string): string | undefined => FILES.find((file) => file.startsWith(`${id}.`));
const temp = tempPaths();

/** Without its own limit of transitions, which is meant for a stack that needs more of them. */
const unlimited = (scenario: Scenario): Scenario => ({ ...scenario, limit: { ...scenario.limit, transitions: Number.MAX_SAFE_INTEGER } });

function idsOn(stack: StackName, scenario: Scenario): string[] {
  return [...new Set(see({ stack, scenario: unlimited(scenario) }, ROWS).findings.map(({ rule }) => rule))];
}

describe.each(TABLE)("$id", ({ id, expected }) => {
  it("is found where it says, by the rules that it names", async () => {
    const { scenario } = await caseOf(FOLDER, fileOf(id) ?? id, temp);
    expect(idsOn(NATIVE, scenario), NATIVE).toEqual([]);
    const all = new Set([...expected.values()].flat());
    const found = STACKS.map((stack) => [
      stack,
      idsOn(stack, scenario)
        .filter((rule) => all.has(rule))
        .sort(),
    ]);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(STACKS.map((stack) => [stack, [...(expected.get(stack) ?? [])].sort()])));
  });
});

describe("the table", () => {
  it("names rules and stacks that there are", () => {
    const known = new Set(RULES.map(({ id }) => id));
    for (const { id, expected } of TABLE) for (const rule of [...expected.values()].flat()) expect(known, `${id}: ${rule}`).toContain(rule);
    expect([NATIVE, ...STACKS].sort()).toEqual([...STACK_NAMES].sort());
  });

  it("has each report of a fault, or the reason why it is not explained", () => {
    const reports = FILES.filter((file) => /^c\d/.test(file)).map((file) => path.basename(file, ".yaml"));
    expect(reports.length).toBeGreaterThan(25);
    expect(reports.filter((id) => !TABLE.some((line) => line.id === id) && !TEXT.includes(`* **${id}**`))).toEqual([]);
    for (const { id } of TABLE) expect(fileOf(id), id).toBeDefined();
  });
});
