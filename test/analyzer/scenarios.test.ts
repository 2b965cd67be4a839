/**
 * All built-in scenarios on all stacks: what is found (the table `golden/findings.txt`), and that it agrees with a slow, plain reading
 * of the reference, rule by rule (`plain-readings.ts`). EINTR_UPDATE=1 npx vitest run test/analyzer/scenarios.test.ts writes the table anew.
 */

import { describe, expect, it } from "vitest";
import { RULES } from "../../analyzer/index.ts";
import { FIX_NAMES, type RunOptions, STACK_NAMES, type StackName } from "../../engine/index.ts";
import { expectGolden } from "../support/golden.ts";
import { PLAIN_READINGS } from "./plain-readings.ts";
import { BUILT_IN, ofRule, rowAt, type Watched, watch } from "./support.ts";

/** A long one: it is watched for so many transitions. */
const ROWS = 60_000;
const WITH_FIX = RULES.filter(({ fix }) => fix !== null);

const seen = new Map<string, Watched>();

/** The run as it is, watched once. */
function watched(name: string, stack: StackName): Watched {
  const key = `${name} ${stack}`;
  const found = seen.get(key) ?? watch(name, stack, { rows: ROWS });
  if (name !== "server") seen.set(key, found);
  return found;
}

it("each rule has its plain reading", () => {
  expect(Object.keys(PLAIN_READINGS).sort()).toEqual(RULES.map(({ id }) => id).sort());
});

it("what is found is what the table says", () => {
  const lines = BUILT_IN.filter((name) => name !== "server").flatMap((name) =>
    STACK_NAMES.flatMap((stack) =>
      RULES.flatMap(({ id }) => {
        const { length } = ofRule(watched(name, stack), id);
        return length === 0 ? [] : [`${name.padEnd(24)}${stack.padEnd(16)}${id} ${length}`];
      }),
    ),
  );
  expectGolden("findings.txt", `${lines.join("\n")}\n`);
});

describe.each(BUILT_IN)("%s", (name) => {
  it.each(STACK_NAMES)("on %s: agrees with the plain reading, and no rule finds what its fix mends", (stack) => {
    check(watched(name, stack));
    const mended = watch(name, stack, { fixes: FIX_NAMES, rows: ROWS });
    for (const { id } of WITH_FIX) expect(ofRule(mended, id), id).toEqual([]);
    check(mended);
  });
});

it("the server shows each rule on its stacks, and on no other", () => {
  const runs = STACK_NAMES.map((stack) => [stack, watched("server", stack)] as const);
  for (const { id } of RULES) {
    const on = runs.filter(([, w]) => ofRule(w, id).length > 0).map(([stack]) => stack);
    expect(on, id).toEqual(PLAIN_READINGS[id]?.stacks);
  }
});

describe("under other schedules", () => {
  const SEEDS = Array.from({ length: 6 }, (_, i) => 7919 * (i + 1));
  it.each(SEEDS)("seed %i: all scenarios agree with the plain reading", (seed) => {
    for (const name of BUILT_IN) {
      for (const stack of STACK_NAMES) {
        const options: Partial<RunOptions> = { seed, scheduler: "seeded" };
        check(watch(name, stack, { ...options, rows: 20_000 }), `${name} on ${stack}, seed ${seed}`);
      }
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
  for (const finding of w.findings) {
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
