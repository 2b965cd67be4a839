/** All rules: a new one is a file here and a line in this list. */

import type { Rule } from "../rule.ts";
import { sgxInterruptedCodeLost } from "./sgx-interrupted-code-lost.ts";
import { spuriousYieldPerPending } from "./spurious-yield-per-pending.ts";

const rules: Rule[] = [sgxInterruptedCodeLost, spuriousYieldPerPending];

export const RULES: readonly Rule[] = rules;

/** Adds a rule for as long as the process lives: all commands know it. Tests use it for rules of their own. An id that is taken throws. */
export function addRule(rule: Rule): void {
  if (rules.some(({ id }) => id === rule.id)) throw new Error(`a rule "${rule.id}" exists`);
  rules.push(rule);
}
