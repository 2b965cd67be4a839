/** `eintr schema`: tables, columns and meanings of a trace's database, the kinds of transition, the form of a scenario. */

import { Command, Option } from "commander";
import { DETAILS, hint, KINDS, operationPages, scenarioJsonSchema } from "../../engine/index.ts";
import { describeSchema, schemaSql, type TableEntry } from "../../recorder/index.ts";
import { InputError, type Io } from "../io.ts";
import { scenarioFormText } from "../present/manual.ts";
import { type Paint, paint } from "../present/style.ts";

interface Options {
  kinds?: boolean;
  scenario?: boolean;
  sql?: boolean;
  format: "text" | "json";
}

export function schemaCommand(io: Io): Command {
  return new Command("schema")
    .description("print the tables and meanings of trace.db, or the form of a scenario")
    .argument("[table]", "only this table or view")
    .option("--kinds", "only the kinds of transition")
    .option("--scenario", "the form of a scenario; as JSON Schema with --format json")
    .option("--sql", "as SQL, as it stands in the database")
    .addOption(new Option("--format <name>", "text, or one JSON object").choices(["text", "json"]).default("text"))
    .addHelpText(
      "after",
      `
Examples:
  eintr schema
  eintr schema syscall
  eintr schema --kinds | grep signal
  eintr schema --sql | sqlite3 empty.db
  eintr schema --scenario
  eintr schema --scenario --format json > scenario.schema.json

An editor that knows YAML completes and checks a scenario that begins with
  # yaml-language-server: $schema=scenario.schema.json`,
    )
    .action(async (table: string | undefined, options: Options) => {
      const style = paint(io.color);
      if (options.scenario === true) {
        if (options.format === "json") return io.out(`${JSON.stringify(scenarioJsonSchema(), null, 1)}\n`);
        return io.out(scenarioFormText(operationPages(), style));
      }
      const schema = describeSchema();
      if (options.sql === true) return io.out(`${schemaSql()}\n`);
      if (options.format === "json") return io.out(`${JSON.stringify({ ...schema, kinds: KINDS })}\n`);
      if (options.kinds === true) return io.out(kindsText(style));
      if (table !== undefined) return io.out(one(table, style));
      const tables = schema.tables.map((entry) => tableText(entry, style)).join("\n");
      const views = schema.views.map((view) => `${style.strong(view.name)} (view)\n  ${view.meaning}\n`).join("\n");
      await io.out(`${tables}\n${views}\n${kindsText(style)}`);
    });
}

function one(name: string, style: Paint): string {
  const { tables, views } = describeSchema();
  const table = tables.find((entry) => entry.name === name);
  if (table !== undefined) return tableText(table, style);
  const view = views.find((entry) => entry.name === name);
  if (view !== undefined) return `${style.strong(view.name)} (view)\n  ${view.meaning}\n\n${view.select.trim()}\n`;
  const names = [...tables, ...views].map((entry) => entry.name);
  throw new InputError(`no table or view "${name}"${hint(name, names)}`);
}

function tableText(table: TableEntry, { strong, dim }: Paint): string {
  const width = Math.max(...table.columns.map((column) => column.name.length));
  const lines = table.columns.map((column) => {
    const notes = [
      column.type,
      column.key ? "key" : "",
      column.nullable ? "may be NULL" : "",
      column.references ? `-> ${column.references}` : "",
    ];
    return `  ${column.name.padEnd(width)}  ${column.meaning}${dim(`  [${notes.filter((note) => note !== "").join(", ")}]`)}`;
  });
  return `${strong(table.name)}\n  ${table.meaning}\n${lines.join("\n")}\n`;
}

function kindsText({ strong, dim }: Paint): string {
  const width = Math.max(...KINDS.map((kind) => kind.name.length));
  const lines = KINDS.map(({ name, text, value, extra }) => {
    const detail = DETAILS[name] ?? "";
    const more = [`value = ${value}`, `extra = ${extra}`, `detail = ${detail}`].filter((part) => !part.endsWith("= ")).join("; ");
    return `  ${name.padEnd(width)}  ${text}${more === "" ? "" : dim(`  [${more}]`)}`;
  });
  return `${strong("Kinds of transition")}\n${lines.join("\n")}\n`;
}
