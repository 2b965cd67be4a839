/** `eintr diff`: what an application would see otherwise in another run, or on Linux alone. */

import { Command, Option } from "commander";
import { compareTraces, DIFFERENCE_KINDS, firstOf, type Ignored, judgeTrace, type Verdict } from "../../analyzer/index.ts";
import type { Trace } from "../../recorder/index.ts";
import { ignoredOf } from "../ignored.ts";
import type { Io } from "../io.ts";
import { verdictFor } from "../judging.ts";
import { openForCommand } from "../opening.ts";
import { safe, safeJson } from "../present/safe.ts";
import { followingLines, verdictJson, verdictLines } from "../present/verdict.ts";
import { startProgress } from "../progress.ts";

/** Differences that are shown unless all are asked for. */
const SHOWN = 10;

interface Options {
  ignore?: string[];
  all?: boolean;
  format: "text" | "json";
}

export function diffCommand(io: Io): Command {
  return new Command("diff")
    .description("what the application sees otherwise in another run, or on Linux alone")
    .argument("<trace>", "trace folder")
    .argument("[other-trace]", "trace folder to compare with (default: the same scenario on Linux alone)")
    .option(
      "--ignore <what:name>",
      "leave out call:NAME, thread:NAME or kind:NAME; may be repeated",
      (text: string, before: string[] = []) => [...before, text],
    )
    .option("--all", "all differences, also those of timing and those beyond the end of one run")
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

For a case on two stacks, record it twice; eintr rerun a.trace --stack NAME
compares a trace with its own run on another stack.

Exit code: 0 the application sees the same, 1 it does not, 2 wrong use or input.

Examples:
  eintr diff a.trace
  eintr diff a.trace b.trace --ignore call:poll --ignore kind:handler-place
  eintr diff a.trace b.trace --all --format json
  eintr query a.trace "SELECT * FROM difference"`,
    )
    .action(async (dir: string, otherDir: string | undefined, options: Options) => {
      const ignored = ignoredOf(options.ignore ?? [], "--ignore: ");
      const trace = await openForCommand(io, dir);
      try {
        const verdict = await find(io, trace, otherDir, options.ignore === undefined ? null : ignored);
        if (verdict === null) {
          io.exitCode = 130;
          return;
        }
        if (options.format === "json") await io.out(`${safeJson(verdictJson(verdict))}\n`);
        else await io.out(text(verdict, dir, otherDir, options.all === true));
        for (const { severity, name, advice } of verdict.notices) io.talk(`${severity}: ${name} (${advice})\n`);
        if (firstOf(verdict) !== undefined) io.exitCode = 1;
      } finally {
        trace.close();
      }
    });
}

function text(verdict: Verdict, dir: string, otherDir: string | undefined, all: boolean): string {
  const beside = otherDir === undefined ? undefined : { name: otherDir, there: "there" };
  const [what = "", ...rest] = verdictLines(verdict, beside);
  const other = verdict.outcomes[0]?.otherText;
  const lines = [
    otherDir === undefined ? what : `${safe(dir)}  ${what}`,
    ...(other === null || other === undefined ? [] : [safe(`${otherDir === undefined ? "" : `${otherDir}  `}${verdict.other}: ${other}`)]),
    ...rest,
    ...followingLines(verdict, all ? Number.POSITIVE_INFINITY : SHOWN, "--all", beside),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** Null when it was interrupted. */
async function find(io: Io, trace: Trace, otherDir: string | undefined, ignored: Ignored | null): Promise<Verdict | null> {
  if (otherDir === undefined && ignored === null) return verdictFor(io, trace);
  const other = otherDir === undefined ? null : await openForCommand(io, otherDir);
  const progress = startProgress();
  const patience = { signal: io.signal, onProgress: (rows: number) => progress.update("comparing", rows, null) };
  try {
    return await (other === null ? judgeTrace(trace, patience, ignored ?? {}) : compareTraces(trace, other, patience, ignored ?? {}));
  } finally {
    progress.end();
    other?.close();
  }
}
