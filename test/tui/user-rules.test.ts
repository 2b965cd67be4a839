/** Rules that users bring: the two examples of the README, and hostile ones, which are refused or stopped. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { openTrace } from "../../recorder/index.ts";
import { runModule } from "../../tui/user-rules/module.ts";
import { eintr } from "../support/command-line.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
const dir = fresh("rules.trace");
const README = readFileSync(path.resolve(import.meta.dirname, "../../README.md"), "utf8");

/** The code block of the README that begins with this line. */
function example(begin: string): string {
  const block = [...README.matchAll(/```\w+\n([\s\S]*?)```/g)].map((match) => match[1] ?? "").find((text) => text.startsWith(begin));
  if (block === undefined) throw new Error(`no example in the README begins with "${begin}"`);
  return block;
}

beforeAll(async () => {
  await eintr(["record", "server", "--stack", "graphene-sgx", "--rows", "30000", "-o", dir]);
});

function written(name: string, text: string): string {
  const file = fresh(name);
  writeFileSync(file, text);
  return file;
}

async function findings(
  ...rules: string[]
): Promise<{ rule: string; severity: string; title: string; firstSeq: number; lastSeq: number }[]> {
  const { out, talk } = await eintr([
    "analyze",
    dir,
    "--rule",
    "deadlock",
    "--format",
    "json",
    ...rules.flatMap((file) => ["--rules", file]),
  ]);
  expect(talk).not.toContain("eintr:");
  return out
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => JSON.parse(line) as { rule: string; severity: string; title: string; firstSeq: number; lastSeq: number });
}

