/** Colour and box drawing for the terminal, both optional. Colours are never the only sign of anything. */

import { displayWidth, safeLines } from "./safe.ts";

export interface Paint {
  readonly strong: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly cross: (text: string) => string;
  /** Where one stands. */
  readonly here: (text: string) => string;
}

const sgr =
  (on: number, off: number) =>
  (text: string): string =>
    `\u001b[${on}m${text}\u001b[${off}m`;
/** Text as it is. */
export const plain = (text: string): string => text;

export const paint = (color: boolean): Paint =>
  color
    ? { strong: sgr(1, 22), dim: sgr(2, 22), warn: sgr(33, 39), cross: sgr(36, 39), here: sgr(7, 27) }
    : { strong: plain, dim: plain, warn: plain, cross: plain, here: plain };

/** The codes of `paint`, so that they can be told from a stranger's. */
const PAINTED = /(\u001b\[(?:1|2|22|33|36|39|7|27)m)/;

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
export const SGR = /\u001b\[(\d+)m/g;

/** A styled line made as wide as asked; one that is wider stays. */
export const padStyled = (text: string, width: number): string =>
  text + " ".repeat(Math.max(0, width - displayWidth(text.replace(SGR, ""))));
