/** `eintr report`: a trace as one page that a colleague opens in a browser. */

import { Command } from "commander";
import { allRulesRan, analyzeAndKeep } from "../analyzing.ts";
import { InputError, Interrupted, type Io } from "../io.ts";
import { verdictFor } from "../judging.ts";
import { openForCommand } from "../opening.ts";
import { collectReport } from "../report/collect.ts";
import { reportHtml } from "../report/html.ts";
import { pageParts } from "../report/parts.ts";
import { toFile } from "../to-file.ts";

interface Options {
  output?: string;
  force?: boolean;
}

export function reportCommand(io: Io): Command {
  return new Command("report")
    .description("write a trace as one HTML page: verdict, findings, signals, lanes; for an issue or a colleague")
    .argument("<trace>", "trace folder")
    .option("-o, --output <file>", "file to write (default: NAME.html)")
    .option("--force", "replace a file that is there")
    .addHelpText(
      "after",
      `
The page is one file that needs no network and runs in any browser of today. It
has the verdict, each finding with its two-column diagram, what the application
saw otherwise than on Linux, the road of each signal, and the threads over time.
A long trace is cut to what its findings need; the page says what is left out.

Examples:
  eintr report a.trace -o report.html
  eintr report a.trace --force`,
    )
    .action(async (dir: string, { output, force }: Options) => {
      const file = output ?? `${dir.replace(/(\.trace)?\/*$/, "")}.html`;
      const parts = pageParts();
      const trace = await openForCommand(io, dir);
      try {
        if (trace.transitions.rows === 0) throw new InputError(`${dir}: there are no transitions`);
        const verdict = await verdictFor(io, trace);
        const analyzed = verdict === null ? null : allRulesRan(trace) ? { unkept: null } : await analyzeAndKeep(io, trace);
        if (verdict === null || analyzed === null) throw new Interrupted();
        if (analyzed.unkept !== null) throw new InputError(analyzed.unkept);
        const data = await collectReport(io, trace, verdict);
        const text = reportHtml(data, parts);
        await toFile(io, file, force === true, (sink) => sink(text));
        io.talk(`${file}: ${(text.length / 1e6).toFixed(2)} MB, open it in a browser\n`);
        for (const cut of data.cuts) io.talk(`${cut}\n`);
      } finally {
        trace.close();
      }
    });
}
