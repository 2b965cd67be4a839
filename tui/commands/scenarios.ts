/** `eintr scenarios`: the built-in cases. */

import { Command, Option } from "commander";
import { parseScenario } from "../../engine/index.ts";
import type { Io } from "../io.ts";
import { wrapCells } from "../present/two-column.ts";
import { findScenario, listScenarios } from "../scenarios.ts";

interface Options {
  format: "text" | "names" | "json";
}

export function scenariosCommand(io: Io): Command {
  return new Command("scenarios")
    .description("list the built-in scenarios with a line each, or print one")
    .argument("[name]", "print this one's YAML, to begin your own from")
    .addOption(new Option("--format <name>", "form of the list").choices(["text", "names", "json"]).default("text"))
    .addHelpText(
      "after",
      `
Examples:
  eintr scenarios
  eintr scenarios lost-interrupted-error > my-case.yaml
  eintr record my-case.yaml`,
    )
    .action(async (name: string | undefined, { format }: Options) => {
      if (name !== undefined) return io.out(findScenario(name).text);
      const files = listScenarios();
      // A shell asks for the names at each Tab.
      if (format === "names") return io.out(files.map((file) => `${file.name}\n`).join(""));
      const all = files.map(({ name: known, text, file }) => ({ ...parseScenario(text, file), name: known }));
      if (format === "json")
        return io.out(
          all.map(({ name: known, title, source, about }) => `${JSON.stringify({ name: known, title, source, about })}\n`).join(""),
        );
      const width = Math.max(...all.map((scenario) => scenario.name.length));
      const room = Math.max(20, (io.columns ?? Number.POSITIVE_INFINITY) - width - 2);
      const lines = (name: string, title: string): string =>
        wrapCells(title, room)
          .map((line, i) => `${(i === 0 ? name : "").padEnd(width)}  ${line}\n`)
          .join("");
      await io.out(all.map(({ name: known, title }) => lines(known, title)).join(""));
      io.talk("\none of them: eintr record NAME; its text: eintr scenarios NAME\n");
    });
}
