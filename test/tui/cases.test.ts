/** Cases: made of a trace, they give the same finding again; a folder of them is a suite. */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { openTrace } from "../../recorder/index.ts";
import { type CaseFile, caseText, parseCase } from "../../tui/cases/form.ts";
import { eintr } from "../support/command-line.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
let lost: string;

async function recorded(name: string, ...options: string[]): Promise<string> {
  const dir = fresh(`${path.basename(name)}.trace`);
  const { code, talk } = await eintr(["record", name, "-o", dir, ...options]);
  expect(code, talk).toBe(0);
  return dir;
}

async function madeCase(dir: string, ...options: string[]): Promise<string> {
  const file = path.join(fresh("cases"), "one.case.yaml");
  mkdirSync(path.dirname(file));
  const { code, talk } = await eintr(["case", dir, ...options, "-o", file]);
  expect(code, talk).toBe(0);
  return file;
}

beforeAll(async () => {
  lost = await recorded("lost-interrupted-error", "--stack", "graphene-sgx");
});

describe("a case of a finding", () => {
  test("gives the same finding again, with the evidence at the same places, in no more rows than it needs", async () => {
    const file = await madeCase(lost, "--finding", "1");
    const keep = fresh("kept");
    const { code, out, talk } = await eintr(["check", file, "--keep", keep]);
    expect([code, talk]).toEqual([0, "1 case: 1 holds, 0 failed\n"]);
    expect(out).toMatch(/^ok {4}.*one\.case\.yaml: read\(pipe, 64\) returns 0 instead of -EINTR after SIGINT \(\d/);
    const [one, again] = [await openTrace(lost), await openTrace(path.join(keep, "one.trace"))];
    const fingerprint = "SELECT fingerprint FROM finding WHERE id = 1";
    const evidence =
      "SELECT e.seq, e.caption FROM evidence e JOIN finding f ON f.id = e.finding WHERE f.fingerprint = ? ORDER BY e.position";
    const [[name = ""] = []] = one.ask(fingerprint) as string[][];
    expect(again.ask(evidence, name)).toEqual(one.ask(evidence, name));
    expect(again.transitions.rows).toBe(Number(one.ask("SELECT last_seq + 1 FROM finding WHERE id = 1")[0]?.[0]));
    one.close();
    again.close();
  });

  test("carries the decisions of a seeded run", async () => {
    const dir = await recorded("spurious-yield", "--stack", "graphene-linux", "--scheduler", "seeded", "--seed", "3");
    await eintr(["analyze", dir]);
    const trace = await openTrace(dir);
    const [ids, decisions] = [trace.ask("SELECT id FROM finding"), trace.decisions];
    trace.close();
    expect(ids.length).toBeGreaterThan(0);
    expect(decisions.length).toBeGreaterThan(0);
    const file = await madeCase(dir, "--finding", "1");
    const made = parseCase(readFileSync(file, "utf8"), file);
    expect(made.decisions.length).toBeGreaterThan(0);
    expect(made.decisions).toEqual(decisions.filter(({ seq }) => seq < made.rows));
    expect((await eintr(["check", file])).code).toBe(0);
  });

  test("--absent is for the time after the fix: it fails before, and holds with it", async () => {
    const file = await madeCase(lost, "--finding", "1", "--absent");
    const before = await eintr(["check", file]);
    expect([before.code, before.out]).toEqual([1, expect.stringMatching(/^FAIL .*\n {8}expected no finding sgx-interrupted-code-lost/)]);
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace("seed: ", "fixes: [sgx-interrupted-code-lost]\nseed: "));
    expect((await eintr(["check", file])).code).toBe(0);
  });

  test("of a packed trace, too", async () => {
    await eintr(["pack", lost]);
    const file = await madeCase(`${lost}.tgz`, "--finding", "1");
    expect((await eintr(["check", file])).code).toBe(0);
  });
});

test("without a finding: the first difference, or that there is none", async () => {
  const differs = await madeCase(lost);
  expect(parseCase(readFileSync(differs, "utf8"), "").expect).toEqual([
    { is: "difference", what: "read(pipe, 64)", thread: "main", here: "0", linux: "-EINTR" },
  ]);
  const same = await madeCase(await recorded("lost-interrupted-error", "--stack", "native-linux"));
  expect(parseCase(readFileSync(same, "utf8"), "").expect).toEqual([{ is: "same-as-linux" }]);
  expect((await eintr(["check", differs, same])).code).toBe(0);
});

test("a log's scenario is a case as well", async () => {
  const dir = await recorded("test/recorder/logs/read-sigint.strace", "--stack", "graphene-sgx");
  const file = await madeCase(dir);
  expect((await eintr(["check", file])).code).toBe(0);
});

