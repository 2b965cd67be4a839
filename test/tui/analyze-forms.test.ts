/** Forms of a report of `eintr analyze`: what tools read, the baseline, and why the application fares differently. */

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { eintr } from "../support/command-line.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
const dir = fresh("forms.trace");

beforeAll(async () => {
  await eintr(["record", "lost-interrupted-error", "--stack", "graphene-sgx", "-o", dir]);
});

/** The parts of SARIF 2.1.0 that the report uses, with what the standard demands of them (sections 3.13 to 3.38). */
const message = z.strictObject({ text: z.string().min(1) });
const location = z.strictObject({
  physicalLocation: z.strictObject({
    artifactLocation: z.strictObject({ uri: z.string().min(1), index: z.int().min(-1) }),
    region: z.strictObject({ startLine: z.int().min(1) }).optional(),
  }),
  logicalLocations: z.array(z.strictObject({ name: z.string(), kind: z.string(), fullyQualifiedName: z.string() })),
  message,
});
const level = z.enum(["none", "note", "warning", "error"]);
const sarif = z.strictObject({
  $schema: z.url(),
  version: z.literal("2.1.0"),
  runs: z.array(
    z.strictObject({
      tool: z.strictObject({
        driver: z.strictObject({
          name: z.string(),
          version: z.string(),
          rules: z.array(
            z.strictObject({
              id: z.string(),
              shortDescription: message,
              fullDescription: message,
              help: message,
              defaultConfiguration: z.strictObject({ level }),
              properties: z.strictObject({ tags: z.array(z.string()), source: z.string() }),
            }),
          ),
        }),
      }),
      artifacts: z.array(z.strictObject({ location: z.strictObject({ uri: z.string() }) })),
      results: z.array(
        z.strictObject({
          ruleId: z.string(),
          ruleIndex: z.int().min(0).optional(),
          level,
          message,
          locations: z.array(location),
          partialFingerprints: z.record(z.string(), z.string()),
          occurrenceCount: z.int().min(1),
          rank: z.number().min(0).max(100),
          baselineState: z.enum(["new", "unchanged", "updated", "absent"]),
          codeFlows: z.array(
            z.strictObject({
              threadFlows: z.array(z.strictObject({ locations: z.array(z.strictObject({ executionOrder: z.int().min(0), location })) })),
            }),
          ),
          properties: z.record(z.string(), z.unknown()),
        }),
      ),
      columnKind: z.enum(["utf16CodeUnits", "unicodeCodePoints"]),
    }),
  ),
});

