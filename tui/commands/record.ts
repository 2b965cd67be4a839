/** `eintr record`: run a case on a stack and keep every transition. */

import { Command, Option } from "commander";
import { DURATION_WORDS, duration, type FixName, type Scheduler, type StackName } from "../../engine/index.ts";
import { openCaseGently } from "../case.ts";
import { InputError, type Io } from "../io.ts";
import { openForCommand } from "../opening.ts";
import { fixList, fixOption, stackOption, wholeNumber } from "../options.ts";
import { tellDifferences } from "../present/differences.ts";
import { recordCase, tellRecorded } from "../recording.ts";

interface Options {
  stack: StackName;
  output?: string;
  fix?: FixName[];
  scheduler: Scheduler;
  seed?: number;
  rows?: number;
  time?: number;
  force?: boolean;
}

export function recordCommand(io: Io): Command {
  return new Command("record")
    .description("run a case on a stack and keep every transition in a trace folder")
    .argument("<case>", "a built-in scenario (eintr scenarios), a scenario file, or a log of `strace -f -ttt -T`")
    .addOption(stackOption().default("graphene-sgx"))
    .option("-o, --output <dir>", "trace folder to make (default: NAME.trace)")
    .addOption(fixOption())
    .addOption(
      new Option("--scheduler <name>", "scripted: as the scenario says; seeded: random thread order and signal arrivals, from the seed")
        .choices(["scripted", "seeded"])
        .default("scripted"),
    )
    .option("--seed <n>", "seed for everything random (default: the scenario's)", wholeNumber("--seed"))
    .option("--rows <n>", "at most so many transitions (default: the scenario's limit)", wholeNumber("--rows", 1))
    .option("--time <duration>", "at most so much virtual time, such as 500ms or 10s", timeOption)
    .option("--force", "replace a trace that is there")
    .addHelpText(
      "after",
      `
${fixList()}

Examples:
  eintr record lost-interrupted-error --stack graphene-sgx -o a.trace
  eintr record server --stack graphene-linux --rows 1_000_000
  eintr record my-case.yaml --scheduler seeded --seed 7 --force
  strace -f -ttt -T -o program.strace ./program
  eintr record program.strace --stack graphene-sgx`,
    )
    .action(async (name: string, options: Options) => {
      const what = await openCaseGently(io, name, { rows: options.rows, time: options.time });
      const dir = options.output ?? `${what.name}.trace`;
      const recorded = await recordCase(io, what, dir, {
        stack: options.stack,
        fixes: options.fix ?? [],
        scheduler: options.scheduler,
        seed: options.seed,
        rows: options.rows,
        force: options.force === true,
      });
      tellRecorded(io, recorded, options.stack);
      if (recorded.end.interrupted || recorded.sealed === null) io.exitCode = 130;
      for (const { name: counted, count, severity, advice } of recorded.sealed?.quality ?? [])
        if (severity !== "info") io.talk(`${severity}: ${counted}: ${count} (${advice})\n`);
      if (io.signal.aborted) return;
      const trace = await openForCommand(io, dir);
      tellDifferences(io, trace);
      trace.close();
      io.talk(`next: eintr analyze ${dir}\n`);
    });
}

function timeOption(text: string): number {
  const parsed = duration.safeParse(text);
  if (!parsed.success) throw new InputError(`--time: expected ${DURATION_WORDS}, found "${text}"`);
  return parsed.data;
}
