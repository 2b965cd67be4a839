/** `eintr record`: run a case on a stack and keep every transition. */

import { Command, Option } from "commander";
import { firstOf, SEVERITIES, type Severity, type Verdict } from "../../analyzer/index.ts";
import type { FixName, OptionName, Scheduler, StackName } from "../../engine/index.ts";
import { letGo, openTrace, type Recorded } from "../../recorder/index.ts";
import { keepFindings } from "../analyzing.ts";
import { openCase, type TransitionsCase } from "../case.ts";
import { InputError, type Io } from "../io.ts";
import { judgeAndKeep } from "../judging.ts";
import { fixOption, manifestOption, noteIgnored, stackOption, timeOption, WHERE_SWITCHES_ARE, wholeNumber } from "../options.ts";
import { coverageLine } from "../present/coverage.ts";
import { pasted } from "../present/pasted.ts";
import { safe } from "../present/safe.ts";
import { followingLines, verdictLines } from "../present/verdict.ts";
import { startProgress } from "../progress.ts";
import { type AboutCase, aboutCase, recordCase, tellRecorded } from "../recording.ts";
import { namesFor, traceProgram } from "../tracing.ts";
import { type Watch, watchLive } from "../watching.ts";

/** Differences that are shown after the first. */
const SHOWN = 3;

interface Options {
  pid?: number;
  stack: StackName;
  output?: string;
  fix?: FixName[];
  option?: OptionName[];
  scheduler: Scheduler;
  seed?: number;
  rows?: number;
  time?: number;
  size?: number;
  force?: boolean;
  live?: boolean;
  until?: Severity;
  failOnDifference?: boolean;
}

export function recordCommand(io: Io): Command {
  return new Command("record")
    .description("run a case on a stack and keep every transition in a trace folder")
    .argument("[case]", "a built-in scenario (eintr scenarios), a scenario file, a log (of `strace -f -ttt -T`, or - for standard input)")
    .argument("[args...]", "after --: a program and its arguments, run under strace")
    .addOption(stackOption().default("graphene-sgx"))
    .option("-o, --output <dir>", "trace folder to make (default: NAME.trace)")
    .option("-p, --pid <pid>", "trace a process that runs, until it ends or Ctrl-C", wholeNumber("--pid", 1))
    .addOption(fixOption())
    .addOption(manifestOption())
    .addOption(
      new Option("--scheduler <name>", "scripted: as the scenario says; seeded: random thread order and signal arrivals, from the seed")
        .choices(["scripted", "seeded"])
        .default("scripted"),
    )
    .option("--seed <n>", "seed for everything random (default: the scenario's)", wholeNumber("--seed"))
    .option("--rows <n>", "at most so many transitions (default: the scenario's limit)", wholeNumber("--rows", 1))
    .option("--time <duration>", "at most so much virtual time, such as 500ms or 10s", timeOption)
    .option("--size <bytes>", "stop when transitions.arrow is so long, such as 500MB or 2GB", sizeOption)
    .option("--force", "replace a trace that is there")
    .option("--live", "analyze while recording: the first finding of each kind is told as it comes, all are kept with the trace")
    .addOption(
      new Option("--until <severity>", "with --live: stop at the first finding of at least this severity, and exit with 1").choices([
        ...SEVERITIES,
      ]),
    )
    .option("--fail-on-difference", "exit with 1 when the application fares differently than on Linux alone")
    .addHelpText(
      "after",
      `
${WHERE_SWITCHES_ARE}

Examples:
  eintr record lost-interrupted-error --stack graphene-sgx -o a.trace
  eintr record server --stack graphene-linux --rows 1_000_000
  eintr record my-case.yaml --scheduler seeded --seed 7 --force
  eintr record server --rows 10_000_000 --live --until high
  eintr record my-case.yaml --fail-on-difference && echo as on Linux
  strace -f -ttt -T -o program.strace ./program
  eintr record program.strace --stack graphene-sgx
  eintr record -- python3 program.py          # the same in one step
  eintr record -p 1234
  ssh host cat program.strace.gz | eintr record -`,
    )
    .action(async (first: string | undefined, args: string[], options: Options, command: Command) => {
      const { name, output } = await caseOf(io, [first, ...args], options, command);
      const { dir, recorded, what, watch } = await recordNamed(io, name, output, options, command);
      // The run and its program.
      letGo({ rows: recorded.end.rows });
      // Ctrl-C ends the command: eintr analyze finds the verdict of what was recorded.
      const verdict = recorded.sealed === null || io.signal.aborted ? null : await verdictOn(io, dir, watch);
      if (verdict !== null) for (const line of verdictLines(verdict)) io.talk(`${line}\n`);
      if (verdict !== null) for (const line of followingLines(verdict, SHOWN, pasted("diff", dir, "--all"))) io.talk(`${line}\n`);
      tellRecorded(io, recorded, what, options.stack);
      const coverage = what.is === "scenario" && what.real ? coverageLine(what.counters) : null;
      if (coverage !== null) io.talk(`${coverage}\n`);
      for (const { name: counted, count, severity, advice } of [...(recorded.sealed?.quality ?? []), ...(verdict?.notices ?? [])])
        if (severity !== "info") io.talk(`${severity}: ${counted}: ${count} (${advice})\n`);
      if (!io.signal.aborted) io.talk(`next: ${pasted(watch === undefined ? "analyze" : "replay", dir)}\n`);
      if (watch?.hasSeenEnough() === true) {
        io.talk(`stopped at a finding of severity ${options.until} or worse\n`);
        io.exitCode = 1;
      }
      if (options.failOnDifference === true && verdict !== null && firstOf(verdict) !== undefined) io.exitCode = 1;
      if (recorded.end.interrupted || verdict === null) io.exitCode = 130;
    });
}

