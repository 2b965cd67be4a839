/** `eintr help`: the help of a command, or what a word means, whatever it is the name of. */

import { Command } from "commander";
import { hint, parseScenario } from "../../engine/index.ts";
import { InputError, type Io } from "../io.ts";
import { paint } from "../present/style.ts";
import { type Case, knownWords, meanings, mentions } from "../present/words.ts";
import { listScenarios } from "../scenarios.ts";

export function helpCommand(io: Io, program: Command): Command {
  return new Command("help")
    .description("help for a command, or what a word means: a rule, stack, fix, case, table, column, kind, signal, error")
    .argument("[word]", "a command, or any name that eintr knows")
    .addHelpText(
      "after",
      `
Examples:
  eintr help record
  eintr help SIGINT
  eintr help -- -EINTR
  eintr help CSSA
  eintr help syscalls
  eintr help time          # questions and names in which the word stands
  eintr help app.return`,
    )
    .action(async (word: string | undefined) => {
      if (word === undefined) return program.outputHelp();
      const command = program.commands.find((one) => one.name() === word || `${one.name()}s` === word);
      if (command !== undefined) return command.outputHelp();
      const found = meanings(word, cases(), paint(io.color));
      const also = mentions(word, cases());
      if (found.length > 0 || also !== null) return io.out([...found, ...(also === null ? [] : [also])].join("\n"));
      const known = [...program.commands.map((one) => one.name()), ...knownWords(cases())];
      throw new InputError(`no command and no name "${word}"${hint(word, known)} (eintr --help, eintr explain and eintr schema list them)`);
    });
}

const cases = (): Case[] => listScenarios().map(({ name, text, file }) => ({ name, title: parseScenario(text, file).title }));
