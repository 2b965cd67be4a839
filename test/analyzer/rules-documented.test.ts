/** The catalogue: complete, and true to what it names. */

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { findEntry, findRule, LINTS, RULES, RuleError } from "../../analyzer/catalogue.ts";
import { GENERATIONS, RULE_IDS, SEVERITIES } from "../../analyzer/index.ts";
import { argsOf, calls } from "../../analyzer/rules/common.ts";
import { FIX_NAMES, LAYERS, parseScenario } from "../../engine/index.ts";
import { catalogue, catalogueMarkdown, catalogueText } from "../../tui/present/catalogue.ts";
import { exampleText, explanation, seeIt } from "../../tui/present/explain.ts";
import { paint } from "../../tui/present/style.ts";
import { BUILT_IN } from "./support.ts";

const flat = (text: string): string => text.replace(/\s+/g, " ");
const ENTRIES = [...RULES, ...LINTS];

it("has its ids in a list that is there before the rules are", () => {
  expect(RULE_IDS).toEqual(RULES.map(({ id }) => id).sort());
});

describe.each(ENTRIES)("$id", (entry) => {
  it("is explained in full", () => {
    const text = flat(explanation(entry));
    const { id, title, what, why, recognise, remedy, source, severity, generations } = entry;
    for (const part of [id, title, what, why, recognise, remedy, source, `severity ${severity}`, generations.join(", ")]) {
      expect(part).not.toBe("");
      expect(text).toContain(flat(part));
    }
    for (const heading of ["What", "Why it matters", "How to recognise it", "How it was fixed"])
      expect(explanation(entry)).toMatch(new RegExp(`^${heading}$`, "m"));
  });

  it("names only what exists", () => {
    if (entry.fix !== null) expect(FIX_NAMES).toContain(entry.fix);
    expect(SEVERITIES).toContain(entry.severity);
    expect(entry.layers).not.toEqual([]);
    for (const layer of entry.layers) expect(LAYERS).toContain(layer);
    expect(entry.generations).not.toEqual([]);
    for (const generation of entry.generations) expect(GENERATIONS).toContain(generation);
    expect(entry.source).toMatch(/^(?:reference|gramine|pull request|Linux) \S/);
    expect(entry.id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
  });

  it("fits the width asked for, but for the commands to paste", () => {
    const [text, commands] = explanation(entry, 60).split("\nSee it\n");
    expect(text?.split("\n").filter((line) => line.length > 60)).toEqual([]);
    for (const line of commands?.trimEnd().split("\n") ?? []) expect(line).toMatch(/^ {2}(?:eintr \w+ |no stack of today)/);
  });

  it("is in the list and in the document", () => {
    expect(catalogueText(catalogue(), paint(false))).toMatch(new RegExp(`^  ${entry.id} `, "m"));
    expect(catalogueMarkdown(catalogue())).toContain(`\n## ${entry.id}\n`);
  });
});

describe.each(RULES)("$id", (rule) => {
  it("has an example, a near miss for each trap, and captions that are not empty", () => {
    expect(rule.ignore.length).toBeGreaterThan(0);
    for (const { text, nearMiss } of rule.ignore) {
      expect(text).not.toBe("");
      expect(nearMiss.reaches).not.toEqual([]);
    }
    for (const { found } of rule.invalid) for (const { title } of found) expect(title).not.toBe("");
    expect(flat(explanation(rule))).toContain(flat(rule.cost));
  });

  it("its first example can be recorded as the page says", () => {
    const [{ scenario, stacks }] = rule.invalid;
    const text = exampleText(rule);
    if (typeof scenario !== "string") return expect(seeIt(rule)).toHaveLength(1);
    expect(stacks?.length).toBeGreaterThan(0);
    if (text === null) expect(BUILT_IN).toContain(scenario);
    else expect(parseScenario(text, rule.id).name).toBe(rule.id);
    expect(seeIt(rule).join("\n")).toContain(`--stack ${stacks?.[0]} `);
    if (rule.fix !== null) expect(seeIt(rule).join("\n")).toContain(`--fix ${rule.fix}`);
  });

  it("is the rule of its file", () => {
    const files = readdirSync(path.resolve(import.meta.dirname, "../../analyzer/rules"), { recursive: true }).map(String);
    expect(files.some((file) => path.basename(file) === `${rule.id}.ts`)).toBe(true);
  });
});

it("each file of a rule is in the list", () => {
  const folder = path.resolve(import.meta.dirname, "../../analyzer/rules");
  const files = readdirSync(folder, { recursive: true })
    .map(String)
    .filter((file) => file.includes(path.sep) && file.endsWith(".ts"))
    .map((file) => path.basename(file, ".ts"));
  expect(files.sort()).toEqual(RULES.map(({ id }) => id).sort());
});

it("entries have different ids", () => {
  expect(new Set(ENTRIES.map(({ id }) => id)).size).toBe(ENTRIES.length);
});

describe("a rule that is none", () => {
  it("is an error with the nearest name", () => {
    expect(() => findRule("sgx-interupted-code")).toThrow(RuleError);
    expect(() => findRule("sgx-interupted-code")).toThrow('no rule "sgx-interupted-code"; did you mean "sgx-interrupted-code-lost"?');
    expect(() => findRule("spurious-yield-per-pendin")).toThrow('did you mean "spurious-yield-per-pending"?');
    expect(() => findRule("")).toThrow(RuleError);
  });

  it("an entry without a rule says why", () => {
    expect(() => findRule("suspend-on-signal-dead-flag")).toThrow("an entry of the catalogue without a rule");
    expect(findEntry("suspend-on-signal-dead-flag")?.id).toBe("suspend-on-signal-dead-flag");
  });
});

it("no caption says by itself that it is the wrong turn: the rule names it (`turn`), and the words come from there", () => {
  const folder = new URL("../../analyzer/rules/", import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  expect(files.length).toBeGreaterThan(RULES.length);
  expect(files.filter((file) => readFileSync(new URL(file, folder), "utf8").includes("the wrong turn"))).toEqual([]);
});

describe("names of calls in rules", () => {
  it("are checked by the compiler: no rule has them in a pattern", () => {
    const folder = new URL("../../analyzer/rules/", import.meta.url);
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
    const patterns = files.flatMap((file) =>
      [...readFileSync(new URL(file, folder), "utf8").matchAll(/\/\^(?:\(\?:)?[a-z][a-z0-9_]*[^/\n]*\/[a-z]*\.(?:test|exec)\(.*/g)].map(
        ([text]) => `${file}: ${text}`,
      ),
    );
    expect(patterns.filter((text) => /callOf|callName|labelOf|label\b/.test(text) && !text.includes("argsOf("))).toEqual([]);
  });

  it("that no label begins with do not compile", () => {
    // @ts-expect-error labels have underscores
    expect(calls("futex-wait")("futex_wait(word)")).toBe(false);
    expect(calls("futex_wait", "epoll_wait")("epoll_wait(fd 3)")).toBe(true);
    expect(calls("read")("readv(fd 3)")).toBe(false);
    expect(argsOf("kill", "kill(group, SIGTERM)")).toBe("group, SIGTERM)");
    expect(argsOf("kill", "tgkill(self, SIGTERM)")).toBe(null);
  });
});