interface RecordedCase {
  readonly dir: string;
  readonly recorded: Recorded;
  readonly what: AboutCase;
  readonly watch: ReturnType<typeof watchOf>;
}

/** The run's program is gone with this function: the verdict has one of its own, and those of a long log are large. */
async function recordNamed(io: Io, name: string, output: string | undefined, options: Options, command: Command): Promise<RecordedCase> {
  const what = await openCase(io, name, { rows: options.rows, time: options.time });
  if (what.is === "transitions") refuseEmulation(name, what, command);
  else noteIgnored(io, [options.stack], [...(options.fix ?? []), ...(options.option ?? [])]);
  const dir = output ?? `${what.name}.trace`;
  const progress = startProgress();
  const watch = watchOf(io, options, () => progress.end());
  const recorded = await recordCase(
    io,
    what,
    dir,
    {
      stack: options.stack,
      fixes: options.fix ?? [],
      options: options.option,
      scheduler: options.scheduler,
      seed: options.seed,
      rows: options.rows,
      bytes: options.size,
      force: options.force === true,
      watch,
    },
    progress,
  );
  return { dir, recorded, what: aboutCase(what), watch };
}

/** The case that is named; a program, or process, is traced first. */
async function caseOf(
  io: Io,
  operands: readonly (string | undefined)[],
  { pid, output, force }: Options,
  command: Command,
): Promise<{ name: string; output: string | undefined }> {
  const [name, ...more] = operands.filter((operand) => operand !== undefined);
  const isProgram = (command.parent as unknown as { readonly rawArgs: readonly string[] }).rawArgs.includes("--");
  if (pid !== undefined && name !== undefined) throw new InputError("-p traces a process that runs: it goes with no case and no program");
  if (isProgram && name === undefined) throw new InputError("nothing after --; expected a program and its arguments");
  if (pid !== undefined || isProgram) {
    const traced = pid === undefined ? { program: [name ?? "", ...more] } : { pid };
    const { dir, log } = namesFor(traced, output);
    await traceProgram(io, traced, log, force === true);
    return { name: log, output: dir };
  }
  if (name === undefined) throw new InputError("expected a case (eintr scenarios lists built-in ones), -p PID, or -- PROGRAM ARGS");
  if (more.length > 0)
    throw new InputError(`one case at a time, found ${operands.length}; a program stands after --: eintr record -- ${operands.join(" ")}`);
  return { name, output };
}

/** What happened is kept: there is nothing that could be emulated otherwise. */
function refuseEmulation(name: string, what: TransitionsCase, command: Command): void {
  const given = ["stack", "fix", "option", "scheduler", "seed"].filter((option) => command.getOptionValueSource(option) === "cli");
  if (given.length === 0) return;
  what.close();
  throw new InputError(`${name} is ${what.importer.text}: it is kept as it happened, and --${given[0]} has no meaning for it`);
}

/** Undefined without --live. `clear` takes the line of progress away. */
function watchOf(io: Io, { live, until }: Options, clear: () => void): Watch | undefined {
  if (live !== true && until !== undefined) throw new InputError("--until says when --live ends the recording: give both");
  const talk = (text: string): void => {
    clear();
    io.talk(text);
  };
  return live === true ? watchLive({ talk }, until ?? null) : undefined;
}

/** Findings of --live are kept as well. Null when Ctrl-C came first. */
async function verdictOn(io: Io, dir: string, watch: Watch | undefined): Promise<Verdict | null> {
  const trace = await openTrace(dir);
  try {
    const found = watch?.finish();
    const unkept = found === undefined || found === null ? null : keepFindings(trace, found);
    if (unkept !== null) io.talk(`findings are not kept, so that show, replay and query do not know them: ${safe(unkept)}\n`);
    return await judgeAndKeep(io, trace);
  } finally {
    trace.close();
  }
}

const SIZES: Readonly<Record<string, number>> = { "": 1, kB: 1e3, MB: 1e6, GB: 1e9 };

function sizeOption(text: string): number {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*(kB|MB|GB)?$/.exec(text) ?? [];
  if (number === "") throw new InputError(`--size: expected bytes, such as 500MB, 2GB or 1000000, found "${text}"`);
  return Number(number) * (SIZES[unit] ?? 1);
}
