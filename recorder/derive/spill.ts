/** Rows of numbers that must wait until the end, kept in a temporary file: memory must not grow with the trace. */

import fs from "node:fs";
import { writeAt } from "../format/files.ts";

const BUFFER_ROWS = 1024;

export interface Spill {
  append(row: ArrayLike<number>): void;
  /** Every row in the order it came. The array is reused. */
  read(): Generator<Float64Array>;
  /** Remove the file. */
  close(): void;
}

/** A spill of rows of `width` float64. The file at `path` is made when the buffer first overflows. */
export function createSpill(path: string, width: number): Spill {
  const buffer = new Float64Array(BUFFER_ROWS * width);
  const bytes = new Uint8Array(buffer.buffer);
  const rowBytes = width * 8;
  let buffered = 0;
  let written = 0;
  let fd = -1;
  return {
    append(row): void {
      if (buffered === BUFFER_ROWS) {
        if (fd < 0) fd = fs.openSync(path, "wx+");
        writeAt(fd, bytes, written * rowBytes);
        written += buffered;
        buffered = 0;
      }
      for (let i = 0; i < width; i++) buffer[buffered * width + i] = row[i] as number;
      buffered += 1;
    },
    *read() {
      const chunk = new Float64Array(BUFFER_ROWS * width);
      for (let done = 0; done < written; done += BUFFER_ROWS) {
        const got = fs.readSync(fd, new Uint8Array(chunk.buffer), 0, chunk.byteLength, done * rowBytes);
        if (got < chunk.byteLength) throw Object.assign(new Error(`${path} became shorter`), { code: "EIO" });
        for (let i = 0; i < BUFFER_ROWS; i++) yield chunk.subarray(i * width, (i + 1) * width);
      }
      for (let i = 0; i < buffered; i++) yield buffer.subarray(i * width, (i + 1) * width);
    },
    close(): void {
      if (fd < 0) return;
      fs.closeSync(fd);
      fs.rmSync(path, { force: true });
      fd = -1;
    },
  };
}
