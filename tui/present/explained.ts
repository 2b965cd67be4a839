/** What `eintr explain` has pages of: rules, stacks, operations of scenarios. */

import { findEntry, LINTS, RULES } from "../../analyzer/catalogue.ts";
import { findStackName, PAGE_NAMES, pages, STACK_NAMES, STACKS } from "../../engine/index.ts";
import { explanation } from "./explain.ts";
import { pageText } from "./manual.ts";
import { mechanismText } from "./mechanism.ts";
import type { Paint } from "./style.ts";

/** Null when there is no page of that name. */
export function explained(name: string, style: Paint): string | null {
  const page = pages().find((known) => known.name === name);
  if (page !== undefined) return pageText(page, style);
  const entry = findEntry(name);
  if (entry !== undefined) return explanation(entry, undefined, style);
  const stack = findStackName(name);
  return stack === undefined ? null : mechanismText(stack, STACKS[stack], style);
}

export const explainedNames = (): string[] => [...[...RULES, ...LINTS].map(({ id }) => id), ...STACK_NAMES, ...PAGE_NAMES];
