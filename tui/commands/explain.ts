/** `eintr explain`: a rule of the analyzer, an operation of scenarios, or what operations share. */

import { Command } from "commander";
import { findRule, RULES } from "../../analyzer/index.ts";
import { hint, PAGE_NAMES, type Page, pages } from "../../engine/index.ts";
import { InputError, type Io } from "../io.ts";
import { explanation } from "../present/explain.ts";
import { pageText } from "../present/manual.ts";
import { type Paint, paint } from "../present/style.ts";

export function explainCommand(io: Io): Command {
  return new Command("explain")
    .description("explain a rule or an operation of scenarios; without a name, list them")
    .argument("[name]", "a rule, an operation, when or results")
    .addHelpText(
      "after",
      "\nExamples:\n  eintr explain\n  eintr explain sgx-interrupted-code-lost\n  eintr explain read\n  eintr explain when",
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
  throw new InputError(`no rule and no operation "${name}"${hint(name, [...rules, ...PAGE_NAMES])} (list: eintr explain)`);
}

function list({ strong }: Paint): string {
  const table = (rows: readonly (readonly [string, string])[]): string => {
    const width = Math.max(...rows.map(([name]) => name.length));
    return rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}\n`).join("");
  };
  const rules = table(RULES.map((rule) => [rule.id, `${rule.severity.padEnd(7)}  ${rule.title}`]));
  const row = ({ name, does }: Page): [string, string] => [name, does];
  return `${strong("Rules of the analyzer")}\n${rules}\n${strong("Operations and forms of a scenario")}\n${table(pages().map(row))}`;
}
