/** The documentation of the rules: complete, and true to what it names. */

import { describe, expect, it } from "vitest";
import { findRule, RULES, RuleError, SEVERITIES } from "../../analyzer/index.ts";
import { FIX_NAMES, LAYERS } from "../../engine/index.ts";
import { explanation } from "../../tui/present/explain.ts";
import { BUILT_IN } from "./support.ts";

const flat = (text: string): string => text.replace(/\s+/g, " ");

describe.each(RULES)("$id", (rule) => {
  it("is explained in full", () => {
    const text = flat(explanation(rule));
    for (const part of [
      rule.id,
      rule.title,
      rule.what,
      rule.why,
      rule.recognise,
      rule.remedy,
      rule.cost,
      rule.source,
      ...rule.ignore.map((near) => near.text),
      `severity ${rule.severity}`,
    ])
      expect(text).toContain(flat(part));
    for (const heading of [
      "What",
      "Why it matters",
      "How to recognise it",
      "When to ignore it",
      "How it was fixed",
      "Cost of a finding",
      "See it",
    ])
      expect(explanation(rule)).toMatch(new RegExp(`^${heading}$`, "m"));
    const [{ scenario, stacks }] = rule.invalid;
    expect(stacks?.length).toBeGreaterThan(0);
    expect(text).toContain(`eintr record ${scenario} --stack ${stacks?.[0]} `);
    if (rule.fix !== null) expect(text).toContain(`--fix ${rule.fix}`);
  });

  it("names only what exists", () => {
    expect(BUILT_IN).toContain(rule.invalid[0].scenario);
    if (rule.fix !== null) expect(FIX_NAMES).toContain(rule.fix);
    expect(SEVERITIES).toContain(rule.severity);
    for (const layer of rule.layers) expect(LAYERS).toContain(layer);
    expect(rule.source).toMatch(/^reference \d/);
    expect(rule.id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
  });

  it("fits the width asked for, but for the commands to paste", () => {
    const [text, commands] = explanation(rule, 60).split("\nSee it\n");
    expect(text?.split("\n").filter((line) => line.length > 60)).toEqual([]);
    for (const line of commands?.trimEnd().split("\n") ?? []) expect(line).toMatch(/^ {2}eintr \w+ /);
  });
});

it("rules have different ids", () => {
  expect(new Set(RULES.map((rule) => rule.id)).size).toBe(RULES.length);
});

describe("a rule that is none", () => {
  it("is an error with the nearest name", () => {
    expect(() => findRule("sgx-interupted-code")).toThrow(RuleError);
    expect(() => findRule("sgx-interupted-code")).toThrow('no rule "sgx-interupted-code"; did you mean "sgx-interrupted-code-lost"?');
    expect(() => findRule("spurious-yield-per-pendin")).toThrow('did you mean "spurious-yield-per-pending"?');
    expect(() => findRule("")).toThrow(RuleError);
  });
});
