/** What stands between a file's bytes and its program's own lines: an encoding and wraps, found by the first bytes. */

import { createLineSplitter, type LineEnd, lineEndOf } from "../lines.ts";
import { type Encoding, encodingOf } from "./encoding.ts";
import { type Knows, WRAPS } from "./wraps.ts";

export interface TextForm {
  readonly encoding: Encoding;
  readonly lineEnd: LineEnd;
  /** Names of the wraps, in the order in which they come off. */
  readonly wraps: readonly string[];
  /** The first lines, as the program wrote them; none that the bytes may have cut. */
  readonly first: readonly string[];
  /** A line of the file as the program wrote it. */
  bare(line: string): string;
}

/** Lines by which the form is known. */
const LINES = 60;
/** One wrap around another is common, more are not. */
const MOST_WRAPS = 6;

/** `whole`: the bytes are all of the file. */
export function formOf(start: Uint8Array, whole: boolean, knows: Knows): TextForm {
  const encoding = encodingOf(start);
  const lineEnd = lineEndOf(start);
  const splitter = createLineSplitter(encoding, lineEnd);
  const lines: string[] = [];
  for (const line of splitter.add(start)) if (lines.length < LINES) lines.push(line);
  const rest = splitter.rest();
  // A first line without an end is all that there is to see.
  if (lines.length === 0 || (whole && lines.length < LINES)) lines.push(rest);

  const wraps: string[] = [];
  const takers: ((line: string) => string)[] = [];
  let first: readonly string[] = lines;
  for (let round = 0; round < MOST_WRAPS; round += 1) {
    let found: ((line: string) => string) | null = null;
    for (const wrap of WRAPS) {
      found = wraps.at(-1) === wrap.name ? null : wrap.find(first, knows);
      if (found === null) continue;
      wraps.push(wrap.name);
      break;
    }
    if (found === null) break;
    takers.push(found);
    first = first.map(found);
  }
  const bare = (line: string): string => takers.reduce((text, take) => take(text), line);
  return { encoding, lineEnd, wraps, first, bare: takers.length === 0 ? (line) => line : bare };
}
