/** How a text file's bytes stand for characters: UTF-8, or what PowerShell's `>` and Notepad write. */

export type Encoding = "utf-8" | "utf-16le" | "utf-16be";

/** Bytes looked at when no mark tells. */
const LOOKED_AT = 1024;

/** By the byte order mark; without one, by the NUL beside each ASCII character. */
export function encodingOf(start: Uint8Array): Encoding {
  if (start[0] === 0xff && start[1] === 0xfe) return "utf-16le";
  if (start[0] === 0xfe && start[1] === 0xff) return "utf-16be";
  const length = Math.min(start.length, LOOKED_AT) & ~1;
  if (length < 4) return "utf-8";
  let [even, odd] = [0, 0];
  for (let i = 0; i < length; i += 2) {
    if (start[i] === 0) even += 1;
    if (start[i + 1] === 0) odd += 1;
  }
  // Half of the pairs have a NUL on one side only.
  if (4 * odd > length && even === 0) return "utf-16le";
  return 4 * even > length && odd === 0 ? "utf-16be" : "utf-8";
}
