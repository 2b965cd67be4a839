/**
 * A trace as one compressed file: a tar archive with `NAME.trace/transitions.arrow` in it, gzipped (`NAME.trace.tgz`). Any tar unpacks it;
 * `openTrace` opens it as it is. The database is left out: it is several times larger when packed, and it is made again from the rows.
 *
 * Files of strangers are unpacked with bounds: one file of rows, of a size that is said first and fits the disk; nothing else is written,
 * and names in the archive name nothing here.
 */

import { once } from "node:events";
import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip, gunzipSync } from "node:zlib";
import { errorCode, errorText, isFileError, isFullDisk, TraceError } from "../format/errors.ts";
import { openRegular, writeWhole } from "../format/files.ts";
import { ARROW_NAME } from "../format/metadata.ts";
import { paddingOf, readTarHeader, TAR_BLOCK, type TarEntry, tarHeader } from "./tar.ts";

/** How a packed trace's name ends. */
export const PACK_EXTENSION = ".trace.tgz";

/** Rows of a packed trace that are unpacked for a command; larger ones are unpacked by hand. */
export const MOST_UNPACKED = 16 * 2 ** 30;
/** Members of an archive that are looked at. */
const MOST_MEMBERS = 16;
const PART_BYTES = 1 << 20;
/** The header of the first member is in so many bytes of the compressed file. */
const HEAD_BYTES = 4096;
const GZIP = [0x1f, 0x8b] as const;

export interface PackOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Packs the rows of `dir` as they are now; each piece of the file is handed to `sink`. False when `signal` was aborted. Throws TraceError,
 * and what the sink throws.
 */
export async function packTrace(
  dir: string,
  sink: (piece: Uint8Array) => Promise<void>,
  { signal, onProgress }: PackOptions = {},
): Promise<boolean> {
  const file = path.join(dir, ARROW_NAME);
  const fd = openFile(file);
  const gzip = createGzip();
  try {
    const { size, mtimeMs } = fs.fstatSync(fd);
    const taken = drain(gzip, sink);
    // Told by `taken`; here it would be an error that nobody waits for.
    taken.catch(() => {});
    const put = async (bytes: Uint8Array): Promise<void> => {
      if (!gzip.write(bytes)) await Promise.race([once(gzip, "drain"), taken]);
    };
    await put(tarHeader(`${memberFolder(dir)}/${ARROW_NAME}`, size, mtimeMs / 1000));
    for (let done = 0; done < size; ) {
      if (signal?.aborted === true) return false;
      const part = Buffer.allocUnsafe(Math.min(PART_BYTES, size - done));
      const read = fs.readSync(fd, part, 0, part.length, done);
      if (read === 0) throw new TraceError(file, `byte ${done}`, "the file became shorter while it was packed", "Pack it again");
      await put(part.subarray(0, read));
      done += read;
      onProgress?.(done, size);
    }
    await put(Buffer.alloc(paddingOf(size) + 2 * TAR_BLOCK));
    gzip.end();
    await taken;
    return true;
  } finally {
    gzip.destroy();
    fs.closeSync(fd);
  }
}

async function drain(from: Readable, sink: (piece: Uint8Array) => Promise<void>): Promise<void> {
  for await (const piece of from) await sink(piece as Uint8Array);
}

/** What the folder is called that tar makes. */
function memberFolder(dir: string): string {
  const name = path
    .basename(path.resolve(dir))
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[.-]+/, "");
  return (name === "" ? "a.trace" : name).slice(0, 80);
}

function openFile(file: string): number {
  try {
    const opened = openRegular(file);
    if ("fd" in opened) return opened.fd;
    throw new TraceError(file, "", `this is ${opened.is}, expected a regular file`, "Give the folder of a recorded trace (NAME.trace)");
  } catch (error) {
    if (error instanceof TraceError) throw error;
    throw new TraceError(file, "", `cannot be opened (${errorText(error)})`, "Give the folder of a recorded trace (NAME.trace)");
  }
}

/** Whether the path is a file that `packTrace` may have made: gzip, and in it a tar archive. Other packed files are something else. */
export function isPacked(file: string): boolean {
  try {
    if (fs.statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return false;
    const head = readHead(file);
    if (GZIP.some((byte, i) => head[i] !== byte)) return false;
    // 2: Z_SYNC_FLUSH, so that a file that goes on is no error.
    const start = gunzipSync(head, { finishFlush: 2 });
    return start.length >= TAR_BLOCK && readTarHeader(start.subarray(0, TAR_BLOCK)) !== null;
  } catch {
    return false;
  }
}

function readHead(file: string): Buffer {
  const fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    return head.subarray(0, fs.readSync(fd, head, 0, HEAD_BYTES, 0));
  } finally {
    fs.closeSync(fd);
  }
}

export interface Unpacked {
  /** A trace folder in the temporary folder, that nobody else may enter. */
  readonly dir: string;
  remove(): void;
}

