/** Rules by the ids that users give. */

import { hint } from "../engine/index.ts";
import type { Lint, Rule } from "./rule.ts";
import { RULES } from "./rules/index.ts";
import { LINTS } from "./rules/lints.ts";

/** The user asked for a rule that does not exist. */
export class RuleError extends Error {
  override readonly name = "RuleError";
}

/** Throws RuleError with the nearest id. */
export function findRule(id: string): Rule {
  const found = RULES.find((rule) => rule.id === id);
  if (found !== undefined) return found;
  const lint = LINTS.find((one) => one.id === id);
  if (lint !== undefined)
    throw new RuleError(`"${id}" is an entry of the catalogue without a rule: ${lint.whyNoRule} (eintr explain ${id})`);
  const ids = RULES.map((rule) => rule.id);
  throw new RuleError(`no rule "${id}"${hint(id, ids)} (list: eintr rules)`);
}

/** A rule or a page without a rule; undefined when there is no such entry. */
export const findEntry = (id: string): Rule | Lint | undefined =>
  RULES.find((rule) => rule.id === id) ?? LINTS.find((lint) => lint.id === id);