describe("sarif", () => {
  test("has the standard's form and points at the scenario's line", async () => {
    const { code, out } = await eintr(["analyze", dir, "--format", "sarif", "--source", "cases/read.yaml"]);
    expect(code).toBe(1);
    const log = sarif.parse(JSON.parse(out));
    const [run] = log.runs;
    const lost = run?.results.find(({ ruleId }) => ruleId === "sgx-interrupted-code-lost");
    expect(run?.tool.driver.rules[lost?.ruleIndex ?? -1]?.id).toBe("sgx-interrupted-code-lost");
    expect(lost).toMatchObject({ level: "error", occurrenceCount: 1, baselineState: "new" });
    const place = lost?.locations[0]?.physicalLocation;
    expect(place?.artifactLocation.uri).toBe("cases/read.yaml");
    const text = readFileSync(new URL("../../engine/scenarios/lost-interrupted-error.yaml", import.meta.url), "utf8").split("\n");
    expect(text[(place?.region?.startLine ?? 0) - 1]).toMatch(/^ {2}- read:/);
    expect(lost?.codeFlows[0]?.threadFlows[0]?.locations).toHaveLength(9);
  });

  test("a difference that no finding explains is a result of its own, until a baseline accepts it", async () => {
    const trace = fresh("unexplained.trace");
    await eintr(["record", "nested", "--stack", "graphene-sgx", "--fix", "spurious-yield-per-pending", "-o", trace]);
    const accepted = fresh("unexplained.json");
    const { out } = await eintr(["analyze", trace, "--format", "sarif", "--write-baseline", accepted]);
    const [run] = sarif.parse(JSON.parse(out)).runs;
    const told = run?.results.filter(({ ruleId }) => ruleId === "unexplained-difference") ?? [];
    expect(told.map(({ message: { text } }) => text)).toEqual([
      "thread main: handler of SIGINT: runs in getpid(), on Linux runs in the handler of SIGTERM, before any call",
    ]);
    expect(told[0]?.locations[0]?.physicalLocation.region).toEqual({ startLine: 8 });
    expect(run?.tool.driver.rules[told[0]?.ruleIndex ?? -1]?.id).toBe("unexplained-difference");
    expect((await eintr(["analyze", trace, "--format", "sarif", "--baseline", accepted])).out).not.toContain('"ruleId": "unexplained');
  });

  test("a source's name is a path, whatever is in it", async () => {
    const { out } = await eintr(["analyze", dir, "--format", "sarif", "--source", "my cases/50% #1?.yaml"]);
    const [run] = sarif.parse(JSON.parse(out)).runs;
    expect(run?.artifacts[0]?.location.uri).toBe("my%20cases/50%25%20%231%3F.yaml");
  });

  test("points at the log's line where the scenario comes from one", async () => {
    const log = fileURLToPath(new URL("../recorder/logs/read-sigint.strace", import.meta.url));
    const trace = fresh("log.trace");
    await eintr(["record", log, "--stack", "graphene-sgx", "-o", trace]);
    const { out } = await eintr(["analyze", trace, "--format", "sarif"]);
    const [run] = sarif.parse(JSON.parse(out)).runs;
    const found = run?.results.find(({ ruleId }) => ruleId === "sgx-interrupted-code-lost");
    expect(found?.locations[0]?.physicalLocation).toMatchObject({
      artifactLocation: { uri: "read-sigint.strace" },
      region: { startLine: 32 },
    });
  });
});

test("junit: one case for the verdict and one for each rule, and those that found something fail", async () => {
  const { out } = await eintr(["analyze", dir, "--format", "junit"]);
  expect(out).toMatch(/^<\?xml version="1.0" encoding="UTF-8"\?>\n<testsuites name="eintr" tests="\d+" failures="3" /);
  expect(out).toMatch(
    /<testcase classname="eintr.verdict" name="as on Linux alone: [^"]*">\n {6}<failure message="first difference from Linux alone: seq 272 /,
  );
  expect(out).toMatch(
    /<testcase classname="eintr.rules" name="sgx-interrupted-code-lost">\n {6}<failure message="read\(pipe, 64\) returns 0[^"]*" type="high">/,
  );
  expect(out).toContain('<testcase classname="eintr.rules" name="deadlock"/>');
  expect(out.match(/<testcase/g)).toHaveLength(Number(/tests="(\d+)"/.exec(out)?.[1]));
});

