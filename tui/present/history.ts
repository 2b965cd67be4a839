/** What changed between the generations, as text and as JSON. */

import { CHANGED_CASES, type FixName, findStackName, HISTORY, type HistoryStep, stacksKnowing } from "../../engine/index.ts";
import type { Paint } from "./style.ts";
import { wrapCells } from "./two-column.ts";

/** Date, commit and part take so many cells. */
const MARGIN = 36;

export function historyText({ strong, dim, warn }: Paint, width: number): string {
  const lines = HISTORY.flatMap((step) => {
    const stands = standing(step);
    const commits = step.commits.join(" ");
    const head = `${step.date}  ${commits.padEnd(11)}${step.part.padEnd(MARGIN - 23)}`;
    const text = wrapCells(`${step.text} [${step.source}]`, width - MARGIN);
    const told = text.map((line, i) => (i === 0 ? dim(head) + line : " ".repeat(MARGIN) + line));
    const here = stands.length === 0 ? [] : [strong(`${" ".repeat(MARGIN)}here: ${stands.join(", ")}`)];
    const fixes = (step.fixes ?? []).flatMap((fix) => fixLines(fix, width - MARGIN).map((line) => warn(" ".repeat(MARGIN) + line)));
    return [...told, ...here, ...fixes];
  });
  return `${lines.join("\n")}\n`;
}

/** The switch, and where it makes a difference. */
function fixLines(fix: FixName, width: number): string[] {
  const stacksOf = new Map<string, string[]>();
  for (const stack of stacksKnowing(fix)) {
    const cases = casesOf(fix, stack).join(", ") || "no verdict of a built-in case changes";
    stacksOf.set(cases, [...(stacksOf.get(cases) ?? []), stack]);
  }
  const changes = [...stacksOf].map(([cases, stacks]) => `${stacks.join(", ")}: ${cases}`);
  return [`--fix ${fix}`, ...changes.flatMap((line) => wrapCells(line, width - 2).map((part) => `  ${part}`))];
}

const casesOf = (fix: FixName, stack: string): readonly string[] => CHANGED_CASES[fix]?.[stack] ?? [];

/** Stacks of this build that stand there. */
const standing = ({ stands = [] }: HistoryStep): string[] => stands.filter((name) => findStackName(name) !== undefined);

/** One object a line. */
export const historyJson = (): string =>
  HISTORY.map((step) => {
    const fixes = (step.fixes ?? []).map((fix) => ({
      fix,
      verdicts: Object.fromEntries(stacksKnowing(fix).map((stack) => [stack, casesOf(fix, stack)])),
    }));
    const { date, project, commits, part, text, source } = step;
    return `${JSON.stringify({ date, project, commits, part, text, source, stands: standing(step), fixes })}\n`;
  }).join("");
