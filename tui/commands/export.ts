/** `eintr export`: a trace as a file for other programs. */

import { Command, Option } from "commander";
import { EXPORTERS } from "../../recorder/index.ts";
import { answersFor } from "../answers.ts";
import { DOCUMENTS } from "../documents/index.ts";
import { InputError, type Io } from "../io.ts";
import { openForCommand } from "../opening.ts";
import { wholeNumber } from "../options.ts";
import { wrapCells } from "../present/two-column.ts";
import { collectReport } from "../report/collect.ts";
import { baseName, printTo, toFile } from "../to-file.ts";

interface Options {
  format: string;
  output?: string;
  force?: boolean;
  finding?: number;
}

export function exportCommand(io: Io): Command {
  return new Command("export")
    .description("write a trace in a form that other programs read")
    .argument("<trace>", "trace folder")
    .addOption(
      new Option("--format <name>", "form of the file").choices([...EXPORTERS, ...DOCUMENTS].map(({ id }) => id)).makeOptionMandatory(),
    )
    .option("-o, --output <file>", "file to write (default: stdout)")
    .option(
      "--finding <n>",
      "of mermaid and svg: the finding that is drawn (default: the first, or the first difference)",
      wholeNumber("--finding", 1),
    )
    .option("--force", "replace a file that is there")
    .addHelpText(
      "after",
      `
All transitions:
${listOf(EXPORTERS)}

What is told of them (bounded; eintr report has it as a page):
${listOf(DOCUMENTS)}

Texts are as they are in the trace, which may come from a stranger: in a
spreadsheet a cell that begins with = is computed (eintr query has --csv-safe).
The trace itself is in ordinary files, too: transitions.arrow (Arrow, numbers
instead of names) and trace.db (SQLite).

Examples:
  eintr export a.trace --format csv > rows.csv
  eintr export a.trace --format jsonl | grep SIGINT
  eintr export a.trace --format arrow -o rows.arrows
  eintr export a.trace --format parquet -o rows.parquet
  eintr export a.trace --format perfetto -o a.perfetto-trace
                                          (drop it on ui.perfetto.dev)
  eintr export a.trace --format markdown | gh issue create -F -`,
    )
    .action(async (dir: string, options: Options) => {
      const { format, output, force = false, finding } = options;
      const document = DOCUMENTS.find(({ id }) => id === format);
      if (finding !== undefined && document?.ofOneFinding !== true)
        throw new InputError(`--finding has no meaning for ${format}: it has them all`);
      const exporter = EXPORTERS.find(({ id }) => id === format);
      if (exporter?.binary === true && output === undefined)
        throw new InputError(`${format} is no text: name a file with -o, such as -o ${baseName(dir)}${exporter.extension}`);
      const trace = await openForCommand(io, dir);
      try {
        if (document !== undefined) {
          const data = await collectReport(io, trace, await answersFor(io, trace));
          const text = await document.write({ io, trace, data, finding });
          return await printTo(io, output, force, (to) => to.out(text));
        }
        if (exporter === undefined) throw new InputError(`--format: no format "${format}"`);
        if (output === undefined) return await exporter.write(trace, (piece) => io.out(String(piece)));
        await toFile(io, output, force, (sink) => exporter.write(trace, sink));
        io.talk(`${output}: ${trace.transitions.rows.toLocaleString("en")} transitions as ${format}\n`);
      } finally {
        trace.close();
      }
    });
}

const listOf = (forms: readonly { readonly id: string; readonly extension: string; readonly text: string }[]): string =>
  forms
    .flatMap(({ id, extension, text }) =>
      wrapCells(text, 53).map((line, i) => `  ${(i === 0 ? id : "").padEnd(10)}${(i === 0 ? extension : "").padEnd(16)}${line}`),
    )
    .join("\n");
