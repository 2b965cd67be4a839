/** Option values that several commands share, checked with an error that says what was expected. */

import { Option } from "commander";
import { FIX_NAMES, FIXES, type FixName, findStackName, hint, STACK_NAMES, type StackName } from "../engine/index.ts";
import { InputError } from "./io.ts";
import { wrapCells } from "./present/two-column.ts";

export function stackName(text: string): StackName {
  const found = findStackName(text);
  if (found === undefined) throw new InputError(`--stack: no stack "${text}"${hint(text, STACK_NAMES)} (list: eintr stack)`);
  return found;
}

/** Repeatable, and a list with commas. */
export function fixNames(text: string, before: readonly FixName[] = []): FixName[] {
  const names = text.split(",").map((part) => {
    const found = FIX_NAMES.find((name) => name === part.trim());
    if (found === undefined) throw new InputError(`--fix: no fix "${part}"${hint(part, FIX_NAMES)}`);
    return found;
  });
  return [...new Set([...before, ...names])];
}

/** A whole number of at least `least`; 1_000_000 and 1e6 are numbers too. */
export const wholeNumber =
  (option: string, least = 0) =>
  (text: string): number => {
    const value = Number(text.replaceAll("_", ""));
    if (text.trim() === "" || !Number.isSafeInteger(value) || value < least)
      throw new InputError(`${option}: expected a whole number of at least ${least}, found "${text}"`);
    return value;
  };

/** The fixes as part of a help text. */
export const fixList = (): string => {
  const fixes = Object.entries(FIXES).flatMap(([id, { text }]) => [`  ${id}`, ...wrapCells(text, 72).map((line) => `      ${line}`)]);
  return ["Fixes:", ...fixes].join("\n");
};

export const stackOption = () => new Option("--stack <name>", `the stack: ${STACK_NAMES.join(", ")}`).argParser(stackName);
export const fixOption = () => new Option("--fix <id>", "switch a fix on; may be repeated (see below)").argParser<FixName[]>(fixNames);
