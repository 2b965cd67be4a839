/** `eintr export`: a trace as a file for other programs. */

import { Command, Option } from "commander";
import { EXPORTERS } from "../../recorder/index.ts";
import { InputError, type Io } from "../io.ts";
import { openForCommand } from "../opening.ts";
import { toFile } from "../to-file.ts";

interface Options {
  format: string;
  output?: string;
  force?: boolean;
}

export function exportCommand(io: Io): Command {
  return new Command("export")
    .description("write a trace in a form that other programs read")
    .argument("<trace>", "trace folder")
    .addOption(new Option("--format <name>", "form of the file").choices(EXPORTERS.map(({ id }) => id)).makeOptionMandatory())
    .option("-o, --output <file>", "file to write (default: stdout)")
    .option("--force", "replace a file that is there")
    .addHelpText(
      "after",
      `
Formats:
${EXPORTERS.map(({ id, extension, text }) => `  ${id.padEnd(8)}${extension.padEnd(9)}${text}`).join("\n")}

Texts are as they are in the trace, which may come from a stranger: in a
spreadsheet a cell that begins with = is computed (eintr query has --csv-safe).
The trace itself is in ordinary files, too: transitions.arrow (Arrow, numbers
instead of names) and trace.db (SQLite).

Examples:
  eintr export a.trace --format csv > rows.csv
  eintr export a.trace --format jsonl | grep SIGINT
  eintr export a.trace --format arrow -o rows.arrows
  eintr export a.trace --format chrome -o a.json    (drop it on ui.perfetto.dev)`,
    )
    .action(async (dir: string, { format, output, force }: Options) => {
      const exporter = EXPORTERS.find(({ id }) => id === format);
      if (exporter === undefined) throw new InputError(`--format: no format "${format}"`);
      if (exporter.binary && output === undefined)
        throw new InputError(
          `${format} is no text: name a file with -o, such as -o ${dir.replace(/(\.trace)?\/*$/, "")}${exporter.extension}`,
        );
      const trace = await openForCommand(io, dir);
      try {
        if (output === undefined) return await exporter.write(trace, (piece) => io.out(String(piece)));
        await toFile(io, output, force === true, (sink) => exporter.write(trace, sink));
        io.talk(`${output}: ${trace.transitions.rows.toLocaleString("en")} transitions as ${format}\n`);
      } finally {
        trace.close();
      }
    });
}
