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
    section("How it was mended", rule.mend),
    section("What it is not", ...rule.not.map((text) => `- ${text}`)),
    section("Cost of a finding", rule.cost),
    ["See it", ...tryIt(rule)].join("\n"),
  ];
  return `${parts.join("\n\n")}\n`;
}

const indented = (paragraphs: readonly string[], width: number): string[] =>
  paragraphs.flatMap((text) => wrapCells(text, width - INDENT.length)).map((line) => INDENT + line);

/** Commands are not wrapped: they are there to be pasted. */
function tryIt(rule: Rule): string[] {
  const commands = [`eintr record ${rule.example} --stack graphene-sgx -o a.trace`, "eintr analyze a.trace"];
  if (rule.fix !== null) commands.push(`eintr rerun a.trace --fix ${rule.fix}`);
  return commands.map((line) => INDENT + line);
}
