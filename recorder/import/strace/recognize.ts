/** Is a file a strace log? Decided by its first lines. */

import { SNIFF_BYTES } from "../importer.ts";
import { formOf } from "../text/form.ts";
import { isOfLtrace } from "../text/ltrace.ts";
import { createJoiner, type Joined } from "./joined.ts";
import { parseLine } from "./lines.ts";

/** Is a line as strace writes it, with nothing around? */
export function knowsLine(text: string): boolean {
  const { form } = parseLine(text).content;
  return form !== "other" && form !== "empty" && form !== "elided";
}

/** True when strace wrote most of the first lines: also without time stamps, so that the user learns what is missing. */
export function looksLikeStrace(start: Uint8Array | string): boolean {
  const bytes = typeof start === "string" ? Buffer.from(start).subarray(0, SNIFF_BYTES) : start;
  const { first } = formOf(bytes, bytes.length < SNIFF_BYTES, knowsLine);
  if (first.some(isOfLtrace)) return false;
  const joiner = createJoiner();
  let [known, others] = [0, 0];
  const count = (joined: Joined | null): void => {
    if (joined === null || joined.line.content.form === "empty") return;
    if (joined.line.content.form === "other") others += 1 + joined.wrapped;
    else known += 1;
  };
  first.forEach((line, i) => {
    count(joiner.add(line, i + 1));
  });
  count(joiner.flush());
  return known > others;
}
