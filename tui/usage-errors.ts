/** Errors of the parser of the command line, in the words and the form of all other errors. */

import type { CommanderError } from "commander";
import { hint } from "../engine/index.ts";

/** What to tell; null for help and version, which are no errors. `others`: commands that have the option which this one has not. */
export function usageWords({ code, message }: CommanderError, name: string, others: readonly string[] = []): string | null {
  const [first = "", suggestion = ""] = message.replace(/^error: /, "").split("\n");
  const meant = /^\(Did you mean (?:one of )?(.+?)\?\)$/.exec(suggestion)?.[1];
  const did = meant === undefined ? "" : `; did you mean ${meant.split(", ").join(" or ")}?`;
  const help = `(${name === "" ? "eintr --help" : `eintr ${name} --help`} has examples)`;
  switch (code) {
    case "commander.help":
    case "commander.helpDisplayed":
    case "commander.version":
      return null;
    case "commander.unknownCommand":
      return `no command "${quotedIn(first)}"${did} (eintr --help lists them, eintr help WORD explains a word)`;
    case "commander.unknownOption":
      return `no option "${quotedIn(first)}"${did || elsewhere(others)} ${help}`;
    case "commander.optionMissingArgument": {
      const flags = quotedIn(first);
      return `${longName(flags)}: a value is missing: ${longName(flags)} ${/<.*>/.exec(flags)?.[0] ?? "VALUE"} ${help}`;
    }
    case "commander.missingArgument":
      return `${quotedIn(first)} is missing: eintr ${name} <${quotedIn(first)}> ${help}`;
    case "commander.excessArguments":
      return `${first.replace(/^too many arguments.*?\. Expected/, "too many words: expected").replace(/\.$/, "")} ${help}`;
    case "commander.invalidArgument":
      return `${choiceWords(first) ?? first} ${help}`;
    default:
      return `${first}${did} ${help}`;
  }
}

const elsewhere = (others: readonly string[]): string =>
  others.length === 0 ? "" : `; eintr ${others.join(", eintr ")} ${others.length === 1 ? "has" : "have"} it`;

export const quotedIn = (text: string): string => /'([^']*)'/.exec(text)?.[1] ?? "";
/** "--severity" of "-s, --severity <name>". */
const longName = (flags: string): string => /--[a-z][a-z-]*/.exec(flags)?.[0] ?? flags;

/** Of a value that is none of the choices. */
function choiceWords(text: string): string | null {
  const [, flags, value = "", list = ""] =
    /^option '(.+?)' argument '(.*?)' is invalid\. Allowed choices are (.+)\.$/s.exec(text) ?? argumentChoice(text) ?? [];
  if (flags === undefined) return null;
  const choices = list.split(", ");
  const near = hint(value, choices);
  return `${longName(flags)}: expected one of ${choices.join(", ")}, found "${value}"${near.startsWith("; did") ? near : ""}`;
}

function argumentChoice(text: string): [string, string, string, string] | null {
  const [whole, value = "", name = "", list = ""] =
    /^command-argument value '(.*?)' is invalid for argument '(.+?)'\. Allowed choices are (.+)\.$/s.exec(text) ?? [];
  return whole === undefined ? null : [whole, name, value, list];
}
