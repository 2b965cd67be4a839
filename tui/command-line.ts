/** The command line: one entry here for each command. */

import { Command, CommanderError } from "commander";
import type { BrokenLaw } from "../engine/index.ts";
import { BUG, BUG_EXIT_CODE, brokenLawText } from "./bug.ts";
import { guarded, Interrupted, type Io } from "./io.ts";
import { packageVersion } from "./package-root.ts";
import { bounded } from "./present/bounded.ts";

type Make = (io: Io, program: Command) => Command;

type Name = keyof typeof import("./commands/index.ts");
const other = (name: Name) => async (): Promise<Make> => (await import("./commands/index.ts"))[name];

/** In the order of the help. Modules are loaded when a command is called: the replay's, or those of all the others. */
const COMMANDS: Readonly<Record<Name | "replay", () => Promise<Make>>> = {
  record: other("record"),
  analyze: other("analyze"),
  diff: other("diff"),
  compare: other("compare"),
  rules: other("rules"),
  explain: other("explain"),
  query: other("query"),
  export: other("export"),
  report: other("report"),
  pack: other("pack"),
  case: other("case"),
  check: other("check"),
  show: other("show"),
  replay: async () => (await import("./commands/replay.ts")).replayCommand,
  rerun: other("rerun"),
  stack: other("stack"),
  scenarios: other("scenarios"),
  schema: other("schema"),
  demo: other("demo"),
  completion: other("completion"),
  man: other("man"),
  help: other("help"),
};

const isCommand = (name: string): name is keyof typeof COMMANDS => Object.hasOwn(COMMANDS, name);

const TELL_OF_ALL: ReadonlySet<string> = new Set(["completion", "man", "help"]);

/** The commands that this line may mean: the one it names, none for the version; all for help and completion, which tell of all. */
function wanted(argv: readonly string[]): (() => Promise<Make>)[] {
  const [first = ""] = argv;
  if (first === "--version" || first === "-V") return [];
  return !TELL_OF_ALL.has(first) && isCommand(first) ? [COMMANDS[first]] : Object.values(COMMANDS);
}

async function commandLine(io: Io, argv: readonly string[]): Promise<Command> {
  const program = new Command("eintr")
    .description("Record and replay how signals travel through a library OS, with and without SGX.")
    .version(packageVersion())
    .showSuggestionAfterError()
    .helpCommand(false)
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
  eintr query a.trace time-by-call             (where the time goes)
  eintr diff a.trace
  eintr diff lost-interrupted-error --stack graphene-sgx,gramine-sgx
  eintr rerun a.trace --fix sgx-interrupted-code-lost
  eintr compare lost-interrupted-error

Data goes to stdout, talk to stderr. Exit codes: 0 fine, 1 findings or
differences, 2 wrong use or input, 130 interrupted.`,
    );
  // What is loaded beside the command need not be waited for after it; an error is told where it is waited for.
  if (argv[0] === "replay" && process.stdout.isTTY === true) import("./replay/run.tsx").catch(() => {});
  for (const load of wanted(argv)) program.addCommand((await load())(io, program));
  for (const command of [program, ...program.commands])
    command.exitOverride().configureOutput({ writeOut: (text) => void io.out(text), writeErr: io.talk, outputError() {} });
  return program;
}

/** Runs one command; says errors in words and leaves the exit code in `terminal`. `argv` without node and script. */
export async function runCommandLine(terminal: Io, argv: readonly string[]): Promise<void> {
  const io = guarded(terminal);
  try {
    await (await commandLine(io, argv)).parseAsync(argv, { from: "user" });
  } catch (error) {
    io.exitCode = await failure(io, error, argv);
  }
}

/** By its name: the engine is loaded by commands that have a use for it. */
const isBrokenLaw = (error: unknown): error is BrokenLaw => error instanceof Error && error.name === "BrokenLaw";

/** Names of the commands that have an option. */
async function commandsWith(io: Io, option: string): Promise<string[]> {
  const { commands } = await commandLine(io, []);
  return commands.filter(({ options }) => options.some(({ long }) => long === option)).map((command) => command.name());
}

async function failure(io: Io, error: unknown, argv: readonly string[]): Promise<number> {
  if (error instanceof CommanderError) {
    const [first = ""] = argv;
    const { quotedIn, usageWords } = await import("./usage-errors.ts");
    const others = error.code === "commander.unknownOption" ? await commandsWith(io, quotedIn(error.message)) : [];
    const words = usageWords(error, isCommand(first) ? first : "", others);
    if (words !== null) io.talk(`eintr: ${bounded((await import("./user-errors.ts")).placed(words, null, argv))}\n`);
    return error.exitCode === 0 ? 0 : 2;
  }
  // Ctrl-C in a terminal also ends the process that works on the query: then that is the error, and no news.
  if (error instanceof Interrupted || (error instanceof Error && error.name === "QueryError" && io.signal.aborted)) return 130;
  const { placed, wordsFor } = await import("./user-errors.ts");
  const words = wordsFor(error);
  if (words !== null) {
    io.talk(`eintr: ${bounded(placed(words, error, argv))}\n`);
    // What was interrupted says so in its message.
    return io.signal.aborted ? 130 : 2;
  }
  if (isBrokenLaw(error)) {
    io.talk(`eintr: ${bounded(brokenLawText(error))}`);
    return BUG_EXIT_CODE;
  }
  io.talk(`eintr: ${BUG}\n${bounded((error instanceof Error ? error.stack : undefined) ?? String(error))}\n`);
  return BUG_EXIT_CODE;
}
