/** Which findings of a trace explain its differences from Linux alone. Loads the rules: a replay's start does without. */

import { findEntry, RULES } from "../analyzer/catalogue.ts";
import { type Because, explained, type Finding, type Verdict } from "../analyzer/index.ts";
import type { ThreadInfo } from "../engine/index.ts";

export function becauseOf(
  verdict: Verdict,
  findings: readonly Pick<Finding, "rule" | "thread" | "firstSeq" | "lastSeq" | "title">[],
  threads: readonly ThreadInfo[],
): Because[] {
  const isLatent = (rule: string): boolean => RULES.find(({ id }) => id === rule)?.isLatent === true;
  const isGeneral = (rule: string): boolean => findEntry(rule)?.generations.includes("any") === true;
  return explained(
    verdict.differences,
    findings.filter(({ rule }) => !isLatent(rule)).map((one) => ({ ...one, general: isGeneral(one.rule) })),
    (thread) => threads[thread]?.name ?? "",
  );
}
