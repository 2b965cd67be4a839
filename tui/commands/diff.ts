/** `eintr diff`: what an application would see otherwise in another run, or on Linux alone. */

import { existsSync } from "node:fs";
import path from "node:path";
import { Command, Option } from "commander";
import { compareTraces, DIFFERENCE_KINDS, firstOf, type Ignored, judgeTrace, type Verdict } from "../../analyzer/index.ts";
import { STACK_NAMES, type StackName } from "../../engine/index.ts";
import { ARROW_NAME, isPacked, type Trace } from "../../recorder/index.ts";
import { ignoredOf } from "../ignored.ts";
import { InputError, Interrupted, type Io } from "../io.ts";
import { verdictFor } from "../judging.ts";
import { openForCommand } from "../opening.ts";
import { stackNames } from "../options.ts";
import { pasted } from "../present/pasted.ts";
import { safe, safeJson } from "../present/safe.ts";
import { followingLines, verdictJson, verdictLines } from "../present/verdict.ts";
import { startProgress } from "../progress.ts";
import { openCase, recordCase } from "../recording.ts";
import { listScenarios } from "../scenarios.ts";
import { inScratch } from "../scratch.ts";

/** Differences that are shown unless all are asked for. */
const SHOWN = 10;

interface Options {
  ignore?: string[];
  all?: boolean;
  format: "text" | "json";
  stack?: StackName[];
}

export function diffCommand(io: Io): Command {
  return new Command("diff")
    .description("what the application sees otherwise in another run, or on Linux alone")
    .argument("<trace|case>", "trace folder; with --stack a case, as for eintr record")
    .argument("[other]", "trace folder to compare with (default: the same scenario on Linux alone)")
    .option(
      "--ignore <what:name>",
      "leave out call:NAME, thread:NAME or kind:NAME; may be repeated",
      (text: string, before: string[] = []) => [...before, text],
    )
    .option("--all", "all differences, also those of timing and those beyond the end of one run")
    .addOption(
      new Option(
        "--stack <names>",
        `of a case: run it on this stack, or on two of them, such as graphene-sgx,gramine-sgx (${STACK_NAMES.join(", ")})`,
      ).argParser(stackNames),
    )
    .addOption(new Option("--format <name>", "text, or one JSON object").choices(["text", "json"]).default("text"))
    .addHelpText(
      "after",
      `
Any two traces can be compared: of other scenarios, stacks, seeds, versions.
Threads are matched by name and creation, calls are aligned, ids that a run
gives out (processes, threads, descriptors) are matched. The first difference
is the first in the order of causes; others may follow from it.

Kinds of differences:
${DIFFERENCE_KINDS.map(({ name, text: meaning }) => `  ${name.padEnd(15)}${meaning}`).join("\n")}

With --stack a case is run for the time of the command: on two stacks, which are
compared with each other, or on one, which is compared with Linux alone. eintr
replay takes the same, and shows it. eintr rerun a.trace --stack NAME compares a
trace with its own run on another stack; eintr compare has all stacks.

Exit code: 0 the application sees the same, 1 it does not, 2 wrong use or input.

Examples:
  eintr diff a.trace
  eintr diff a.trace b.trace --ignore call:poll --ignore kind:handler-place
  eintr diff a.trace b.trace --all --format json
  eintr diff lost-interrupted-error --stack graphene-sgx,gramine-sgx
  eintr query a.trace "SELECT * FROM difference"`,
    )
    .action(async (dir: string, otherDir: string | undefined, options: Options) => {
      const ignored = options.ignore === undefined ? null : ignoredOf(options.ignore, "--ignore: ");
      if (options.stack !== undefined) return await onStacks(io, dir, otherDir, options.stack, ignored, options);
      if (!existsSync(dir) && listScenarios().some(({ name }) => name === dir))
        throw new InputError(
          `${dir} is a case, and no trace: ${pasted("diff", dir, "--stack", "graphene-sgx")} runs it and compares it with Linux alone, --stack graphene-sgx,gramine-sgx on two stacks`,
        );
      const trace = await openForCommand(io, dir);
      try {
        const other = otherDir === undefined ? null : await openForCommand(io, otherDir);
        const verdict = await find(io, trace, other, ignored).finally(() => other?.close());
        await tell(io, verdict, options, otherDir === undefined ? null : { one: dir, other: otherDir, there: "there" });
      } finally {
        trace.close();
      }
    });
}

