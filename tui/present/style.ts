/** Colour and box drawing for the terminal, both optional. Colours are never the only sign of anything. */

import { type ColorDepth, foreground, TONES, type ToneName } from "./palette.ts";
import { displayWidth, safeLines } from "./safe.ts";

export type Style = (text: string) => string;

export interface Paint {
  readonly strong: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly cross: (text: string) => string;
  /** Where one stands. */
  readonly here: (text: string) => string;
  /** Colours by what they mean. */
  readonly tone: Readonly<Record<ToneName, Style>>;
}

const sgr =
  (on: number | string, off: number): Style =>
  (text) =>
    `\u001b[${on}m${text}\u001b[${off}m`;
/** Text as it is. */
export const plain: Style = (text) => text;

const toneStyles = (depth: ColorDepth): Paint["tone"] =>
  Object.fromEntries(
    Object.entries(TONES).map(([name, tone]) => [name, depth === 0 ? plain : sgr(foreground(tone, depth), 39)]),
  ) as unknown as Paint["tone"];

/** `true`: colour, of the 16 that every terminal has. */
export function paint(color: boolean | ColorDepth): Paint {
  const depth = color === true ? 16 : color === false ? 0 : color;
  const tone = toneStyles(depth);
  return depth === 0
    ? { strong: plain, dim: plain, warn: plain, cross: plain, here: plain, tone }
    : { strong: sgr(1, 22), dim: sgr(2, 22), warn: sgr(33, 39), cross: sgr(36, 39), here: sgr(7, 27), tone };
}

const DEPTHS = [16, 256, 16_777_216] as const;

/** Colours by the parameters of their sequences, for who draws the same elsewhere. */
export const COLOR_OF_CODE: ReadonlyMap<string, string> = new Map(
  // Where tones share a code, the first one of the palette has it.
  DEPTHS.flatMap((depth) => Object.values(TONES).map((tone) => [foreground(tone, depth), tone.dark] as const)).reverse(),
);

/** The codes of `paint`, so that they can be told from a stranger's. */
const PAINTED = new RegExp(`(\\u001b\\[(?:1|2|22|39|7|27|${[...COLOR_OF_CODE.keys()].join("|")})m)`);

/** Several lines of ours on their way to a terminal: paint stays, whatever else would drive it does not. */
export const safeStyled = (text: string): string =>
  text
    .split(PAINTED)
    .map((part, i) => (i % 2 === 1 ? part : safeLines(part)))
    .join("");

/** Characters of a drawing. */
export interface Pen {
  readonly bar: string;
  readonly line: string;
  readonly right: string;
  readonly left: string;
  readonly inside: string;
  readonly enter: string;
  readonly leave: string;
  readonly mark: string;
  readonly skip: string;
  readonly folded: string;
}

export const UNICODE_PEN: Pen = {
  bar: "│",
  line: "─",
  right: "►",
  left: "◄",
  inside: "┃",
  enter: "┓",
  leave: "┛",
  mark: "▲",
  skip: "┄",
  folded: "…",
};

export const ASCII_PEN: Pen = {
  bar: "|",
  line: "-",
  right: ">",
  left: "<",
  inside: "#",
  enter: "+",
  leave: "+",
  mark: "^",
  skip: "~",
  folded: "...",
};

/** What `paint` writes. */
export const SGR = /\u001b\[([\d;]+)m/g;

/** A styled line made as wide as asked; one that is wider stays. */
export const padStyled = (text: string, width: number): string =>
  text + " ".repeat(Math.max(0, width - displayWidth(text.replace(SGR, ""))));
