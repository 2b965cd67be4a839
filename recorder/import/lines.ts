/** Lines out of chunks of bytes: only the line that is not over yet is kept. */

import { StringDecoder } from "node:string_decoder";

export interface LineSplitter {
  /** The lines that end in this chunk, without their ends (\n or \r\n). */
  add(chunk: Uint8Array): Generator<string, void>;
  /** What stands after the last end of a line; empty when there is nothing. */
  rest(): string;
}

export function createLineSplitter(): LineSplitter {
  const decoder = new StringDecoder("utf8");
  /** Pieces of a line that is longer than a chunk: put together once. */
  let begun: string[] = [];
  return {
    *add(chunk) {
      const text = decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      let start = 0;
      for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
        const line = begun.length === 0 ? text.slice(start, end) : [...begun, text.slice(start, end)].join("");
        begun = [];
        start = end + 1;
        yield line.endsWith("\r") ? line.slice(0, -1) : line;
      }
      if (start < text.length) begun.push(start === 0 ? text : text.slice(start));
    },
    rest() {
      begun.push(decoder.end());
      const line = begun.join("");
      begun = [];
      return line;
    },
  };
}
