/** A rule that is added with one file and one line: it is analyzed, explained and told by the commands like any other. */

import { describe, expect, it } from "vitest";
import { addRule, findRule, RULES } from "../../analyzer/catalogue.ts";
import { eintr } from "../support/command-line.ts";
import { describeRule } from "../support/rule-examples.ts";
import { tempPaths } from "../support/temp-dir.ts";
import { toyRule } from "../support/toy-rule.ts";

addRule(toyRule);
const ID = toyRule.id;
const fresh = tempPaths();

describeRule(toyRule);

describe("a rule that was added", () => {
  it("is known by its id, once", () => {
    expect(findRule(ID)).toBe(toyRule);
    expect(() => addRule(toyRule)).toThrow(`a rule "${ID}" exists`);
    expect(() => findRule("toy-call-in-handle")).toThrow(`did you mean "${ID}"?`);
  });

  it("is listed and explained", async () => {
    expect((await eintr(["explain"])).out).toContain(`${ID} `);
    const { out } = await eintr(["explain", ID]);
    for (const text of [toyRule.what, toyRule.recognise, toyRule.remedy, `eintr record w3-delayed-bit --stack native-linux`])
      expect(out.replace(/\s+/g, " ")).toContain(text);
  });

  it("runs with the others, and what it finds is told, kept and shown", async () => {
    const dir = fresh("toy.trace");
    await eintr(["record", "w3-delayed-bit", "--stack", "native-linux", "-o", dir]);
    const { out, talk, code } = await eintr(["analyze", dir]);
    expect([code, talk]).toEqual([1, expect.stringContaining(`${RULES.length} rules ran: 2 findings`)]);
    expect(out).toContain("getpid() is called in a handler");
    expect(out).toContain("the call is back in the handler");
    const alone = await eintr(["analyze", dir, "--rule", ID, "--format", "json"]);
    const findings = alone.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { rule?: string; evidence?: { id: string }[] })
      .filter(({ rule }) => rule === ID);
    expect(findings.map(({ evidence }) => evidence?.map(({ id }) => id))).toEqual(Array(2).fill(["handler", "called", "back"]));
    expect((await eintr(["show", dir, "--finding", "1"])).out).toContain("the handler runs");
    expect((await eintr(["query", dir, "SELECT count(*) FROM finding WHERE rule = 'toy-call-in-handler'"])).out).toContain("2");
  });
});
