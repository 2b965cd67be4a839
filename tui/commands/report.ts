/** `eintr report`: a trace as one page that a colleague opens in a browser. */

import { Command } from "commander";
import { answersFor } from "../answers.ts";
import type { Io } from "../io.ts";
import { openForCommand } from "../opening.ts";
import { collectReport } from "../report/collect.ts";
import { reportHtml } from "../report/html.ts";
import { pageParts } from "../report/parts.ts";
import { baseName, toFile } from "../to-file.ts";

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
      const file = output ?? `${baseName(dir)}.html`;
      const parts = pageParts();
      const trace = await openForCommand(io, dir);
      try {
        const verdict = await answersFor(io, trace);
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
