/** `eintr explain`: an entry of the catalogue, how a stack takes signals, an operation of scenarios, or what operations share. */

import { Command, Option } from "commander";
import { findEntry } from "../../analyzer/catalogue.ts";
import { hint, type Page, pages, STACK_NAMES, STACKS } from "../../engine/index.ts";
import { InputError, type Io } from "../io.ts";
import { catalogue, catalogueMarkdown, catalogueText } from "../present/catalogue.ts";
import { exampleText } from "../present/explain.ts";
import { explained, explainedNames } from "../present/explained.ts";
import { type Paint, paint } from "../present/style.ts";

interface Options {
  example?: boolean;
  format: "text" | "markdown";
}

export function explainCommand(io: Io): Command {
  return new Command("explain")
    .description("explain a rule, a stack or an operation of scenarios; without a name, list them")
    .argument("[name]", "a rule, a stack, an operation, when or results")
    .option("--example", "of a rule: print its first example as a scenario file")
    .addOption(
      new Option("--format <name>", "text; markdown: pages as a document, without a name the whole catalogue")
        .choices(["text", "markdown"])
        .default("text"),
    )
    .addHelpText(
      "after",
      `
Examples:
  eintr explain
  eintr explain sgx-interrupted-code-lost
  eintr explain eintr-becomes-timeout --example > example.yaml
  eintr explain --format markdown > catalogue.md
  eintr explain graphene-sgx
  eintr explain read
  eintr explain when`,
    )
    .action(async (name: string | undefined, { example, format }: Options) => {
      const style = paint(io.color);
      if (example === true) return io.out(exampleOf(name));
      if (format === "markdown") return io.out(markdown(name));
      await io.out(name === undefined ? list(style) : explain(name, style));
    });
}

function explain(name: string, style: Paint): string {
  const text = explained(name, style);
  if (text !== null) return text;
  throw new InputError(`no rule, no stack and no operation "${name}"${hint(name, explainedNames())} (list: eintr explain)`);
}

function exampleOf(name: string | undefined): string {
  const entry = name === undefined ? undefined : findEntry(name);
  if (entry === undefined || !("invalid" in entry)) throw new InputError("--example wants the name of a rule (list: eintr rules)");
  const [{ scenario }] = entry.invalid;
  const text = exampleText(entry);
  if (text !== null) return text;
  if (typeof scenario === "string")
    throw new InputError(`the first example of ${entry.id} is a built-in scenario: eintr scenarios ${scenario}`);
  throw new InputError(`the first example of ${entry.id} is a trace made by hand: no stack of today does it`);
}

function markdown(name: string | undefined): string {
  if (name === undefined) return catalogueMarkdown(catalogue());
  const entry = findEntry(name);
  if (entry === undefined) throw new InputError(`--format markdown is for entries of the catalogue; "${name}" is none (list: eintr rules)`);
  return catalogueMarkdown([entry]);
}

function list(style: Paint): string {
  const table = (rows: readonly (readonly [string, string])[]): string => {
    const width = Math.max(...rows.map(([name]) => name.length));
    return rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}\n`).join("");
  };
  const row = ({ name, does }: Page): [string, string] => [name, does];
  const stacks = table(STACK_NAMES.map((name) => [name, STACKS[name].text]));
  return `${catalogueText(catalogue(), style)}\n${style.strong("Stacks: how they take signals")}\n${stacks}\n${style.strong("Operations and forms of a scenario")}\n${table(pages().map(row))}`;
}
