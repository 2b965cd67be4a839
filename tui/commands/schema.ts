/** `eintr schema`: tables, columns and meanings of a trace's database, the kinds of transition, the form of a scenario. */

import { Command, Option } from "commander";
import { hint, KINDS, operationPages, scenarioJsonSchema } from "../../engine/index.ts";
import { describeSchema, schemaSql } from "../../recorder/index.ts";
import { InputError, type Io } from "../io.ts";
import { scenarioFormText } from "../present/manual.ts";
import { kindsText, tableNames, tableOrViewText, tableText } from "../present/schema-text.ts";
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
      if (table !== undefined) return io.out(oneTable(table, style));
      const tables = schema.tables.map((entry) => tableText(entry, style)).join("\n");
      const views = schema.views.map((view) => `${style.strong(view.name)} (view)\n  ${view.meaning}\n`).join("\n");
      await io.out(`${tables}\n${views}\n${kindsText(style)}`);
    });
}

function oneTable(name: string, style: Paint): string {
  const text = tableOrViewText(name, style);
  if (text === null) throw new InputError(`no table or view "${name}"${hint(name, tableNames())}`);
  return text;
}
