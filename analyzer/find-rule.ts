/** Rules by the ids that users give. */

import { hint } from "../engine/index.ts";
import type { Rule } from "./rule.ts";
import { RULES } from "./rules/index.ts";

/** The user asked for a rule that does not exist. */
export class RuleError extends Error {
  override readonly name = "RuleError";
}

/** Throws RuleError with the nearest id. */
export function findRule(id: string): Rule {
  const found = RULES.find((rule) => rule.id === id);
  if (found !== undefined) return found;
  const ids = RULES.map((rule) => rule.id);
  throw new RuleError(`no rule "${id}"${hint(id, ids)} (list: eintr explain)`);
}
