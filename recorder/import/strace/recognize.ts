/** Is a text a strace log? Decided by its first lines. */

import { parseLine } from "./lines.ts";

/** Lines looked at, and characters at most. */
const LINES = 40;
const CHARACTERS = 65_536;

/** True when strace wrote most of the first lines: also without time stamps, so that the user learns what is missing. */
export function looksLikeStrace(text: string): boolean {
  const whole = text.length < CHARACTERS;
  const lines = text.slice(0, CHARACTERS).split(/\r?\n/);
  // The last one may be cut in the middle.
  if (!whole && lines.length > 1) lines.pop();
  const forms = lines
    .slice(0, LINES)
    .map((line) => parseLine(line).content.form)
    .filter((form) => form !== "empty");
  const known = forms.filter((form) => form !== "other").length;
  return known > 0 && 2 * known > forms.length;
}