/** Unpacks into a folder of its own, which is removed at the latest when the process ends. Null when `signal` was aborted. Throws TraceError. */
export async function unpackTrace(file: string, { signal, onProgress }: PackOptions = {}): Promise<Unpacked | null> {
  const dir = fs.mkdtempSync(path.join(tmpdir(), "eintr-unpacked-"));
  const remove = (): void => {
    process.off("exit", remove);
    fs.rmSync(dir, { recursive: true, force: true });
  };
  process.once("exit", remove);
  const fd = openFile(file);
  const total = fs.fstatSync(fd).size;
  let read = 0;
  const from = fs.createReadStream("", { fd, highWaterMark: PART_BYTES });
  from.on("data", (part) => onProgress?.((read += part.length), total));
  const members = membersInto(path.join(dir, ARROW_NAME), dir);
  try {
    await pipeline(from, createGunzip(), members.stream, signal === undefined ? {} : { signal });
    members.finish();
    return { dir, remove };
  } catch (error) {
    remove();
    if (signal?.aborted === true) return null;
    throw unpackError(file, error);
  } finally {
    members.close();
  }
}

const BY_HAND = "Look into it with: tar tvzf FILE; a trace folder in it can be given to every command after: tar xzf FILE";

function unpackError(file: string, error: unknown): unknown {
  const code = errorCode(error);
  if (error instanceof NotPacked) return new TraceError(file, "", `it is no packed trace: ${error.message}`, BY_HAND);
  if (code.startsWith("Z_")) return new TraceError(file, "", `it is cut off or damaged (${code})`, "Ask for another copy");
  if (isFullDisk(code))
    return new TraceError(file, "", `there is no room for it in ${tmpdir()} (${code})`, "Set TMPDIR to a place with more room");
  if (isFileError(code)) return new TraceError(file, "", `it cannot be unpacked in ${tmpdir()} (${code})`, "Set TMPDIR to another place");
  return error;
}

class NotPacked extends Error {}

interface Members {
  readonly stream: Writable;
  /** All was there. Throws NotPacked. */
  finish(): void;
  close(): void;
}

/** Takes an archive in pieces; the rows go to `target`. */
function membersInto(target: string, dir: string): Members {
  /** Bytes of the header that is being read. */
  let header = Buffer.alloc(0);
  /** Bytes of the member's content, and of its padding, that are still to come. */
  let content = 0;
  let padding = 0;
  let fd = -1;
  let isRows = false;
  let members = 0;
  let found = false;
  let over = false;

  const begin = (entry: TarEntry): void => {
    members += 1;
    if (members > MOST_MEMBERS) throw new NotPacked(`it has more than ${MOST_MEMBERS} members`);
    const name = path.posix.basename(entry.name);
    isRows = entry.type === "file" && name === ARROW_NAME;
    if (entry.type === "other") throw new NotPacked(`"${entry.name}" in it is neither a file nor a folder`);
    if (isRows && found) throw new NotPacked(`it has two files ${ARROW_NAME}`);
    if (entry.size > MOST_UNPACKED) throw new NotPacked(`"${name}" in it has ${entry.size} bytes; at most ${MOST_UNPACKED} are unpacked`);
    if (isRows) {
      refuseFullDisk(dir, entry.size);
      fd = fs.openSync(target, "wx", 0o600);
      found = true;
    }
    content = entry.size;
    padding = paddingOf(entry.size);
    if (content === 0) end();
  };
  const end = (): void => {
    if (fd >= 0) fs.closeSync(fd);
    fd = -1;
    isRows = false;
  };

  const take = (piece: Buffer): void => {
    for (let at = 0; at < piece.length && !over; ) {
      const left = piece.length - at;
      if (content > 0) {
        const n = Math.min(content, left);
        if (isRows) writeWhole(fd, piece.subarray(at, at + n));
        content -= n;
        at += n;
        if (content === 0) end();
      } else if (padding > 0) {
        const n = Math.min(padding, left);
        padding -= n;
        at += n;
      } else {
        const n = Math.min(TAR_BLOCK - header.length, left);
        header = Buffer.concat([header, piece.subarray(at, at + n)]);
        at += n;
        if (header.length < TAR_BLOCK) continue;
        const entry = parsed(header);
        header = Buffer.alloc(0);
        if (entry === null) over = true;
        else begin(entry);
      }
    }
  };

  return {
    stream: new Writable({
      write(piece: Buffer, _, done) {
        try {
          take(piece);
          done();
        } catch (error) {
          done(error as Error);
        }
      },
    }),
    finish() {
      if (!over) throw new NotPacked("it ends too early");
      if (!found) throw new NotPacked(`there is no ${ARROW_NAME} in it`);
    },
    close() {
      if (fd >= 0) fs.closeSync(fd);
      fd = -1;
    },
  };
}

function parsed(header: Buffer): TarEntry | null {
  try {
    return readTarHeader(header);
  } catch (error) {
    throw new NotPacked(errorText(error));
  }
}

function refuseFullDisk(dir: string, size: number): void {
  const { bavail, bsize } = fs.statfsSync(dir);
  if (size > bavail * bsize) throw Object.assign(new Error("no room"), { code: "ENOSPC" });
}