test("markdown: the verdict, a table, the evidence", async () => {
  const { out } = await eintr(["analyze", dir, "--format", "markdown"]);
  expect(out).toContain("| high | sgx-interrupted-code-lost | read(pipe, 64) returns 0 instead of -EINTR after SIGINT | 1 |");
  expect(out).toMatch(/^## sgx-interrupted-code-lost: read/m);
});

test("--severity tells the graver ones only, and --fail-on counts all", async () => {
  const { out, code } = await eintr(["analyze", dir, "--severity", "high", "--format", "json"]);
  expect(code).toBe(1);
  expect(
    out
      .trimEnd()
      .split("\n")
      .slice(1)
      .map((line) => (JSON.parse(line) as { rule: string }).rule),
  ).toEqual(["sgx-interrupted-code-lost"]);
});

test("the first difference is explained by a finding", async () => {
  const { out } = await eintr(["analyze", dir]);
  expect(out).toMatch(/^because: sgx-interrupted-code-lost/m);
  expect(out).not.toContain("unexplained");
});

test("how to see it mended: with the switch, where the stack has it and it is not on", async () => {
  const mend = `  see it mended: eintr rerun ${dir} --fix sgx-interrupted-code-lost\n`;
  const { out } = await eintr(["analyze", dir]);
  expect(out).toContain(mend);
  expect(out.match(/see it mended/g)).toHaveLength(1);
});

describe("one order for all forms: what explains a difference stands first", () => {
  const late = fresh("late.trace");
  const [CAUSE, BESIDE] = ["sgx-interrupted-code-lost", "handler-mask-not-set"];
  beforeAll(async () => {
    const scenario = fresh("late.yaml");
    writeFileSync(
      scenario,
      `name: late
title: a handler in nanosleep, then one in read
main:
  - sigaction: { signal: SIGINT, handler: h }
  - compute: 2ms
  - read: { from: pipe, bytes: 8 }
handlers:
  h:
    - compute: 1us
signals:
  - { signal: SIGINT, thread: main, when: { at: 1ms } }
  - { signal: SIGINT, thread: main, when: { at: 20ms } }
`,
    );
    await eintr(["record", scenario, "--stack", "graphene-sgx", "-o", late]);
    await eintr(["analyze", late]);
  });

  test("by time it is the other way round", async () => {
    const { out } = await eintr(["query", late, "SELECT rule FROM finding GROUP BY fingerprint ORDER BY min(id)", "--format", "json"]);
    expect(out.indexOf(BESIDE)).toBeGreaterThan(0);
    expect(out.indexOf(BESIDE)).toBeLessThan(out.indexOf(CAUSE));
  });

  test.each([
    ["text", "  "],
    ["sarif", '"ruleId": "'],
    ["markdown", "## "],
  ])("%s", async (format, mark) => {
    const { out } = await eintr(["analyze", late, "--format", format]);
    expect(out.indexOf(mark + CAUSE)).toBeGreaterThan(0);
    expect(out.indexOf(mark + CAUSE)).toBeLessThan(out.indexOf(mark + BESIDE));
  });
});

describe("a baseline", () => {
  test("what it has does not fail, what is new does, what is gone is told", async () => {
    const file = fresh("accepted.json");
    expect((await eintr(["analyze", dir, "--write-baseline", file])).code).toBe(1);
    const same = await eintr(["analyze", dir, "--baseline", file]);
    expect([same.code, same.talk]).toEqual([0, expect.stringContaining("baseline: 2 accepted, 0 new, 0 gone")]);
    const baseline = JSON.parse(readFileSync(file, "utf8")) as { accepted: { fingerprint: string; rule: string; title: string }[] };
    const [first] = baseline.accepted;
    writeFileSync(file, JSON.stringify({ ...baseline, accepted: [{ ...first, fingerprint: "elsewhere" }] }));
    const other = await eintr(["analyze", dir, "--baseline", file]);
    expect(other.code).toBe(1);
    expect(other.talk).toContain("baseline: 0 accepted, 2 new, 1 gone");
    expect(other.talk).toMatch(/^ {2}gone: /m);
  });

  test("what a rule found that is not asked this time is not gone", async () => {
    const file = fresh("all.json");
    await eintr(["analyze", dir, "--write-baseline", file]);
    const one = await eintr(["analyze", dir, "--baseline", file, "--rule", "handler-mask-not-set"]);
    expect([one.code, one.talk]).toEqual([0, expect.stringContaining("baseline: 1 accepted, 0 new, 0 gone")]);
  });

  test("a file that is none is an error with the place", async () => {
    const file = fresh("odd.json");
    writeFileSync(file, '{"eintr":"baseline","version":1,"accepted":[{"fingerprint":3}]}');
    const { code, talk } = await eintr(["analyze", dir, "--baseline", file]);
    expect([code, talk]).toEqual([2, expect.stringMatching(/accepted\.0\.\w+: .*; make one with --write-baseline FILE/)]);
    expect((await eintr(["analyze", dir, "--baseline", fresh("none.json")])).code).toBe(2);
  });
});
