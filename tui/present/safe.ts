/**
 * Strangers' text for a terminal: no control characters, no escape sequences, no direction overrides, nothing
 * invisible; and text cut to a width in terminal cells. The one list of what is dangerous is here.
 */

import { eastAsianWidth } from "get-east-asian-width";

/**
 * Everything a terminal may act upon or hide: controls, format characters (direction, zero width, BOM, tags), lone
 * surrogates, line separators, variation selectors and fillers; and the keycap, which widens the digit before it.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|\u20e3/gu;
const SHOWN = "�";
/** Combining marks: shown on the character before; long chains of them are cut. */
const MARK = /\p{M}/u;
const MAX_MARKS = 3;
/** Marks without a cell of their own; the others (spacing marks) have one. */
const NO_CELL = /[\p{Mn}\p{Me}]/u;

/** ASCII, and what our own drawings are made of: a cell each. Most texts have nothing else. */
const PLAIN = /^[\x20-\x7e\u2026\u2500-\u259f\u25b2\u25ba\u25c4]*$/;

function cellsOf(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300 || PLAIN.test(character)) return 1;
  return NO_CELL.test(character) ? 0 : eastAsianWidth(code);
}

/**
 * Terminal cells of a text that is safe: those of its characters. Ink measures with `string-width`, which counts some
 * sequences (flags, conjuncts) as one character: never as more cells than here, so that it never cuts a line of ours.
 */
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
  return bounded === text && displayWidth(out) <= maxWidth ? out : cut(out, maxWidth);
}

/** The same for a text of several lines: its line breaks stay. */
export const safeLines = (text: string): string =>
  text
    .split(/\r?\n/)
    .map((line) => safe(line))
    .join("\n");

/** Of a chain of marks what `safe` would cut, too. */
const UNSAFE_IN_JSON = new RegExp(`${UNSAFE.source}|(?<=\\p{M}{${MAX_MARKS}})\\p{M}`, "gu");

/** JSON that loses nothing and is safe to look at: what is dangerous in it is written \uXXXX. */
export const safeJson = (value: unknown): string =>
  JSON.stringify(value).replace(UNSAFE_IN_JSON, (dangerous) =>
    dangerous
      .split("")
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join(""),
  );

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
