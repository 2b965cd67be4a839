/** `eintr man`: the manual page, made of what --help says. The build writes it to dist/eintr.1. */

import { type Argument, Command } from "commander";
import type { Io } from "../io.ts";
import { packageVersion } from "../package-root.ts";

export function manCommand(io: Io, program: Command): Command {
  return new Command("man")
    .description("print the manual page (roff)")
    .addHelpText(
      "after",
      `
It is installed with the package: man eintr.

Examples:
  eintr man > eintr.1 && man ./eintr.1
  eintr man > ~/.local/share/man/man1/eintr.1`,
    )
    .action(() => io.out(manPage(program)));
}

/** Source: man(7). A line that is not ours never begins with a dot or a quote. */
export function manPage(program: Command): string {
  const commands = [...program.commands];
  return [
    `.TH EINTR 1 "" "eintr ${text(packageVersion())}" "User commands"`,
    ".SH NAME",
    `eintr \\- ${text(firstLower(program.description()))}`,
    ".SH SYNOPSIS",
    ".B eintr",
    "\\fICOMMAND\\fR [\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...",
    ".SH DESCRIPTION",
    text(
      "eintr emulates the road of a signal through a library OS, with and without Intel SGX, or imports what a real program did; it records every transition, looks for known ways of going wrong, answers SQL, and replays the road in a terminal.",
    ),
    ".PP",
    text("Data goes to stdout, talk to stderr. Each command has --help with examples."),
    ".SH COMMANDS",
    ...commands.flatMap(commandLines),
    ".SH EXIT STATUS",
    ...definition("0", "fine"),
    ...definition("1", "findings or differences"),
    ...definition("2", "wrong use or input"),
    ...definition("70", "a bug of eintr"),
    ...definition("130", "interrupted; what was recorded stays readable"),
    ".SH ENVIRONMENT",
    ...definition("NO_COLOR", "no colour, also on a terminal"),
    ...definition("FORCE_COLOR", "colour, also in a pipe"),
    ...definition("TMPDIR", "where packed traces are unpacked, and databases are made that find no place beside their trace"),
    ".SH FILES",
    ...definition("NAME.trace/", "a trace: transitions.arrow (Arrow IPC) and trace.db (SQLite)"),
    ...definition("NAME.trace.tgz", "a packed trace (eintr pack)"),
    ...definition("NAME.case.yaml", "a case (eintr case)"),
    ".SH SEE ALSO",
    ".BR strace (1),",
    ".BR sqlite3 (1),",
    ".BR signal (7)",
    "",
  ].join("\n");
}

function commandLines(command: Command): string[] {
  const usage = [`eintr ${command.name()}`, ...command.registeredArguments.map(argumentText)].join(" ");
  return [
    `.SS "${text(usage).replaceAll('"', "\\(dq")}"`,
    text(command.description()),
    ...command.registeredArguments
      .filter(({ description }) => description !== "")
      .flatMap((one) => definition(argumentText(one), one.description)),
    ...command.options.filter(({ hidden }) => !hidden).flatMap((option) => definition(option.flags, option.description)),
  ];
}

function argumentText(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

const definition = (term: string, meaning: string): string[] => [".TP", `\\fB${text(term)}\\fR`, text(meaning)];

/** Inert in roff: backslashes and hyphens as such, no line that begins a request. */
const text = (plain: string): string =>
  plain
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll(/^(?=['.])/gm, "\\&");

const firstLower = (sentence: string): string => sentence.charAt(0).toLowerCase() + sentence.slice(1).replace(/\.$/, "");
