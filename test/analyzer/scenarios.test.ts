/**
 * All built-in scenarios on all stacks with and without fixes: what is found (the table `golden/findings.txt`), how many of the differences
 * from Linux that explains (`golden/explained.txt`), and that it agrees with a slow, plain reading of the reference where a rule has one
 * (`plain-readings.ts`). EINTR_UPDATE=1 npx vitest run test/analyzer/scenarios.test.ts writes the tables anew.
 */

import { describe, expect, it } from "vitest";
import { RULES } from "../../analyzer/catalogue.ts";
import type { Because } from "../../analyzer/index.ts";
import { FIX_NAMES, type FixName, type RunOptions, STACK_NAMES, STACKS, type StackName } from "../../engine/index.ts";
import { differencesOf, explainedShare, explainedTable, type Seen, see, seeNative, sharesOf, whatItDoes } from "../support/explained.ts";
import { expectGolden } from "../support/golden.ts";
import { PLAIN_READINGS } from "./plain-readings.ts";
import { BUILT_IN, ofRule, rowAt, scenario, type Watched, watch } from "./support.ts";

/** A long one: it is watched for so many transitions. */
const ROWS = 12_000;

/** Sets of fixes by their name in the table: of those that the stack knows. */
function fixesOf(stack: StackName): readonly (readonly [string, readonly FixName[]])[] {
  const known = FIX_NAMES.filter((name) => STACKS[stack].switches?.includes(name));
  return known.length === 0 ? [] : [...known.map((name) => [name, [name]] as const), ["all", known]];
}
const HEAD = ["scenario", "stack", "fix", "findings of each rule"];

interface Told {
  /** "rule 2, rule 1", in the order of the rules; "-" for none. */
  readonly counts: string;
  /** What explains the differences from Linux. */
  readonly because: readonly Because[];
}

async function toldOf(options: RunOptions, native: Seen): Promise<Told> {
  const seen = see(options, ROWS);
  const counts = RULES.map(({ id }) => [id, seen.findings.filter(({ rule }) => rule === id).length] as const);
  const some = counts.filter(([, count]) => count > 0).map(([id, count]) => `${id} ${count}`);
  return { counts: some.join(", ") || "-", because: options.stack === NATIVE ? [] : await differencesOf(seen, native) };
}

/** The lines of a scenario on a stack: one without fixes if something is found, and one for each fix that makes a difference. */
async function linesOf(name: string, stack: StackName, native: Seen): Promise<string[][]> {
  const options: RunOptions = { stack, scenario: scenario(name) };
  const does = whatItDoes(options, ROWS);
  const plain = await toldOf(options, native);
  const all: [string, Told][] = [["-", plain]];
  for (const [fix, fixes] of fixesOf(stack)) {
    const fixed = { ...options, fixes };
    // Most fixes change nothing in most scenarios: rules and verdict would say the same again.
    all.push([fix, whatItDoes(fixed, ROWS) === does ? plain : await toldOf(fixed, native)]);
  }
  if (stack !== NATIVE) for (const [fix, { because }] of all) differences.push({ scenario: name, stack, fix, because });
  const told = all
    .map(([fix, { counts }]) => [fix, counts] as const)
    .filter(([fix, counts]) => (fix === "-" ? counts !== "-" : counts !== plain.counts));
  return told.map(([fix, counts]) => [name, stack, fix, counts]);
}

const NATIVE = "native-linux";
const found: string[][] = [];
const differences: Parameters<typeof explainedTable>[0][number][] = [];
const looked: string[] = [];

it.each(BUILT_IN)("%s: what is found", async (name) => {
  const native = seeNative(scenario(name), ROWS);
  for (const stack of STACK_NAMES) found.push(...(await linesOf(name, stack, native)));
  looked.push(name);
});

it("what is found is what the table says", () => {
  // A part of the tests (-t) or one that failed would write a table with a part of the lines.
  expect(looked).toEqual([...BUILT_IN]);
  const lines = [HEAD, ...found];
  const width = HEAD.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  expectGolden(
    "findings.txt",
    lines
      .map(
        (line) =>
          `${line
            .map((cell, i) => cell.padEnd(width[i] ?? 0))
            .join("  ")
            .trimEnd()}\n`,
      )
      .join(""),
  );
});

it("what explains the differences from Linux is what the table says, and it is nearly all of them", () => {
  expect(looked).toEqual([...BUILT_IN]);
  expectGolden("explained.txt", explainedTable(differences));
  for (const share of sharesOf(differences))
    if (/^(?:graphene-linux|graphene-sgx|gramine-linux|gramine-sgx)$/.test(share.stack))
      expect(explainedShare(share), share.stack).toBeGreaterThanOrEqual(0.95);
});

/** The rules with a plain reading are Graphene's. */
const READ = STACK_NAMES.filter((stack) => !stack.startsWith("gramine"));

describe.each(BUILT_IN)("%s", (name) => {
  it.each(READ)("on %s: agrees with the plain reading, with and without fixes", (stack) => {
    check(watch(name, stack, { rows: ROWS }));
    check(watch(name, stack, { fixes: FIX_NAMES, rows: ROWS }));
  });
});

describe("under other schedules", () => {
  /** Each scenario has another seed on each stack; with EINTR_TORTURE=1 all of them. */
  const SEEDS = Array.from({ length: 6 }, (_, i) => 7919 * (i + 1));
  const RUNS = BUILT_IN.flatMap((name, i) => READ.map((stack, j) => ({ name, stack, seed: SEEDS[(i + j) % SEEDS.length] ?? 0 })));
  const all = SEEDS.flatMap((seed) => RUNS.map((run) => ({ ...run, seed })));

  it("all scenarios agree with the plain reading", () => {
    for (const { name, stack, seed } of process.env.EINTR_TORTURE === undefined ? RUNS : all) {
      const options: Partial<RunOptions> = { seed, scheduler: "seeded" };
      check(watch(name, stack, { ...options, rows: ROWS }), `${name} on ${stack}, seed ${seed}`);
    }
  });
});

/** The findings are those of the plain reading, and each is well made. */
function check(w: Watched, where = ""): void {
  expect(w.omitted.size, where).toBe(0);
  for (const [rule, { kind, places }] of Object.entries(PLAIN_READINGS)) {
    const found = ofRule(w, rule).map((f) => f.evidence.find((e) => rowAt(w, e.seq).name === kind)?.seq ?? -1);
    expect(
      found.sort((a, b) => a - b),
      `${where} ${rule}`,
    ).toEqual(places(w.rows));
  }
  for (const finding of w.findings.filter(({ rule }) => rule in PLAIN_READINGS)) {
    const all = finding.evidence.map((e) => e.seq);
    expect(all, where).toEqual([...new Set(all)].sort((a, b) => a - b));
    expect([finding.firstSeq, finding.lastSeq], where).toEqual([all[0], all.at(-1)]);
    const rows = all.map((seq) => rowAt(w, seq));
    const event = rows.find((row) => row.name === "pal.event.inject" || row.name === "pal.event.overwrite")?.extra;
    // The signal may have been sent from anywhere; all else is the thread's own.
    for (const row of rows)
      expect(row.name === "host.signal.generate" ? row.extra === event : row.thread === finding.thread, where).toBe(true);
    expect(finding.costNs, where).toBeGreaterThan(0);
    expect(finding.costNs, where).toBe(PLAIN_READINGS[finding.rule]?.cost(w.rows, rows));
    expect(
      finding.evidence.every((e) => e.caption !== ""),
      where,
    ).toBe(true);
    expect(finding.fingerprint, where).toMatch(/^[0-9a-f]{12}$/);
  }
}
