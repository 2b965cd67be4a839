/** The documentation of a rule as text. */

import { nearest } from "../engine/index.ts";
import type { Rule } from "./rule.ts";
import { RULES } from "./rules/index.ts";

/** The user asked for a rule that is none. */
export class RuleError extends Error {
  override readonly name = "RuleError";
}

export function findRule(id: string): Rule {
  const found = RULES.find((rule) => rule.id === id);
  if (found !== undefined) return found;
  const ids = RULES.map((rule) => rule.id);
  throw new RuleError(`no rule "${id}"; did you mean "${nearest(id, ids)}"? (list: eintr explain)`);
}

/** Throws RuleError. */
export function explain(id: string, width = 88): string {
  const rule = findRule(id);
  const parts = [
    wrap(`${rule.id}: ${rule.title}`, width, ""),
    wrap(`severity ${rule.severity}; layers ${rule.layers.join(", ")}; ${rule.source}`, width, ""),
    section("What", rule.what, width),
    section("Why it matters", rule.why, width),
    section("How it was mended", rule.mend, width),
    section("What it is not", rule.not.map((text) => `- ${text}`).join("\n"), width),
    section("Cost of a finding", rule.cost, width),
    `See it\n${tryIt(rule)}`,
  ];
  return `${parts.join("\n\n")}\n`;
}

/** Commands are not wrapped: they are there to be pasted. */
function tryIt(rule: Rule): string {
  const lines = [`eintr record ${rule.example} --stack graphene-sgx -o a.trace`, "eintr analyze a.trace"];
  if (rule.fix !== null) lines.push(`eintr rerun a.trace --fix ${rule.fix}`);
  return lines.map((line) => `  ${line}`).join("\n");
}

const section = (title: string, text: string, width: number): string =>
  `${title}\n${text
    .split("\n")
    .map((line) => wrap(line, width))
    .join("\n")}`;

export function wrap(text: string, width: number, indent = "  "): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent.length + line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  return [...lines, line].map((part) => indent + part).join("\n");
}