describe("the form", () => {
  const CASE: CaseFile = {
    title: "a: # title",
    madeBy: "0.1.0",
    stack: "graphene-sgx",
    fixes: ["sgx-interrupted-code-lost"],
    options: [],
    seed: 7,
    rows: 100,
    decisions: [
      { seq: 12, point: "arrive", choice: 1 },
      { seq: 30, point: "thread", choice: 2 },
    ],
    expect: [
      { is: "finding", rule: "r", fingerprint: "f" },
      { is: "no-finding", rule: "r", fingerprint: null },
      { is: "difference", what: "read(x)", thread: "main", here: "0", linux: "-EINTR" },
      { is: "no-difference", what: "w", thread: "t", here: "1", linux: "2" },
      { is: "same-as-linux" },
    ],
    scenario: "name: x\n# a comment\nmain: []\n",
  };

  test.each([
    ["a text of several lines", CASE.scenario],
    ["JSON", '{"name":"x","main":[]}'],
    ["lines that YAML would fold or trim", "  name: x  \n\n\n\tmain: []\n "],
    ["no line end at its end", "a: 1\nb: 2"],
  ])("comes back as it was: %s", (_, scenario) => {
    expect(parseCase(caseText({ ...CASE, scenario }), "x")).toEqual({ ...CASE, scenario });
  });

  test("mistakes are told all at once, with their places", () => {
    const wrong = (text: string): string => {
      try {
        parseCase(text, "x.yaml");
        return "";
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(wrong("name: x")).toBe('x.yaml:1:1: this is no case: it would begin with "case: 1" (eintr case TRACE writes one)');
    expect(wrong("case: 2\ntitl: x\n").split("\n")).toEqual([
      "x.yaml:1:7: case: expected 1: a newer eintr knows other cases",
      "x.yaml:1:1: title: missing; expected a text",
      "x.yaml:1:1: stack: missing; expected a text",
      "x.yaml:1:1: rows: missing; expected a number",
      "x.yaml:1:1: expect: missing; expected a list",
      "x.yaml:1:1: scenario: missing; expected a text",
      'x.yaml:1:1: unknown field "titl"',
    ]);
    const text = caseText(CASE)
      .replace("graphene-sgx", "graphene-sgy")
      .replace("sgx-interrupted-code-lost", "sgx-interrupted")
      .replace("arrive", "arive")
      .replace("finding: r", "fnding: r");
    expect(wrong(text).split("\n")).toEqual([
      expect.stringMatching(/^x\.yaml:6:8: stack: "graphene-sgy" is not known here.*graphene-sgx/),
      expect.stringMatching(/^x\.yaml:8:5: fixes\.0: "sgx-interrupted" is not known here/),
      expect.stringMatching(/^x\.yaml:\d+:5: decisions\.0: "arive" is no choice point.*arrive/),
      expect.stringMatching(/^x\.yaml:\d+:5: expect\.0: expected one of finding, no-finding, difference, no-difference, same-as-linux$/),
    ]);
  });
});

describe("eintr check", () => {
  test("runs the cases of a folder and below, tells each, as text, JSON and JUnit", async () => {
    const folder = fresh("suite");
    mkdirSync(path.join(folder, "below"), { recursive: true });
    const good = readFileSync(await madeCase(lost, "--finding", "1"), "utf8");
    writeFileSync(path.join(folder, "a.case.yaml"), good);
    writeFileSync(path.join(folder, "below", "b.case.yaml"), good.replace("fingerprint: ", "fingerprint: not-"));
    writeFileSync(path.join(folder, "scenario.yaml"), "name: no case, and not looked at");
    const text = await eintr(["check", folder]);
    expect([text.code, text.talk]).toEqual([1, "2 cases: 1 holds, 1 failed\n"]);
    expect(text.out).toMatch(
      /^ok .*a\.case\.yaml: .*\nFAIL {2}.*b\.case\.yaml: .*\n {8}expected the finding sgx-interrupted-code-lost with the fingerprint not-\w+; found: sgx/,
    );
    const json = (await eintr(["check", folder, "--format", "json"])).out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { failures: string[] });
    expect(json.map(({ failures }) => failures.length)).toEqual([0, 1]);
    const file = fresh("results.xml");
    expect((await eintr(["check", folder, "--format", "junit", "-o", file])).code).toBe(1);
    const xml = readFileSync(file, "utf8");
    expect(xml).toContain('<testsuites name="eintr" tests="2" failures="1"');
    expect(xml.match(/<testcase /g)).toHaveLength(2);
  });

  test("goes on after a file that is no case, and says so with its exit code", async () => {
    const broken = fresh("broken.case.yaml");
    writeFileSync(broken, "case: 1\n");
    const { code, out } = await eintr(["check", broken, await madeCase(lost)]);
    expect([code, out]).toEqual([2, expect.stringMatching(/^FAIL .*broken.*[\s\S]*\nok /)]);
    const scenario = fresh("scenario.case.yaml");
    writeFileSync(scenario, readFileSync(await madeCase(lost), "utf8").replace("- sigaction:", "- sigacton:"));
    const wrong = await eintr(["check", scenario]);
    expect([wrong.code, wrong.out]).toEqual([2, expect.stringContaining("sigacton")]);
  });

  test("says what is missing", async () => {
    const nowhere = await eintr(["check", fresh("nowhere")]);
    expect([nowhere.code, nowhere.talk]).toEqual([2, expect.stringContaining("there is no such file or folder")]);
    const empty = fresh("empty");
    mkdirSync(empty);
    expect((await eintr(["check", empty])).talk).toContain("no *.case.yaml in it");
    expect((await eintr(["case", lost, "--absent"])).talk).toContain("--absent needs --finding");
    expect((await eintr(["case", lost, "--finding", "99"])).talk).toContain("no finding 99");
  });

  test("ends at Ctrl-C", async () => {
    const stop = new AbortController();
    const file = await madeCase(lost);
    stop.abort();
    expect((await eintr(["check", file], { signal: stop.signal })).code).toBe(130);
  });
});
