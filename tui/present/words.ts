/** What a word means to eintr, whatever it is the name of: `eintr help WORD`. */

import {
  errnoNumber,
  FIX_NAMES,
  FIXES,
  isSynchronous,
  KINDS,
  linuxDefault,
  OPTION_NAMES,
  OPTIONS,
  SIGNAL_NAMES,
  signalName,
  signalNumber,
  stacksKnowing,
} from "../../engine/index.ts";
import { describeSchema } from "../../recorder/index.ts";
import { RECIPES } from "../recipes.ts";
import { explained, explainedNames } from "./explained.ts";
import { GLOSSARY } from "./glossary.ts";
import { pasted } from "./pasted.ts";
import { kindText, tableNames, tableOrViewText } from "./schema-text.ts";
import type { Paint } from "./style.ts";
import { wrapCells } from "./two-column.ts";

const WIDTH = 88;

/** A built-in case, as the list of them has it. */
export interface Case {
  readonly name: string;
  readonly title: string;
}

/** All that the word means, the most particular first; empty when it means nothing. */
export function meanings(word: string, cases: readonly Case[], style: Paint): string[] {
  const found = [explained(word, style), aboutSwitch(word), aboutCase(word, cases), tableOrViewText(word, style)];
  found.push(aboutKind(word, style), aboutColumn(word), aboutRecipe(word), aboutSignal(word), aboutError(word), aboutWord(word));
  return found.filter((text) => text !== null);
}

/** Names of one sort that are told. */
const MOST_NAMES = 15;

/** Questions, names and words of the glossary in which the word stands; null where it stands in none. For who does not know what there is. */
export function mentions(word: string, cases: readonly Case[]): string | null {
  const part = word.toLowerCase();
  const has = (text: string): boolean => text.toLowerCase().includes(part);
  const questions = RECIPES.filter(({ name, text }) => name !== word && (has(name) || has(text)));
  const names = [...new Set(knownWords(cases))].filter((name) => name !== word && has(name) && !RECIPES.some((one) => one.name === name));
  const words = GLOSSARY.filter(([name, text]) => !name.toLowerCase().split(", ").includes(part) && (has(name) || has(text)));
  const more = names.length > MOST_NAMES ? `, and ${names.length - MOST_NAMES} more` : "";
  const parts = [
    questions.length === 0
      ? ""
      : `questions (eintr help NAME, .recipe NAME in eintr query, : in the replay)\n${questions.map(({ name, text }) => lineOf(name, text)).join("")}`,
    names.length === 0 ? "" : told(`names with it (eintr help NAME): ${names.slice(0, MOST_NAMES).join(", ")}${more}`),
    words.length === 0 ? "" : `words\n${words.map(([name, text]) => lineOf(name, text)).join("")}`,
  ];
  const found = parts.filter((text) => text !== "");
  return found.length === 0 ? null : found.join("\n");
}

/** Cells of a name that has a text beside it. */
const NAME_CELLS = 18;

const lineOf = (name: string, text: string): string =>
  wrapCells(text, WIDTH - NAME_CELLS)
    .map((line, i) => `  ${(i === 0 ? name : "").padEnd(NAME_CELLS - 2)} ${line}\n`)
    .join("");

/** For a word that was meant. */
export function knownWords(cases: readonly Case[]): string[] {
  const { tables, views } = describeSchema();
  return [
    ...explainedNames(),
    ...FIX_NAMES,
    ...OPTION_NAMES,
    ...cases.map(({ name }) => name),
    ...tableNames(),
    ...KINDS.map(({ name }) => name),
    ...tables.flatMap(({ columns }) => columns.map(({ name }) => name)),
    ...views.flatMap(({ columns }) => columns),
    ...RECIPES.map(({ name }) => name),
    ...SIGNAL_NAMES,
    ...GLOSSARY.flatMap(([word]) => word.split(", ")),
  ];
}

/** A sentence, and how to go on. */
const told = (text: string, ...commands: readonly string[]): string =>
  `${wrapCells(text, WIDTH).join("\n")}\n${commands.map((command) => `  ${command}\n`).join("")}`;

function aboutSwitch(word: string): string | null {
  const fix = FIX_NAMES.find((name) => name === word);
  const option = OPTION_NAMES.find((name) => name === word);
  const name = fix ?? option;
  if (name === undefined) return null;
  const { text, source } = fix !== undefined ? FIXES[fix] : OPTIONS[option as keyof typeof OPTIONS];
  const way = fix !== undefined ? "--fix" : "--option";
  const [stack = "graphene-sgx"] = stacksKnowing(name);
  const known = stacksKnowing(name).join(", ");
  return told(
    `${word}: a switch (${way}): ${text} (${source}; on ${known})`,
    `eintr record lost-interrupted-error --stack ${stack} ${way} ${word}`,
    `eintr replay a.trace ${way} ${word}`,
  );
}

function aboutCase(word: string, cases: readonly Case[]): string | null {
  const found = cases.find(({ name }) => name === word);
  if (found === undefined) return null;
  return told(`${word}: a built-in case: ${found.title}`, pasted("replay", word), pasted("compare", word), pasted("scenarios", word));
}

function aboutKind(word: string, style: Paint): string | null {
  const kind = KINDS.find(({ name }) => name === word);
  if (kind === undefined) return null;
  return `a kind of transition\n${kindText(kind, style)}  eintr query a.trace "SELECT * FROM transitions WHERE kind = '${word}'"\n`;
}

function aboutColumn(word: string): string | null {
  const { tables, views } = describeSchema();
  const lines = [
    ...tables.flatMap(({ name, columns }) =>
      columns.filter((one) => one.name === word).map(({ meaning }) => `${name}.${word}: ${meaning}`),
    ),
    ...views.filter(({ columns }) => columns.includes(word)).map(({ name, meaning }) => `${name}.${word}: in the view "${meaning}"`),
  ];
  return lines.length === 0 ? null : `${word}: a column\n${lines.map((line) => `  ${line}\n`).join("")}`;
}

function aboutRecipe(word: string): string | null {
  const recipe = RECIPES.find(({ name }) => name === word);
  return recipe === undefined ? null : told(`${word}: a question in SQL: ${recipe.text}`, `eintr query a.trace "${recipe.sql}"`);
}

function aboutSignal(word: string): string | null {
  const number = /^(?:SIG)?[A-Z]+[0-9+]*[A-Z]*[0-9]*$/i.test(word) ? signalNumber(word) : 0;
  if (number === 0) return null;
  const name = signalName(number);
  const what = isSynchronous(number) ? "a fault of an instruction raises it" : "sent by kill, by a timer or from outside";
  return told(
    `${name}: signal ${number}; ${what}; without a handler Linux's default is: ${linuxDefault(number)}`,
    `eintr query a.trace "SELECT * FROM signals WHERE signal = '${name}'"`,
    "eintr explain when    # how a scenario sends one",
  );
}

function aboutError(word: string): string | null {
  const name = word.replace(/^-/, "");
  const number = errnoNumber(name);
  if (number === null) return null;
  return told(
    `-${name}: error ${-number}: a call that returns ${number} has failed so`,
    `eintr query a.trace "SELECT * FROM syscalls WHERE result = ${number}"`,
    `eintr replay a.trace    # then &, kind = app.return and value = ${number}`,
  );
}

function aboutWord(word: string): string | null {
  const found = GLOSSARY.find(([words]) => words.toLowerCase().split(", ").includes(word.toLowerCase()));
  return found === undefined ? null : told(`${found[0]}: ${found[1]}`);
}
