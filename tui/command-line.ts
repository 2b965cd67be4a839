/** The command line: one entry here for each command. */

import { Command, CommanderError } from "commander";
import { guarded, InputError, type Io } from "./io.ts";
import { packageVersion } from "./package-root.ts";

type Make = (io: Io, program: Command) => Command;

/** In the order of the help. A command's module is loaded when it is called, so that none pays for what the others need. */
const COMMANDS: Readonly<Record<string, () => Promise<Make>>> = {
  record: async () => (await import("./commands/record.ts")).recordCommand,
  analyze: async () => (await import("./commands/analyze.ts")).analyzeCommand,
  explain: async () => (await import("./commands/explain.ts")).explainCommand,
  query: async () => (await import("./commands/query.ts")).queryCommand,
  show: async () => (await import("./commands/show.ts")).showCommand,
  replay: async () => (await import("./commands/replay.ts")).replayCommand,
  rerun: async () => (await import("./commands/rerun.ts")).rerunCommand,
  stack: async () => (await import("./commands/stack.ts")).stackCommand,
  scenarios: async () => (await import("./commands/scenarios.ts")).scenariosCommand,
  schema: async () => (await import("./commands/schema.ts")).schemaCommand,
  demo: async () => (await import("./commands/demo.ts")).demoCommand,
  completion: async () => (await import("./commands/completion.ts")).completionCommand,
};

/** The commands that this line may mean: the one it names, none for the version; all for help and completion, which tell of all. */
function wanted(argv: readonly string[]): (() => Promise<Make>)[] {
  const [first = ""] = argv;
  if (first === "--version" || first === "-V") return [];
  const named = first === "completion" || !Object.hasOwn(COMMANDS, first) ? undefined : COMMANDS[first];
  return named === undefined ? Object.values(COMMANDS) : [named];
}

async function commandLine(io: Io, argv: readonly string[]): Promise<Command> {
  const program = new Command("eintr")
    .description("Record and replay how signals travel through a library OS, with and without SGX.")
    .version(packageVersion())
    .showSuggestionAfterError()
    .showHelpAfterError("(eintr COMMAND --help has examples)")
    .addHelpText(
      "after",
      `
Examples:
  eintr demo               (the tour: a read that loses its EINTR under SGX)
  eintr record lost-interrupted-error --stack graphene-sgx -o a.trace
  eintr analyze a.trace
  eintr show a.trace --finding 1
  eintr replay a.trace
  eintr query a.trace "SELECT * FROM signals"
  eintr rerun a.trace --fix sgx-interrupted-code-lost

Data goes to stdout, talk to stderr. Exit codes: 0 fine, 1 findings or
differences, 2 wrong use or input, 130 interrupted.`,
    );
  for (const load of wanted(argv)) program.addCommand((await load())(io, program));
  for (const command of [program, ...program.commands])
    command.exitOverride().configureOutput({ writeOut: (text) => void io.out(text), writeErr: io.talk });
  return program;
}

/** Errors whose message is all the user needs. Anything else is our bug and keeps its stack. */
async function isForTheUser(error: unknown): Promise<boolean> {
  if (error instanceof InputError) return true;
  const { ExperimentError, RuleError } = await import("../analyzer/index.ts");
  const { ScenarioError } = await import("../engine/index.ts");
  const { StraceError } = await import("../recorder/importers.ts");
  const { QueryError, TraceError } = await import("../recorder/index.ts");
  return [ScenarioError, TraceError, QueryError, RuleError, ExperimentError, StraceError].some((kind) => error instanceof kind);
}

/** Runs one command; says errors in words and leaves the exit code in `terminal`. `argv` without node and script. */
export async function runCommandLine(terminal: Io, argv: readonly string[]): Promise<void> {
  const io = guarded(terminal);
  try {
    await (await commandLine(io, argv)).parseAsync(argv, { from: "user" });
  } catch (error) {
    io.exitCode = await failure(io, error);
  }
}

async function failure(io: Io, error: unknown): Promise<number> {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  // Ctrl-C in a terminal also ends the process that works on the query: then that is the error, and no news.
  if (error instanceof Error && error.name === "QueryError" && io.signal.aborted) return 130;
  if (error instanceof Error && (await isForTheUser(error))) {
    io.talk(`eintr: ${error.message}\n`);
    // What was interrupted says so in its message.
    return io.signal.aborted ? 130 : 2;
  }
  io.talk(`eintr: this is a bug of eintr, please report it\n${error instanceof Error ? error.stack : String(error)}\n`);
  return 70;
}
