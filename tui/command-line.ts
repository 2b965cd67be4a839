/** The command line: one entry here for each command. */

import { Command, CommanderError } from "commander";
import { ExperimentError, RuleError } from "../analyzer/index.ts";
import { ScenarioError } from "../engine/index.ts";
import { StraceError } from "../recorder/importers.ts";
import { QueryError, TraceError } from "../recorder/index.ts";
import { analyzeCommand } from "./commands/analyze.ts";
import { completionCommand } from "./commands/completion.ts";
import { demoCommand } from "./commands/demo.ts";
import { explainCommand } from "./commands/explain.ts";
import { queryCommand } from "./commands/query.ts";
import { recordCommand } from "./commands/record.ts";
import { replayCommand } from "./commands/replay.ts";
import { rerunCommand } from "./commands/rerun.ts";
import { scenariosCommand } from "./commands/scenarios.ts";
import { schemaCommand } from "./commands/schema.ts";
import { showCommand } from "./commands/show.ts";
import { stackCommand } from "./commands/stack.ts";
import { guarded, InputError, type Io } from "./io.ts";
import { packageVersion } from "./package-root.ts";

const COMMANDS = [
  recordCommand,
  analyzeCommand,
  explainCommand,
  queryCommand,
  showCommand,
  replayCommand,
  rerunCommand,
  stackCommand,
  scenariosCommand,
  schemaCommand,
  demoCommand,
];

export function commandLine(io: Io): Command {
  const program = new Command("eintr")
    .description("Record and replay how signals travel through a library OS, with and without SGX.")
    .version(packageVersion())
    .showSuggestionAfterError()
    .showHelpAfterError("(eintr COMMAND --help has examples)")
    .addHelpText(
      "after",
      `
Examples:
  eintr demo                                           the tour: a read that loses its EINTR under SGX
  eintr record lost-interrupted-error --stack graphene-sgx -o a.trace
  eintr analyze a.trace
  eintr show a.trace --finding 1
  eintr replay a.trace
  eintr query a.trace "SELECT * FROM signals"
  eintr rerun a.trace --fix sgx-interrupted-code-lost

Data goes to stdout, talk to stderr. Exit codes: 0 fine, 1 findings or differences, 2 wrong use or input, 130 interrupted.`,
    );
  for (const make of COMMANDS) program.addCommand(make(io));
  program.addCommand(completionCommand(io, program));
  for (const command of [program, ...program.commands])
    command.exitOverride().configureOutput({ writeOut: (text) => void io.out(text), writeErr: io.talk });
  return program;
}

/** Errors whose message is all the user needs. Anything else is our bug and keeps its stack. */
const USER_ERRORS = [InputError, ScenarioError, TraceError, QueryError, RuleError, ExperimentError, StraceError];

/** Runs one command; says errors in words and leaves the exit code in `terminal`. `argv` without node and script. */
export async function runCommandLine(terminal: Io, argv: readonly string[]): Promise<void> {
  const io = guarded(terminal);
  try {
    await commandLine(io).parseAsync(argv, { from: "user" });
  } catch (error) {
    io.exitCode = failure(io, error);
  }
}

function failure(io: Io, error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  // Ctrl-C in a terminal also ends the process that works on the query: then that is the error, and no news.
  if (error instanceof QueryError && io.signal.aborted) return 130;
  if (error instanceof Error && USER_ERRORS.some((kind) => error instanceof kind)) {
    io.talk(`eintr: ${error.message}\n`);
    return 2;
  }
  io.talk(`eintr: this is a bug of eintr, please report it\n${error instanceof Error ? error.stack : String(error)}\n`);
  return 70;
}
