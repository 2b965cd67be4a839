/** Colour and box drawing for the terminal, both optional. Colours are never the only sign of anything. */

import { displayWidth } from "./safe.ts";

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
const plain = (text: string): string => text;

export const paint = (color: boolean): Paint =>
  color
    ? { strong: sgr(1, 22), dim: sgr(2, 22), warn: sgr(33, 39), cross: sgr(36, 39), here: sgr(7, 27) }
    : { strong: plain, dim: plain, warn: plain, cross: plain, here: plain };

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