/** A case, run for the time of the command. */
async function onStacks(
  io: Io,
  name: string,
  otherDir: string | undefined,
  stacks: readonly StackName[],
  ignored: Ignored | null,
  options: Options,
): Promise<void> {
  if (existsSync(path.join(name, ARROW_NAME)) || isPacked(name))
    throw new InputError(
      `--stack: ${name} is a trace and has its stack; ${pasted("rerun", name, "--stack", stacks[0] ?? "")} compares it with its own run there`,
    );
  if (otherDir !== undefined)
    throw new InputError("--stack: a case is run on two stacks, and there is no other trace: leave one of them out");
  const [, second, ...more] = stacks;
  if (more.length > 0)
    throw new InputError(`--stack: two at most are compared with each other; ${pasted("compare", name)} lays any number beside Linux`);
  const what = await openCase(io, name);
  if (what.is === "transitions")
    throw new InputError(`--stack: ${name} is shown as it happened, on no stack of ours; eintr record makes a trace of it`);
  await inScratch("diff", async (folder) => {
    const traces: Trace[] = [];
    try {
      for (const stack of stacks) {
        const dir = path.join(folder, `${stack}.trace`);
        await recordCase(io, what, dir, { stack, fixes: [], scheduler: "scripted", force: true });
        if (io.signal.aborted) throw new Interrupted();
        traces.push(await openForCommand(io, dir));
      }
      const [one, other = null] = traces;
      if (one === undefined) return;
      const verdict = await find(io, one, other, ignored);
      await tell(io, verdict, options, second === undefined ? null : { one: "", other: second, there: `on ${second}` });
      io.talk(`step through it: ${pasted("replay", name, "--stack", stacks.join(","))}\n`);
    } finally {
      for (const trace of traces) trace.close();
    }
  });
}

/** What the two runs are called; null for Linux alone. */
interface Named {
  /** "" where the verdict's own name of it says enough. */
  readonly one: string;
  readonly other: string;
  readonly there: string;
}

async function tell(io: Io, verdict: Verdict | null, options: Options, named: Named | null): Promise<void> {
  if (verdict === null) {
    io.exitCode = 130;
    return;
  }
  if (options.format === "json") await io.out(`${safeJson(verdictJson(verdict))}\n`);
  else await io.out(text(verdict, named, options.all === true));
  for (const { severity, name, advice } of verdict.notices) io.talk(`${severity}: ${name} (${advice})\n`);
  if (firstOf(verdict) !== undefined) io.exitCode = 1;
}

function text(verdict: Verdict, named: Named | null, all: boolean): string {
  const beside = named === null ? undefined : { name: named.other, there: named.there };
  const before = (name: string | undefined): string => (name === undefined || name === "" ? "" : `${safe(name)}  `);
  const [what = "", ...rest] = verdictLines(verdict, beside);
  const other = verdict.outcomes[0]?.otherText;
  const lines = [
    `${before(named?.one)}${what}`,
    ...(other === null || other === undefined ? [] : [safe(`${named?.one === "" ? "" : before(named?.other)}${verdict.other}: ${other}`)]),
    ...rest,
    ...followingLines(verdict, all ? Number.POSITIVE_INFINITY : SHOWN, "--all", beside),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** Null when it was interrupted. */
async function find(io: Io, trace: Trace, other: Trace | null, ignored: Ignored | null): Promise<Verdict | null> {
  if (other === null && ignored === null) return verdictFor(io, trace);
  const progress = startProgress();
  const patience = { signal: io.signal, onProgress: (rows: number) => progress.update("comparing", rows, null) };
  try {
    return await (other === null ? judgeTrace(trace, patience, ignored ?? {}) : compareTraces(trace, other, patience, ignored ?? {}));
  } finally {
    progress.end();
  }
}
