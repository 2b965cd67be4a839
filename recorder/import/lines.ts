/** Lines out of chunks of bytes: only the line that is not over yet is kept. */

import type { Encoding } from "./text/encoding.ts";

export interface LineSplitter {
  /** The lines that end in this chunk, without their ends (\n or \r\n). */
  add(chunk: Uint8Array): Generator<string, void>;
  /** What stands after the last end of a line; empty when there is nothing. */
  rest(): string;
}

/** How lines end: with \n, which may have a \r before it, or as on a Macintosh with \r alone. */
export type LineEnd = "\n" | "\r";

/** By the first bytes. A terminal's progress has \r alone, too, but also ends of lines. */
export const lineEndOf = (start: Uint8Array): LineEnd => (start.includes(13) && !start.includes(10) ? "\r" : "\n");

/** A byte order mark is no part of the first line. */
export function createLineSplitter(encoding: Encoding = "utf-8", lineEnd: LineEnd = "\n"): LineSplitter {
  const decoder = new TextDecoder(encoding);
  /** Pieces of a line that is longer than a chunk: put together once. */
  let begun: string[] = [];
  return {
    *add(chunk) {
      const text = decoder.decode(chunk, { stream: true });
      let start = 0;
      for (let end = text.indexOf(lineEnd); end >= 0; end = text.indexOf(lineEnd, start)) {
        const line = begun.length === 0 ? text.slice(start, end) : [...begun, text.slice(start, end)].join("");
        begun = [];
        start = end + 1;
        yield line.endsWith("\r") ? line.slice(0, -1) : line;
      }
      if (start < text.length) begun.push(start === 0 ? text : text.slice(start));
    },
    rest() {
      begun.push(decoder.decode());
      const line = begun.join("");
      begun = [];
      return line;
    },
  };
}
