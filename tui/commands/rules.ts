/** `eintr rules`: the entries of the catalogue, by generation, layer and severity. */

import { Command, Option } from "commander";
import { GENERATIONS, SEVERITIES } from "../../analyzer/index.ts";
import { LAYERS } from "../../engine/index.ts";
import type { Io } from "../io.ts";
import { type Choice, catalogue, catalogueText, entryJson } from "../present/catalogue.ts";
import { safeJson } from "../present/safe.ts";
import { paint } from "../present/style.ts";

export function rulesCommand(io: Io): Command {
  return new Command("rules")
    .description("list what is known to go wrong, by generation and severity")
    .addOption(new Option("--layer <name>", "only entries of this layer").choices([...LAYERS]))
    .addOption(
      new Option("--generation <name>", "only entries of this generation of a library OS; any: the general ones").choices([...GENERATIONS]),
    )
    .addOption(new Option("--severity <name>", "only entries of this severity").choices([...SEVERITIES]))
    .addOption(new Option("--format <name>", "text, or one JSON object a line").choices(["text", "json"]).default("text"))
    .addHelpText(
      "after",
      `
Examples:
  eintr rules
  eintr rules --layer libos --severity high
  eintr rules --generation any
  eintr explain eintr-missed`,
    )
    .action(async ({ format, ...choice }: Choice & { format: "text" | "json" }) => {
      const entries = catalogue(choice);
      if (format === "json") for (const entry of entries) await io.out(`${safeJson(entryJson(entry))}\n`);
      else await io.out(entries.length === 0 ? "no entry is like that\n" : catalogueText(entries, paint(io.color)));
    });
}
