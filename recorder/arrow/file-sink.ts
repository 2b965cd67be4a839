/**
 * Where the Arrow writer's bytes go: collected, then written at once and synchronously. apache-arrow's own
 * queue keeps everything in memory until somebody reads it.
 */

import fs from "node:fs";
import { AsyncByteQueue } from "apache-arrow";
import { errorCode, errorText, HOLDS, isFullDisk, TraceError } from "../format/errors.ts";

/** Write all of `chunks` at the file's position; a write may be short, on a disk that is nearly full it will be. */
export function writeAll(fd: number, chunks: readonly Uint8Array[]): void {
  let total = 0;
  for (const chunk of chunks) total += chunk.byteLength;
  let done = fs.writevSync(fd, chunks as Uint8Array[]);
  while (done < total) {
    let skip = done;
    const rest: Uint8Array[] = [];
    for (const chunk of chunks) {
      if (skip < chunk.byteLength) rest.push(chunk.subarray(skip));
      skip = Math.max(0, skip - chunk.byteLength);
    }
    const more = fs.writevSync(fd, rest);
    if (more === 0) throw Object.assign(new Error("nothing could be written"), { code: "EIO" });
    done += more;
  }
}

export class FileSink extends AsyncByteQueue {
  private chunks: Uint8Array[] = [];
  /** Bytes that are in the file. */
  length = 0;

  constructor(
    readonly path: string,
    private readonly fd: number,
  ) {
    super();
  }

  override write(value: Parameters<AsyncByteQueue["write"]>[0]): void {
    // The writer makes bytes of everything before it gets here.
    if (!(value instanceof Uint8Array)) throw new TypeError("FileSink takes bytes only");
    if (value.byteLength > 0) this.chunks.push(value);
  }

  /** The writer closes its sink itself, possibly twice: the file is closed by its owner, not here. */
  override close(): void {}

  /** To the file with it. On failure the file is cut back to the last whole flush, so that it stays readable. */
  flush(): void {
    const chunks = this.chunks;
    if (chunks.length === 0) return;
    this.chunks = [];
    try {
      writeAll(this.fd, chunks);
    } catch (error) {
      this.cutBack();
      throw writeError(this.path, this.length, error);
    }
    for (const chunk of chunks) this.length += chunk.byteLength;
  }

  private cutBack(): void {
    try {
      fs.ftruncateSync(this.fd, this.length);
    } catch {
      // The reader stops at the first incomplete batch anyway.
    }
  }
}

/** A failed write as an error a person can act on. */
export function writeError(path: string, offset: number, error: unknown): TraceError {
  const code = errorCode(error);
  const full = isFullDisk(code);
  return new TraceError(
    path,
    `byte ${offset}`,
    full ? `no space is left to write to (${code})` : `writing failed (${code || errorText(error)})`,
    full ? `${HOLDS}; free some space or record to another disk` : HOLDS,
    { cause: error },
  );
}
