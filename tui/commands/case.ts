/** `eintr case`: a finding, or the verdict, as one small file that runs again anywhere. */

import { Command } from "commander";
import { answersFor } from "../answers.ts";
import { CASE_EXTENSION, caseText } from "../cases/form.ts";
import { findingSubject, makeCase, verdictSubject } from "../cases/make.ts";
import { InputError, type Io } from "../io.ts";
import { openForCommand } from "../opening.ts";
import { wholeNumber } from "../options.ts";
import { baseName, toFile } from "../to-file.ts";

interface Options {
  finding?: number;
  absent?: boolean;
  output?: string;
  force?: boolean;
}

export function caseCommand(io: Io): Command {
  return new Command("case")
    .description("write a finding, or the first difference, as one small file that eintr check runs again")
    .argument("<trace>", "trace folder")
    .option(
      "--finding <n>",
      "the finding (default: the first difference from Linux alone, or that there is none)",
      wholeNumber("--finding", 1),
    )
    .option("--absent", "expect that the finding is not there: for the time after it is fixed")
    .option("-o, --output <file>", `file to write (default: NAME${CASE_EXTENSION})`)
    .option("--force", "replace a file that is there")
    .addHelpText(
      "after",
      `
The file holds the scenario, the stack, the decisions and what is expected; it
is tried before it is written. A run is kept as short as the finding allows.

Examples:
  eintr case a.trace --finding 1
  eintr case a.trace --finding 1 --absent -o cases/lost-error${CASE_EXTENSION}
  eintr check cases`,
    )
    .action(async (dir: string, { finding, absent = false, output, force = false }: Options) => {
      if (absent && finding === undefined)
        throw new InputError("--absent needs --finding: it says which finding is expected not to be there");
      const file = output ?? `${baseName(dir)}${CASE_EXTENSION}`;
      const trace = await openForCommand(io, dir);
      try {
        const verdict = await answersFor(io, trace);
        const made = await makeCase(io, trace, finding === undefined ? verdictSubject(verdict) : findingSubject(trace, finding, !absent));
        const text = caseText(made);
        await toFile(io, file, force, (sink) => sink(text));
        io.talk(`${file}: ${made.title}\n${made.rows.toLocaleString("en")} transitions, ${made.decisions.length} decisions\n`);
      } finally {
        trace.close();
      }
    });
}
