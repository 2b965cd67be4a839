/** Option values that several commands share, checked with an error that says what was expected. */

import { Option } from "commander";
import {
  DURATION_WORDS,
  durationOf,
  FIX_NAMES,
  type FixName,
  findStackName,
  hint,
  isFix,
  isOption,
  OPTION_NAMES,
  type OptionName,
  STACK_NAMES,
  STACKS,
  type StackName,
  type SwitchName,
  stacksKnowing,
} from "../engine/index.ts";
import { InputError, type Io } from "./io.ts";

/** `option`: what it was given for; "" where it stands alone. */
export function stackName(text: string, option = "--stack"): StackName {
  const found = findStackName(text);
  if (found === undefined)
    throw new InputError(`${option === "" ? "" : `${option}: `}no stack "${text}"${hint(text, STACK_NAMES)} (list: eintr stack)`);
  return found;
}

/** Repeatable, and a list with commas. */
export const stackNames = (text: string, before: readonly StackName[] = []): StackName[] => [
  ...new Set([...before, ...text.split(",").map((part) => stackName(part.trim()))]),
];

/** What may be repeated, and be a list with commas. */
const names =
  <N extends string>(known: readonly N[], isKnown: (name: string) => name is N, wrong: (name: string) => string) =>
  (text: string, before: readonly N[] = []): N[] => {
    const found = text.split(",").map((part) => {
      const name = part.trim();
      if (!isKnown(name)) throw new InputError(`${wrong(name)}${hint(name, known)}`);
      return name;
    });
    return [...new Set([...before, ...found])];
  };

export const fixNames = names(FIX_NAMES, isFix, (name) =>
  isOption(name) ? `--fix: "${name}" is an option: --option ${name}` : `--fix: no fix "${name}"`,
);
export const optionNames = names(OPTION_NAMES, isOption, (name) =>
  isFix(name) ? `--option: "${name}" is a fix: --fix ${name}` : `--option: no option "${name}"`,
);

/** Notes for switches that change nothing: none of the stacks knows them. */
export function noteIgnored(io: Pick<Io, "talk">, stacks: readonly StackName[], switches: readonly SwitchName[]): void {
  for (const name of switches) {
    if (stacks.some((stack) => STACKS[stack].switches?.includes(name))) continue;
    const knowing = stacksKnowing(name);
    const where = knowing.length === 0 ? "no stack has it" : `known to ${knowing.join(", ")}`;
    io.talk(`note: ${isFix(name) ? "--fix" : "--option"} ${name} changes nothing on ${stacks.join(", ")} (${where})\n`);
  }
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

/** Virtual time in ns. */
export function timeOption(text: string): number {
  const ns = durationOf(text);
  if (ns === null) throw new InputError(`--time: expected ${DURATION_WORDS}, found "${text}"`);
  return ns;
}

/** For the help of the commands that take `--fix` and `--option`: the list is long. */
export const WHERE_SWITCHES_ARE = `Fixes and options, with what each does:
  eintr stack --switches
  eintr stack gramine-sgx --switches    # those of one stack`;

export const stackOption = () => new Option("--stack <name>", `the stack: ${STACK_NAMES.join(", ")}`).argParser((text) => stackName(text));
/** `--option`: of a library OS's manifest. */
export const manifestOption = () =>
  new Option("--option <name>", "switch an option of the manifest on; may be repeated (list: eintr stack --switches)").argParser<
    OptionName[]
  >(optionNames);
export const fixOption = () =>
  new Option("--fix <id>", "switch a fix on; may be repeated (list: eintr stack --switches)").argParser<FixName[]>(fixNames);
