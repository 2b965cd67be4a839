/** `eintr explain`: a rule of the analyzer, how a stack takes signals, an operation of scenarios, or what operations share. */

import { Command } from "commander";
import { findRule, RULES } from "../../analyzer/index.ts";
import { findStackName, hint, PAGE_NAMES, type Page, pages, STACK_NAMES, STACKS } from "../../engine/index.ts";
import { InputError, type Io } from "../io.ts";
import { explanation } from "../present/explain.ts";
import { pageText } from "../present/manual.ts";
import { mechanismText } from "../present/mechanism.ts";
import { type Paint, paint } from "../present/style.ts";

export function explainCommand(io: Io): Command {
  return new Command("explain")
    .description("explain a rule, a stack or an operation of scenarios; without a name, list them")
    .argument("[name]", "a rule, a stack, an operation, when or results")
    .addHelpText(
      "after",
      "\nExamples:\n  eintr explain\n  eintr explain sgx-interrupted-code-lost\n  eintr explain graphene-sgx\n  eintr explain read\n  eintr explain when",
    )
    .action(async (name: string | undefined) => {
      const style = paint(io.color);
      await io.out(name === undefined ? list(style) : explain(name, style));
    });
}

function explain(name: string, style: Paint): string {
  const page = pages().find((known) => known.name === name);
  if (page !== undefined) return pageText(page, style);
  const rules = RULES.map((rule) => rule.id);
  if (rules.includes(name)) return explanation(findRule(name));
  const stack = findStackName(name);
  if (stack !== undefined) return mechanismText(stack, STACKS[stack], style);
  const known = [...rules, ...STACK_NAMES, ...PAGE_NAMES];
  throw new InputError(`no rule, no stack and no operation "${name}"${hint(name, known)} (list: eintr explain)`);
}

function list({ strong }: Paint): string {
  const table = (rows: readonly (readonly [string, string])[]): string => {
    const width = Math.max(...rows.map(([name]) => name.length));
    return rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}\n`).join("");
  };
  const rules = table(RULES.map((rule) => [rule.id, `${rule.severity.padEnd(7)}  ${rule.title}`]));
  const row = ({ name, does }: Page): [string, string] => [name, does];
  const stacks = table(STACK_NAMES.map((name) => [name, STACKS[name].text]));
  return `${strong("Rules of the analyzer")}\n${rules}\n${strong("Stacks: how they take signals")}\n${stacks}\n${strong("Operations and forms of a scenario")}\n${table(pages().map(row))}`;
}
