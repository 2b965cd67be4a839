/** `eintr demo` (`npm start`): the tour. Records, analyzes and shows, through the same code as the single commands. */

import { Command } from "commander";
import { analyzeAndKeep } from "../analyzing.ts";
import { builtInCase } from "../case.ts";
import { InputError, type Io } from "../io.ts";
import { judgeAndKeep } from "../judging.ts";
import { openForCommand } from "../opening.ts";
import { findingsText } from "../present/findings.ts";
import { pasted } from "../present/pasted.ts";
import { paint } from "../present/style.ts";
import { PLAIN_WIDTH } from "../present/two-column.ts";
import { verdictLines } from "../present/verdict.ts";
import { recordCase, tellRecorded } from "../recording.ts";
import { draw } from "../showing.ts";
import { stretchOfFinding } from "../stretch.ts";

/** Nobody else calls a trace this: the tour may replace it. */
const DIR = "eintr-demo.trace";
const SCENARIO = "lost-interrupted-error";
const STACK = "graphene-sgx";
const FIX = "sgx-interrupted-code-lost";
/** To be pasted: in a checkout there is no `eintr` in the shell. */
const MOST_ROWS = 500;

export function demoCommand(io: Io): Command {
  return new Command("demo")
    .description("the tour: record a read that loses its EINTR under SGX, find out, look at it")
    .option("-o, --output <dir>", "trace folder to make", DIR)
    .option("--force", `replace a trace that is there (${DIR} is replaced anyway)`)
    .addHelpText("after", "\nExamples:\n  eintr demo\n  eintr demo -o tour.trace\n  npm start")
    .action(async ({ output: dir, force: forced }: { output: string; force?: boolean }) => {
      const what = builtInCase(SCENARIO);
      const force = forced === true || dir === DIR;
      io.talk(`${what.scenario.title}\n\n$ eintr record ${SCENARIO} --stack ${STACK} -o ${dir}${force ? " --force" : ""}\n`);
      const recorded = await recordCase(io, what, dir, { stack: STACK, fixes: [], scheduler: "scripted", force });
      const trace = await openForCommand(io, dir);
      try {
        const verdict = await judgeAndKeep(io, trace);
        for (const line of verdict === null ? [] : verdictLines(verdict)) io.talk(`${line}\n`);
        tellRecorded(io, recorded, what, STACK);
        io.talk(`\n$ eintr analyze ${dir}\n`);
        const analyzed = verdict === null ? null : await analyzeAndKeep(io, trace);
        if (analyzed === null) {
          io.exitCode = 130;
          return;
        }
        if (analyzed.unkept !== null) throw new InputError(analyzed.unkept);
        await io.out(`${findingsText(dir, analyzed.result, trace.threads, paint(io.color), io.columns)}\n`);
        io.talk(`$ eintr show ${dir} --finding 1\n`);
        const width = Math.max(io.columns ?? PLAIN_WIDTH, 80);
        await draw(io, trace, { ...stretchOfFinding(trace, 1), width, most: MOST_ROWS, all: false, ascii: false });
      } finally {
        trace.close();
      }
      io.talk(`\nTry next:\n${tryNext(dir)}`);
    });
}

function tryNext(dir: string): string {
  const lines = [
    [pasted("replay", dir, "--finding", 1), "the same in a terminal app: step through it, forward and back"],
    [pasted("rerun", dir, "--fix", FIX), "what the fix changes"],
    [pasted("rerun", dir, "--stack", "native-linux"), "what Linux alone would have done"],
    [`${pasted("query", dir)} "SELECT * FROM signals"`, "the path of each signal, in SQL"],
    [pasted("explain", FIX), "why it matters, how it was fixed"],
    [pasted("scenarios"), "more cases"],
  ] as const;
  return lines.map(([command, why]) => `  ${command}\n      ${why}\n`).join("");
}
