/**
 * Strangers' text for a terminal: no control characters, no escape sequences, no direction overrides, nothing
 * invisible; and text cut to a width in terminal cells.
 */

/** Everything a terminal may act upon or hide: C0, DEL, C1, direction marks, zero width, line separators, BOM, tags. */
const UNSAFE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\u3164\ufeff\ufff9-\ufffb]|\p{Cs}|\p{Variation_Selector}|[\u{e0000}-\u{e00ff}\u{e01f0}-\u{e0fff}]/gu;
const SHOWN = "�";
/** Combining marks: shown on the character before, no cell of their own; long chains of them are cut. */
const MARK = /\p{M}/u;
const MAX_MARKS = 3;

/** Ranges of characters two cells wide (Unicode East Asian Width W and F, emoji presentation), coarse on purpose. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x231a, 0x231b],
  [0x2329, 0x232a],
  [0x23e9, 0x23f3],
  [0x25fd, 0x25fe],
  [0x2614, 0x2615],
  [0x2648, 0x2653],
  [0x26a1, 0x26a1],
  [0x26aa, 0x26ab],
  [0x2705, 0x2705],
  [0x270a, 0x270b],
  [0x2728, 0x2728],
  [0x274c, 0x274c],
  [0x2753, 0x2755],
  [0x2795, 0x2797],
  [0x2b1b, 0x2b1c],
  [0x2b50, 0x2b50],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
];

function cellsOf(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300 || (code >= 0x2500 && code < 0x2580)) return 1;
  if (MARK.test(character)) return 0;
  return WIDE.some(([from, to]) => code >= from && code <= to) ? 2 : 1;
}

/** ASCII, and what our own drawings are made of: a cell each. Most texts have nothing else. */
const PLAIN = /^[\x20-\x7e\u2500-\u257f]*$/;

/** Terminal cells of a text that is safe. */
export function displayWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += cellsOf(character);
  return width;
}

/** Without anything that drives or deceives a terminal; longer than `maxWidth` cells it ends in "…". */
export function safe(text: string, maxWidth = Number.POSITIVE_INFINITY): string {
  // Never look at more than can be shown: a cell takes at most a wide character and its marks.
  const bounded = Number.isFinite(maxWidth) && text.length > 8 * maxWidth + 16 ? text.slice(0, 8 * maxWidth + 16) : text;
  if (PLAIN.test(bounded)) return bounded.length <= maxWidth ? bounded : cut(bounded, maxWidth);
  let marks = 0;
  let out = "";
  for (const character of bounded.replace(UNSAFE, SHOWN)) {
    marks = MARK.test(character) ? marks + 1 : 0;
    if (marks <= MAX_MARKS) out += character;
  }
  return displayWidth(out) <= maxWidth ? out : cut(out, maxWidth);
}

function cut(text: string, width: number): string {
  let out = "";
  let used = 0;
  for (const character of text) {
    const cells = cellsOf(character);
    if (used + cells > width - 1) break;
    out += character;
    used += cells;
  }
  return width > 0 ? `${out}…` : "";
}

/** Exactly `width` cells: padded, or cut. */
export function fit(text: string, width: number): string {
  const own = displayWidth(text);
  if (own <= width) return text + " ".repeat(width - own);
  const short = cut(text, width);
  return short + " ".repeat(Math.max(0, width - displayWidth(short)));
}
