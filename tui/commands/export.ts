/** `eintr export`: a trace as a file for other programs. */

import { closeSync, openSync, rmSync, statSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { Command, Option } from "commander";
import { EXPORTERS, type ExportSink, writeWhole } from "../../recorder/index.ts";
import { InputError, Interrupted, type Io } from "../io.ts";
import { openForCommand } from "../opening.ts";

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

/** The file is whole, or it is not there. */
async function toFile(io: Io, file: string, force: boolean, write: (sink: ExportSink) => Promise<void>): Promise<void> {
  const before = statSync(file, { throwIfNoEntry: false });
  // A pipe, a device: written to as it is.
  const isFile = before === undefined || before.isFile();
  if (before?.isFile() === true && !force) throw new InputError(`${file} exists; --force replaces it`);
  const unwritten = (error: unknown): unknown => {
    const { code } = error as NodeJS.ErrnoException;
    return code === undefined ? error : new InputError(`${file}: cannot be written (${code})`);
  };
  let fd: number;
  try {
    fd = openSync(file, "w");
  } catch (error) {
    throw unwritten(error);
  }
  try {
    await write(async (piece) => {
      try {
        writeWhole(fd, typeof piece === "string" ? Buffer.from(piece) : piece);
      } catch (error) {
        throw unwritten(error);
      }
      await turn();
      if (io.signal.aborted) throw new Interrupted();
    });
  } catch (error) {
    if (isFile) rmSync(file, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}
