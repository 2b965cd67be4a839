/** `eintr explain`: what a rule looks for, why it matters, how to fix it. */

import { Command } from "commander";
import { findRule, RULES } from "../../analyzer/index.ts";
import type { Io } from "../io.ts";
import { explanation } from "../present/explain.ts";

export function explainCommand(io: Io): Command {
  return new Command("explain")
    .description("explain a rule of the analyzer; without an id, list them")
    .argument("[id]", "id of the rule")
    .addHelpText("after", "\nExamples:\n  eintr explain\n  eintr explain sgx-interrupted-code-lost")
    .action(async (id: string | undefined) => {
      if (id !== undefined) return io.out(explanation(findRule(id)));
      const width = Math.max(...RULES.map((rule) => rule.id.length));
      await io.out(RULES.map((rule) => `${rule.id.padEnd(width)}  ${rule.severity.padEnd(7)}  ${rule.title}\n`).join(""));
    });
}