test("SQL: the README's example finds what it says", async () => {
  const found = await findings(written("slow.sql", example("-- rule:")));
  expect(found.length).toBeGreaterThan(0);
  for (const one of found) expect(one).toMatchObject({ rule: "slow-read", severity: "low", title: expect.stringMatching(/^read\(/) });
});

test.each(["junit", "sarif", "markdown"])("%s tells of them, too", async (format) => {
  const slow = written(`slow-${format}.sql`, example("-- rule:"));
  const { out } = await eintr(["analyze", dir, "--rule", "deadlock", "--rules", slow, "--format", format]);
  expect(out).toContain({ junit: 'name="slow-read">', sarif: '"ruleId": "slow-read"', markdown: "## slow-read: read" }[format]);
});

test("no page of the catalogue is promised for them", async () => {
  const { out } = await eintr(["analyze", dir, "--rule", "deadlock", "--rules", written("slow-text.sql", example("-- rule:"))]);
  expect(out).toContain("slow-read");
  expect(out).not.toContain("eintr explain slow-read");
});

test("a module: the README's example finds what it says", async () => {
  const found = await findings(written("calls.mjs", example("export default")));
  expect(found.length).toBeGreaterThan(0);
  for (const one of found) {
    expect(one).toMatchObject({ rule: "call-in-handler", title: expect.stringMatching(/ in a handler of SIG/) });
    expect(one.firstSeq).toBeLessThan(one.lastSeq);
  }
});

test("a folder of both, kept in the database with the others", async () => {
  const folder = fresh("rules");
  mkdirSync(folder);
  writeFileSync(path.join(folder, "a.sql"), example("-- rule:"));
  writeFileSync(path.join(folder, "b.mjs"), example("export default"));
  expect(new Set((await findings(folder)).map(({ rule }) => rule))).toEqual(new Set(["slow-read", "call-in-handler"]));
  const { out } = await eintr([
    "query",
    dir,
    "SELECT rule, findings > 0 FROM analysis WHERE rule IN ('slow-read', 'call-in-handler') ORDER BY rule",
    "--format",
    "csv",
  ]);
  expect(out).toContain("call-in-handler,1");
  expect(out).toContain("slow-read,1");
});

const HEADER = "-- rule: mine\n-- title: t\n-- severity: low\n";
const module = (body: string, head = ""): string =>
  `${head}export default { id: "mine", title: "t", severity: "low", start(report) { ${body} } };`;

describe("is refused", () => {
  const tell = async (name: string, text: string): Promise<string> => {
    const { code, talk } = await eintr(["analyze", dir, "--rules", written(name, text)]);
    expect(code).toBe(2);
    return talk;
  };

  test.each([
    ["no header", "SELECT 1", "it does not say what the rule is called"],
    ["an id that is taken", "-- rule: deadlock\n-- title: t\n-- severity: low\nSELECT 1", 'a rule "deadlock" exists already'],
    ["a severity that is none", "-- rule: mine\n-- title: t\n-- severity: bad\nSELECT 1", "severity must be one of"],
    ["SQL that writes", `${HEADER}DROP TABLE finding`, "DROP is not allowed"],
    ["SQL that opens other files", `${HEADER}ATTACH '/etc/passwd' AS other`, "ATTACH is not allowed"],
    ["SQL without the columns", `${HEADER}SELECT 1 AS thread`, "expected the columns thread, seq and message"],
    ["a seq that is no number", `${HEADER}SELECT 0 AS thread, 'x' AS seq, 'm' AS message`, "column seq: expected a whole number, found x"],
    ["a seq beyond the trace", `${HEADER}SELECT 0 AS thread, 99999999 AS seq, 'm' AS message`, "seq 99999999 is beyond the trace"],
  ])("SQL: %s", async (_, text, expected) => {
    expect(await tell("bad.sql", text)).toContain(expected);
  });

  test.each([
    ["no default export", "export const x = 1;", "it has no default export with a function start(report)"],
    ["a syntax error", "export default {", "Unexpected"],
    [
      "a module that reads files",
      module("fs.readFileSync('/etc/hostname'); return () => {};", 'import fs from "node:fs";\n'),
      "restricted",
    ],
    [
      "a module that starts programs",
      module("spawnSync('true'); return () => {};", 'import { spawnSync } from "node:child_process";\n'),
      "restricted",
    ],
    [
      "a module that starts threads",
      module("new Worker('1', { eval: true }); return () => {};", 'import { Worker } from "node:worker_threads";\n'),
      "restricted",
    ],
    ["an error of its own", module("return () => { throw new Error('mine'); };"), "mine"],
    ["a finding that is none", module("return (row) => report({ thread: 'x', seq: -1, message: 3 });"), "it reports what is no finding"],
    [
      "a kind that is none",
      'export default { id: "mine", title: "t", severity: "low", kinds: ["app.dance"], start: () => () => {} };',
      'no kind of transition is called "app.dance"',
    ],
    ["a module that ends its process", module("process.exit(0);"), "its process ended"],
  ])("a module: %s", async (_, text, expected) => {
    expect(await tell("bad.mjs", text)).toContain(expected);
  });

  test("a module that writes a file", async () => {
    const target = fresh("written");
    const text = module(`fs.writeFileSync(${JSON.stringify(target)}, 'x'); return () => {};`, 'import fs from "node:fs";\n');
    expect(await tell("writes.mjs", text)).toContain("restricted");
    expect(existsSync(target)).toBe(false);
  });

  test("what is no rule at all", async () => {
    for (const file of [fresh("none.sql"), "/dev/null", written("rule.txt", "x")])
      expect((await eintr(["analyze", dir, "--rules", file])).code).toBe(2);
  });
});

describe("is stopped", () => {
  test.each([
    ["a loop without an end", "return () => { for (;;); };", "no answer for 1 s; it was stopped"],
    ["a loop before the first row", "for (;;);", "no answer for 1 s; it was stopped"],
    ["more memory than it may have", "const all = []; return () => { for (;;) all.push(new Array(1e6).fill(1)); };", "stopped|ended"],
  ])("a module: %s", async (_, body, expected) => {
    const trace = await openTrace(dir);
    if (trace === null) throw new Error("not opened");
    try {
      const running = runModule({ file: written("hostile.mjs", module(body)) }, trace, new AbortController().signal, 1000);
      await expect(running).rejects.toThrow(new RegExp(expected));
    } finally {
      trace.close();
    }
  });
});
