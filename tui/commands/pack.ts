/** `eintr pack`: a trace as one compressed file. */

import { Command } from "commander";
import { isPacked, PACK_EXTENSION, packTrace } from "../../recorder/index.ts";
import { InputError, Interrupted, type Io } from "../io.ts";
import { openForCommand } from "../opening.ts";
import { startProgress } from "../progress.ts";
import { baseName, toFile } from "../to-file.ts";

interface Options {
  output?: string;
  force?: boolean;
}

export function packCommand(io: Io): Command {
  return new Command("pack")
    .description("pack a trace into one compressed file, which every command takes like a trace")
    .argument("<trace>", "trace folder")
    .option("-o, --output <file>", `file to write (default: NAME${PACK_EXTENSION})`)
    .option("--force", "replace a file that is there")
    .addHelpText(
      "after",
      `
The file holds the rows; verdict, findings and database are made again where it
is opened. It is an ordinary archive: tar xzf a${PACK_EXTENSION} gives the folder.
A packed trace is unpacked for each command: for many questions unpack it once.

Examples:
  eintr pack a.trace
  eintr analyze a${PACK_EXTENSION}
  eintr replay a${PACK_EXTENSION}`,
    )
    .action(async (dir: string, { output, force = false }: Options) => {
      if (isPacked(dir)) throw new InputError(`${dir} is packed already`);
      const file = output ?? `${baseName(dir)}${PACK_EXTENSION}`;
      // Only a trace is packed.
      const trace = await openForCommand(io, dir);
      trace.close();
      const progress = startProgress();
      let bytes = 0;
      try {
        await toFile(io, file, force, async (sink) => {
          const whole = await packTrace(
            dir,
            async (piece) => {
              bytes += piece.length;
              await sink(piece);
            },
            { signal: io.signal, onProgress: (done, total) => progress.update("packing", done, total) },
          );
          if (!whole) throw new Interrupted();
        });
      } finally {
        progress.end();
      }
      io.talk(`${file}: ${trace.transitions.rows.toLocaleString("en")} transitions in ${(bytes / 1e6).toFixed(2)} MB\n`);
    });
}
