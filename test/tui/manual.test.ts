/** What a scenario can say, as the terminal tells it. */

import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { RULES } from "../../analyzer/catalogue.ts";
import { OPERATION_NAMES, OPERATIONS, PAGE_NAMES, parseScenario, STACK_NAMES, STACKS, scenarioJsonSchema } from "../../engine/index.ts";
import { eintr } from "../support/command-line.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
const README = readFileSync(path.resolve(import.meta.dirname, "../../README.md"), "utf8");

describe("explain", () => {
  test("lists the rules, the operations and the forms", async () => {
    const { code, out } = await eintr(["explain"]);
    expect(code).toBe(0);
    for (const name of [...RULES.map((rule) => rule.id), ...PAGE_NAMES]) expect(out).toMatch(new RegExp(`^  ${name} +\\S`, "m"));
  });

  test.each(OPERATION_NAMES)("%s: example, arguments, what the stacks do", async (name) => {
    const { code, out } = await eintr(["explain", name]);
    expect(code).toBe(0);
    expect(out).toContain(`${name}: ${OPERATIONS[name].manual.does.slice(0, 40)}`);
    expect(out).toContain(`  - ${OPERATIONS[name].manual.example}\n`);
    for (const argument of Object.keys(OPERATIONS[name].args.shape)) expect(out).toMatch(new RegExp(`^  ${argument} +\\S`, "m"));
    expect(out).toMatch(/^On Linux\n[\s\S]*^On Graphene\n|^On every stack\n/m);
    expect(out.split("\n").filter((line) => line.length > 88 && !line.startsWith("  - "))).toEqual([]);
  });

  test("when: each form, and the plans it stands in", async () => {
    const { out } = await eintr(["explain", "when"]);
    for (const field of ["at", "every", "rate", "call", "handler", "site", "nth", "signal", "process", "to", "bytes"])
      expect(out).toMatch(new RegExp(`^  ${field} +\\S`, "m"));
    // The examples of a page can be recorded.
    const examples = /Examples\n([\s\S]*?)\n\n/.exec(out)?.[1]?.replace(/^ {2}/gm, "") ?? "";
    expect(parseScenario(`name: x\ntitle: t\nmain: [pause]\n${examples}`, "x").signals).toHaveLength(6);
  });

  test("results: the examples can be recorded", async () => {
    const { out } = await eintr(["explain", "results"]);
    const examples = /Examples\n([\s\S]*?)\n\n/.exec(out)?.[1] ?? "";
    expect(parseScenario(`name: x\ntitle: t\nmain:\n${examples}`, "x").main).toHaveLength(4);
  });

  test.each(STACK_NAMES)("%s: its mechanism in four parts", async (name) => {
    expect(STACKS[name].explain).toBeDefined();
    const { code, out } = await eintr(["explain", name]);
    expect(code).toBe(0);
    for (const title of ["What decides", "Where handlers run", "What nests", "What is left open", "Next"])
      expect(out).toMatch(new RegExp(`^${title}`, "m"));
    expect(out.split("\n").filter((line) => line.length > 88)).toEqual([]);
  });

  test("a name that is none: the one that is near, or those that are known", async () => {
    const near = await eintr(["explain", "raed"]);
    expect([near.code, near.talk]).toEqual([2, expect.stringContaining('no rule, no stack and no operation "raed"; did you mean "read"?')]);
    const far = await eintr(["explain", "qqqqqq"]);
    expect([far.code, far.talk]).toEqual([2, expect.stringMatching(/known are: .* and \d+ more \(list: eintr explain\)/)]);
  });
});

describe("schema --scenario", () => {
  test("is the whole form in words", async () => {
    const { code, out } = await eintr(["schema", "--scenario"]);
    expect(code).toBe(0);
    for (const title of ["A scenario", "limit", "An entry of signals", "An entry of arrivals", "when", ...OPERATION_NAMES])
      expect(out).toMatch(new RegExp(`^${title}$`, "m"));
    for (const field of ["name", "title", "main", "interrupts", "transitions", "stacks", "site"])
      expect(out).toMatch(new RegExp(`^  ${field} +\\S`, "m"));
  });

  test("is a JSON Schema for editors", async () => {
    const { code, out } = await eintr(["schema", "--scenario", "--format", "json"]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual(JSON.parse(JSON.stringify(scenarioJsonSchema())));
  });
});

test("the scenarios in the README are right", () => {
  const blocks = [...README.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
  expect(blocks.length).toBeGreaterThanOrEqual(2);
  for (const block of blocks) {
    const text = block.startsWith("name:") ? block : `name: x\ntitle: t\n${block}`;
    expect(() => parseScenario(text, "README.md")).not.toThrow();
  }
});

test("a case with mistakes is refused with all of them, and with the limits of the command line, too", async () => {
  const file = fresh("bad.yaml");
  writeFileSync(file, "name: x\ntitle: t\nmain:\n  - raed\n  - compute: fast\n  - clone: worker\nlimit: 5\n");
  for (const more of [[], ["--rows", "100"], ["--time", "5ms"]]) {
    const { code, out, talk } = await eintr(["record", file, "-o", fresh("never.trace"), ...more]);
    expect([code, out]).toEqual([2, ""]);
    // Below each stands its line with a mark.
    const told = talk.replaceAll(file, "bad.yaml").trim().split("\n");
    expect(told.filter((line) => !/^ +\d* \|/.test(line))).toEqual([
      'eintr: bad.yaml:4:5: main[0]: unknown operation "raed"; did you mean "read"?',
      'bad.yaml:5:14: main[1].compute: expected a duration such as 5ms, 2us, 1.5s or forever (at most 1000000s), found "fast"',
      'bad.yaml:6:12: main[2].clone: no program "worker"; there is none',
      "bad.yaml:7:8: limit: expected a map with the fields time, transitions, found 5",
    ]);
  }
});

test("a place that the stack does not have is told with file and line", async () => {
  const file = fresh("site.yaml");
  writeFileSync(
    file,
    'name: x\ntitle: t\nmain: [pause]\nsignals:\n  - { signal: SIGINT, when: { thread: main, site: "nowhere: at all" } }\n',
  );
  const { code, talk } = await eintr(["record", file, "-o", fresh("never.trace"), "--rows", "100"]);
  expect(code).toBe(2);
  expect(talk).toContain(`${file}:5:51: signals[0].when.site: stack `);
});

test.each(["constructor", "__proto__", "toString"])("a case whose object is called %s is recorded, and the trace opens", async (name) => {
  const file = fresh("strange.yaml");
  const arrivals = `arrivals:\n  - { to: ${name}, bytes: 3, when: { at: 5us } }\n`;
  writeFileSync(file, `name: strange\ntitle: t\nmain:\n  - read: { from: ${name}, bytes: 3 }\n  - compute: 1000000s\n${arrivals}`);
  const dir = fresh("strange.trace");
  expect((await eintr(["record", file, "-o", dir])).code).toBe(0);
  const { code, out } = await eintr(["query", dir, "SELECT call, result FROM syscalls", "--format", "csv"]);
  expect([code, out]).toEqual([0, `call,result\n"read(${name}, 3)",3\n`]);
});
