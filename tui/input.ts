/** The bytes of a file that a user named, of the files of a folder, or of our own stdin, in chunks; Ctrl-C is heard while more is waited for. */

import { closeSync, existsSync, fstatSync, readSync } from "node:fs";
import { Socket } from "node:net";
import path from "node:path";
import { addAbortSignal, type Readable } from "node:stream";
import { IMPORTERS, mergedLog, packingOf, SNIFF_BYTES, threadFiles, unpacked } from "../recorder/import/index.ts";
import { ARROW_NAME, openRegular } from "../recorder/index.ts";
import { InputError, Interrupted, type Io } from "./io.ts";

const PART_BYTES = 1024 * 1024;

export interface Input {
  /** The first bytes, by which an importer knows its files. */
  readonly start: Uint8Array;
  /** All of it from the beginning, once. Throws InputError when there is more than `most` bytes, Interrupted after Ctrl-C. */
  chunks(most: number): AsyncGenerator<Uint8Array, void>;
  /** All of it as text. Throws the same. */
  text(most: number): Promise<string>;
  close(): void;
}

/** A packed file is unpacked. Throws InputError when it cannot be read, or is no file, and ImportError. */
export async function openInput(name: string, io: Pick<Io, "signal">): Promise<Input> {
  const input = await openAsItIs(name, io);
  const packing = packingOf(input.start);
  if (packing === null) return input;
  return inputOf(name, unpacked(input.chunks(Number.POSITIVE_INFINITY), packing, name), null, () => input.close());
}

function openAsItIs(name: string, io: Pick<Io, "signal">): Promise<Input> {
  const files = threadFiles(name);
  if (files !== null) return inputOf(name, mergedLog(files), null, () => {});
  const own = ownInput(name);
  return own === null ? inputOf(name, ...fileParts(name)) : inputOf(name, streamParts(own, io.signal), null, () => own.destroy());
}

type Parts = AsyncIterator<Uint8Array, void>;

async function inputOf(name: string, parts: Parts, size: number | null, close: () => void): Promise<Input> {
  let begun: Uint8Array[] = [];
  let length = 0;
  try {
    while (length < SNIFF_BYTES) {
      const part = await parts.next();
      if (part.done === true) break;
      begun.push(part.value);
      length += part.value.length;
    }
  } catch (error) {
    close();
    throw error;
  }
  const start = Buffer.concat(begun).subarray(0, SNIFF_BYTES);

  async function* chunks(most: number): AsyncGenerator<Uint8Array, void> {
    if (size !== null && size > most) throw tooLong(name, most);
    let bytes = 0;
    const counted = (part: Uint8Array): Uint8Array => {
      bytes += part.length;
      if (bytes > most) throw tooLong(name, most);
      return part;
    };
    const first = begun;
    begun = [];
    for (const part of first) yield counted(part);
    for (let part = await parts.next(); part.done !== true; part = await parts.next()) yield counted(part.value);
  }

  return {
    start,
    chunks,
    async text(most) {
      const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
      let text = "";
      for await (const part of chunks(most)) text += decoder.decode(part, { stream: true });
      return text + decoder.decode();
    },
    close,
  };
}

const EXPECTED = (): string =>
  `, and no trace (a folder that has a transitions.arrow); expected a scenario file or ${IMPORTERS.map(({ text }) => text).join(", ")}`;

const tooLong = (name: string, most: number): InputError =>
  new InputError(`${name}: more than ${most} bytes, which is the most that is read. Cut it: head -c ${most} ${name}`);

/** Parts of a regular file, its size, and how to close it. */
function fileParts(file: string): [Parts, number, () => void] {
  const unreadable = (error: unknown): InputError =>
    new InputError(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
  try {
    const opened = openRegular(file);
    if ("is" in opened && existsSync(path.join(file, ARROW_NAME)))
      throw new InputError(
        `${file} is a trace, which was recorded already; expected a case. Traces are compared by eintr diff ${file} OTHER`,
      );
    if ("is" in opened) throw new InputError(`${file} is ${opened.is}${EXPECTED()}`);
    const { fd } = opened;
    async function* parts(): AsyncGenerator<Uint8Array, void> {
      for (;;) {
        const part = Buffer.allocUnsafe(PART_BYTES);
        let read: number;
        try {
          read = readSync(fd, part);
        } catch (error) {
          throw unreadable(error);
        }
        if (read === 0) return;
        yield part.subarray(0, read);
      }
    }
    return [parts(), fstatSync(fd).size, () => closeSync(fd)];
  } catch (error) {
    throw error instanceof InputError ? error : unreadable(error);
  }
}

async function* streamParts(input: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  try {
    for await (const part of addAbortSignal(signal, input)) yield part as Uint8Array;
  } catch (error) {
    if (signal.aborted) throw new Interrupted();
    throw error;
  }
}

/** The stream behind a name that means an open descriptor of ours and no regular file; null for any other name. */
function ownInput(name: string): Readable | null {
  const fd = name === "/dev/stdin" ? 0 : Number(/^\/(?:dev|proc\/self)\/fd\/(\d{1,6})$/.exec(name)?.[1] ?? Number.NaN);
  if (Number.isNaN(fd)) return null;
  try {
    const stat = fstatSync(fd);
    if (stat.isFile() || stat.isDirectory()) return null;
    if (fd === 0) return process.stdin;
    return stat.isFIFO() || stat.isSocket() ? new Socket({ fd, readable: true, writable: false }) : null;
  } catch {
    return null;
  }
}
