/** What `eintr export` and `eintr show` write for documents and other tools. */

import { readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { openTrace } from "../../recorder/index.ts";
import { junitXml } from "../../tui/documents/junit.ts";
import { codeCell, codeSpan, fenced } from "../../tui/present/markup.ts";
import { stretchOfDifference } from "../../tui/stretch.ts";
import { eintr } from "../support/command-line.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
let lost: string;
let plain: string;
let evil: string;

const EVIL = "<b>&\"'|`</script>";

/** The lost error, in a read of something with that name. */
const EVIL_SCENARIO = `name: evil
title: t
main:
  - sigaction: { signal: SIGINT, handler: stops }
  - read: { from: ${JSON.stringify(EVIL)}, bytes: 64 }
handlers:
  stops: []
signals:
  - { signal: SIGINT, when: { thread: main, call: read } }
`;

beforeAll(async () => {
  lost = fresh("lost.trace");
  await eintr(["record", "lost-interrupted-error", "--stack", "graphene-sgx", "-o", lost]);
  plain = fresh("plain.trace");
  await eintr(["record", "initialisation", "--stack", "native-linux", "-o", plain]);
  const file = fresh("evil.yaml");
  writeFileSync(file, EVIL_SCENARIO);
  evil = fresh("evil.trace");
  const { code, talk } = await eintr(["record", file, "-o", evil]);
  expect(code, talk).toBe(0);
});

async function exported(dir: string, format: string, ...more: string[]): Promise<string> {
  const { out, talk, code } = await eintr(["export", dir, "--format", format, ...more]);
  expect(code, talk).toBe(0);
  return out;
}

test("json: the same answers as the database has", async () => {
  const told = JSON.parse(await exported(lost, "json")) as Record<string, Record<string, unknown>[]>;
  const trace = await openTrace(lost);
  try {
    expect(told.findings?.map(({ rule, from, to }) => [rule, from, to])).toEqual(
      trace.ask("SELECT rule, first_seq, last_seq FROM finding"),
    );
    expect(told.differences?.map(({ seq, here, there }) => [seq, here, there])).toEqual(
      trace.ask("SELECT seq, here, there FROM difference ORDER BY id"),
    );
  } finally {
    trace.close();
  }
});

test("markdown: verdict, each finding with its evidence and its drawing as eintr show has it, differences", async () => {
  const text = await exported(lost, "markdown");
  expect(text).toMatch(/^# `lost-interrupted-error` on `graphene-sgx`\n\n```\ngraphene-sgx: main exits with status 0\n/);
  expect(text).toContain("### `high` `read(pipe, 64) returns 0 instead of -EINTR after SIGINT`");
  const { out } = await eintr(["show", lost, "--finding", "1", "--format", "markdown", "--width", "110"]);
  expect(text).toContain(out);
  expect(text).toMatch(/\| \d+ .*\| `main` \| `handler of SIGINT` \| `mask \{\}` \| `mask \{SIGINT\}` \|/);
});

test("mermaid and svg: the first finding, the one that is asked for, or else the first difference", async () => {
  for (const format of ["mermaid", "svg"]) {
    const first = await exported(lost, format);
    expect(first).toBe(await exported(lost, format, "--finding", "1"));
    expect(first).toContain("_DkExceptionReturn");
    const missing = await eintr(["export", lost, "--format", format, "--finding", "9"]);
    expect([missing.code, missing.talk]).toEqual([2, expect.stringContaining("no finding 9")]);
    const nothing = await eintr(["export", plain, "--format", format]);
    expect([nothing.code, nothing.talk]).toEqual([2, expect.stringContaining("neither a finding nor a difference to draw")]);
  }
  expect(await exported(lost, "mermaid")).toMatch(/^sequenceDiagram\n {2}participant app\n/);
  expect(await exported(lost, "svg")).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"[\s\S]*<\/svg>\n$/);
});

test.each([
  ["a call", "SELECT seq, exit_seq FROM syscall WHERE exit_seq IS NOT NULL LIMIT 1"],
  ["a handler", "SELECT seq, left_seq FROM handler LIMIT 1"],
])("the stretch of a difference in %s is that from its begin to its end", async (_, sql) => {
  const trace = await openTrace(lost);
  try {
    const [seq, end] = (trace.ask(sql)[0] ?? []).map(Number);
    expect(stretchOfDifference(trace, seq as number)).toMatchObject({ thread: 0, from: seq, to: end });
    const exit = Number(trace.ask("SELECT seq FROM transitions WHERE kind = 'thread.exit' LIMIT 1")[0]?.[0]);
    const stretch = stretchOfDifference(trace, exit);
    expect([...(stretch?.marks ?? [])]).toEqual([[exit, "the first difference"]]);
    expect(stretch?.from).toBeLessThan(exit);
    expect(stretchOfDifference(trace, 1e9)).toBeNull();
  } finally {
    trace.close();
  }
});

test("junit: a test for the verdict and one for each rule; what differs or was found fails", async () => {
  const failed = await exported(lost, "junit");
  expect(failed).toContain('<testcase classname="eintr.verdict" name="as on Linux alone: graphene-sgx: main exits with status 0">');
  expect(failed).toMatch(
    /<testcase classname="eintr.rules" name="sgx-interrupted-code-lost">\s*<failure message="read\(pipe, 64\) returns 0/,
  );
  const good = await exported(plain, "junit");
  expect(good).not.toContain("<failure");
  const trace = await openTrace(plain);
  const rules = Number(trace.ask("SELECT count(*) FROM analysis")[0]?.[0]);
  trace.close();
  expect(good).toContain(`<testsuites name="eintr" tests="${1 + rules}" failures="0"`);
});

test("a stranger's texts are inert in each of them", async () => {
  const { out: svg } = await eintr(["show", evil, "--format", "svg", "--rows", "2000"]);
  for (const text of [svg, await exported(evil, "junit")]) {
    expect(text).toContain("&lt;b&gt;&amp;");
    expect(text).not.toMatch(/<b>|<\/script>/);
  }
  const rows = (await exported(evil, "markdown")).split("\n").filter((line) => line.startsWith("| ") && line.includes("read("));
  expect(rows.length).toBeGreaterThan(0);
  // The text stands in a span that its own tick does not end, and its bar does not end the cell.
  for (const row of rows) expect(row).toContain("``read(<b>&\"'\\|`</script>");
});

describe("marks", () => {
  test("a code span and a block are longer than any tick in them", () => {
    expect([codeSpan("a"), codeSpan("a `` b"), codeSpan("`"), codeSpan("")]).toEqual(["`a`", "```a `` b```", "`` ` ``", "`  `"]);
    expect(codeCell("a|b")).toBe("`a\\|b`");
    expect(fenced(["```", "x"])).toBe("````\n```\nx\n````\n");
  });

  test("junit's counts and times are of its cases", () => {
    const failure = { message: "m<", type: 't"', text: "a & b" };
    const xml = junitXml("s", [
      { group: "g", name: "one", seconds: 1.5, failure: null },
      { group: "g", name: "two", seconds: 0.25, failure },
    ]);
    expect(xml).toContain('tests="2" failures="1" errors="0" skipped="0" time="1.750"');
    expect(xml).toContain('<failure message="m&lt;" type="t&quot;">a &amp; b</failure>');
  });
});

describe("eintr show", () => {
  test("writes pictures to a file, and tells what they leave out", async () => {
    const file = fresh("finding.svg");
    const { code, out, talk } = await eintr(["show", lost, "--finding", "1", "--format", "svg", "-o", file]);
    expect([code, out]).toEqual([0, ""]);
    expect(talk).toContain("are folded or left out");
    expect(readFileSync(file, "utf8")).toBe((await eintr(["show", lost, "--finding", "1", "--format", "svg"])).out);
    const again = await eintr(["show", lost, "--finding", "1", "--format", "svg", "-o", file]);
    expect([again.code, again.talk]).toEqual([2, expect.stringContaining("--force replaces it")]);
  });

  test("a picture is the drawing: each line of the text is in it", async () => {
    const { out } = await eintr(["show", lost, "--finding", "1", "--width", "100"]);
    const markdown = (await eintr(["show", lost, "--finding", "1", "--width", "100", "--format", "markdown"])).out;
    expect(markdown).toBe(fenced(out.trimEnd().split("\n")));
  });
});

test("--finding is refused where all findings are written", async () => {
  const { code, talk } = await eintr(["export", lost, "--format", "csv", "--finding", "1"]);
  expect([code, talk]).toEqual([2, expect.stringContaining("--finding has no meaning for csv")]);
});

describe("bookmarks and notes of the replay", () => {
  const NOTE = `${EVIL} **loud** \u001b[31mred`;

  test("stand in the Markdown as code, in the JSON as text, and nowhere when the file is of another trace", async () => {
    const dir = fresh("noted.trace");
    await eintr(["record", "lost-interrupted-error", "--stack", "graphene-sgx", "-o", dir]);
    expect(await exported(dir, "markdown")).not.toContain("## Notes");
    const trace = await openTrace(dir);
    const { rows } = trace.transitions;
    const seqs = trace.ask("SELECT min(seq), max(seq) FROM transitions WHERE flow = '_DkExceptionReturn'")[0]?.map(Number) ?? [];
    const [first = Number.NaN, last = Number.NaN] = seqs;
    trace.close();
    const kept = { format: 1, transitions: rows, bookmarks: [{ seq: last, note: NOTE }, { seq: first }, { seq: rows, note: "beyond" }] };
    writeFileSync(`${dir}/replay.json`, JSON.stringify(kept));
    const text = await exported(dir, "markdown");
    expect(text).toContain(`## Notes (2)\n\n- ${first}, thread \`main\`, \`_DkExceptionReturn: `);
    const line = text.split("\n").find((one) => one.startsWith(`- ${last}, thread`)) ?? expect.fail("the note is told");
    expect(line).toContain(codeSpan(`${EVIL} **loud** `).slice(0, -3));
    expect(text).not.toContain("\u001b");
    const told = JSON.parse(await exported(dir, "json")) as { notes: { seq: number; note: string }[] };
    expect(told.notes.map(({ seq }) => seq)).toEqual([first, last]);
    expect(told.notes[1]?.note).toContain("<b>&");
    writeFileSync(`${dir}/replay.json`, JSON.stringify({ ...kept, transitions: rows + 1 }));
    expect(await exported(dir, "markdown")).not.toContain("## Notes");
  });
});
