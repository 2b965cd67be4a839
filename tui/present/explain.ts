/** The documentation of a rule as text. */

import type { Rule } from "../../analyzer/index.ts";
import { wrapCells } from "./two-column.ts";

const INDENT = "  ";

/** Lines of at most `width` cells, but for the commands at the end. */
export function explanation(rule: Rule, width = 88): string {
  const section = (title: string, ...paragraphs: readonly string[]): string => [title, ...indented(paragraphs, width)].join("\n");
  const parts = [
    wrapCells(`${rule.id}: ${rule.title}`, width).join("\n"),
    wrapCells(`severity ${rule.severity}; layers ${rule.layers.join(", ")}; ${rule.source}`, width).join("\n"),
    section("What", rule.what),
    section("Why it matters", rule.why),
    section("How to recognise it", rule.recognise),
    section("When to ignore it", ...rule.ignore.map(({ text }) => `- ${text}`)),
    section("How it was fixed", rule.remedy),
    section("Cost of a finding", rule.cost),
    ["See it", ...tryIt(rule)].join("\n"),
  ];
  return `${parts.join("\n\n")}\n`;
}

const indented = (paragraphs: readonly string[], width: number): string[] =>
  paragraphs.flatMap((text) => wrapCells(text, width - INDENT.length)).map((line) => INDENT + line);

/** Commands are not wrapped: they are there to be pasted. */
function tryIt(rule: Rule): string[] {
  const [{ scenario, stacks = [] }] = rule.invalid;
  const commands = [`eintr record ${scenario} --stack ${stacks[0]} -o a.trace`, "eintr analyze a.trace"];
  if (rule.fix !== null) commands.push(`eintr rerun a.trace --fix ${rule.fix}`);
  return commands.map((line) => INDENT + line);
}
