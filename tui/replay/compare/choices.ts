/** What this run can be shown beside: a fix that mends what was found, another fix, another stack, or another trace. */

import { RULES } from "../../../analyzer/index.ts";
import { FIXES, type FixName, findStackName, hint, isFix, STACK_NAMES, STACKS, type StackName } from "../../../engine/index.ts";
import type { ReplaySession, StoredFinding } from "../session.ts";

export interface Choice {
  /** A fix to switch on, or a stack to run on. */
  readonly what: "fix" | "stack";
  readonly name: FixName | StackName;
  readonly text: string;
}

/** What can be run otherwise, the likeliest first; nothing for a trace that cannot be run again. */
export function choicesOf({ trace }: ReplaySession, findings: readonly StoredFinding[]): Choice[] {
  const { info } = trace;
  if (info.origin !== "emulated") return [];
  const own = findStackName(info.stack);
  const known = (own === undefined ? [] : (STACKS[own].switches ?? [])).filter(
    (name) => isFix(name) && !info.fixes.includes(name),
  ) as FixName[];
  const meant = findings
    .flatMap(({ rule }) => RULES.find(({ id }) => id === rule)?.fix ?? [])
    .filter((fix) => known.includes(fix as FixName));
  const fixes = [...new Set([...(meant as FixName[]), ...known])];
  return [
    ...fixes.map(
      (name): Choice => ({ what: "fix", name, text: `${meant.includes(name) ? "mends what was found: " : ""}${FIXES[name].text}` }),
    ),
    ...STACK_NAMES.filter((name) => name !== own).map((name): Choice => ({ what: "stack", name, text: STACKS[name].text })),
  ];
}

/** What was typed: a fix, a stack, or else the folder of a trace. Null where it is neither and can be no folder's name. */
export function typedChoice(text: string): Choice | { readonly trace: string } | { readonly error: string } {
  const name = text.trim();
  if (isFix(name)) return { what: "fix", name, text: "" };
  const stack = findStackName(name);
  if (stack !== undefined) return { what: "stack", name: stack, text: "" };
  return name === "" ? { error: `write a fix, a stack or a trace folder${hint(name, STACK_NAMES)}` } : { trace: name };
}
