/** Writes a file that a user named: whole, or not at all. */

import { closeSync, openSync, rmSync, statSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { type ExportSink, writeWhole } from "../recorder/index.ts";
import { InputError, Interrupted, type Io } from "./io.ts";

/**
 * The file is whole, or it is not there. Throws InputError when it exists, unless `force`, or cannot be written; Interrupted after Ctrl-C;
 * what `write` throws.
 */
export async function toFile(io: Io, file: string, force: boolean, write: (sink: ExportSink) => Promise<void>): Promise<void> {
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

/** Runs `print` with stdout, or with a file in its place. Throws the same, and what `print` throws. */
export async function printTo(io: Io, file: string | undefined, force: boolean, print: (io: Io) => Promise<void>): Promise<void> {
  if (file === undefined) return print(io);
  await toFile(io, file, force, (out) =>
    print({
      out,
      talk: io.talk,
      color: 0,
      columns: null,
      get signal() {
        return io.signal;
      },
      get exitCode() {
        return io.exitCode;
      },
      set exitCode(code) {
        io.exitCode = code;
      },
    }),
  );
}

/** What files made of a trace are called: its name without the end. */
export const baseName = (trace: string): string => trace.replace(/(\.trace(\.tgz)?)?\/*$/, "");
