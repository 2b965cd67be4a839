/**
 * The one palette: what each colour means, for the terminal (16, 256 and all colours), for SVG and for HTML. A meaning has a shape or a
 * word besides, so that nothing is told by colour alone. Chosen by search: the layers stay apart for each kind of colour blindness, and
 * all can be read on both surfaces (test/tui/palette.test.ts).
 */

import type { Severity } from "../../analyzer/index.ts";
import type { Layer } from "../../engine/index.ts";

export interface Tone {
  /** On the dark surface, `#rrggbb`. */
  readonly dark: string;
  /** On the light surface. */
  readonly light: string;
  /** Code of the terminal's own colour for the foreground, where it has 16. */
  readonly ansi: number;
}

/** What stands for it where a cell is all there is: a character, and one of ASCII. */
export interface Shape {
  readonly unicode: string;
  readonly ascii: string;
}

/** What a screen or page is drawn on, and its plain text. */
export const SURFACES = {
  dark: { background: "#11141a", text: "#d8dee9", faint: "#8791a3", here: "#2d5b88" },
  light: { background: "#ffffff", text: "#1b1f27", faint: "#5c6675", here: "#bcd8f5" },
} as const;

const tone = (dark: string, light: string, ansi: number): Tone => ({ dark, light, ansi });

/** Whose code it is. */
export const LAYER_TONES: Readonly<Record<Layer, Tone>> = {
  app: tone("#ecd609", "#7f7902", 93),
  libos: tone("#b6caf7", "#0f2246", 96),
  pal: tone("#5dfebd", "#1f7d6c", 92),
  "untrusted-pal": tone("#df6b43", "#4c1601", 91),
  host: tone("#cf58ff", "#b01cdc", 95),
};

/** From the application down to the kernel ever thinner. */
export const LAYER_SHAPES: Readonly<Record<Layer, Shape>> = {
  app: { unicode: "█", ascii: "a" },
  libos: { unicode: "▓", ascii: "l" },
  pal: { unicode: "▒", ascii: "p" },
  "untrusted-pal": { unicode: "░", ascii: "u" },
  host: { unicode: "▂", ascii: "h" },
};

export const SEVERITY_TONES: Readonly<Record<Severity, Tone>> = {
  critical: tone("#ff5c8a", "#b00043", 91),
  high: tone("#ff7d6e", "#b3261e", 91),
  medium: tone("#ffb454", "#8a5a00", 93),
  low: tone("#9fd0ff", "#2b5f94", 96),
  info: tone("#aab4c4", "#5c6675", 37),
};

/** The rest of what has a colour of its own. */
export const SIGN_TONES = {
  /** What one is to look at: a finding's place, its caption. */
  warn: tone("#ffb454", "#8a5a00", 33),
  /** A border is crossed: in or out of the enclave, into a signal context and back; a signal's way. */
  cross: tone("#56b6f2", "#0f68a0", 36),
  /** Steps or results that only one of two runs has. */
  difference: tone("#ff9d5c", "#9a4a00", 93),
  /** The last step set it anew. */
  changed: tone("#f2f5fa", "#000000", 97),
  /** Not yet happened. */
  future: tone("#8791a3", "#5c6675", 90),
} as const satisfies Readonly<Record<string, Tone>>;

export type ToneName = Layer | Severity | keyof typeof SIGN_TONES;

/** All by name. */
export const TONES: Readonly<Record<ToneName, Tone>> = { ...LAYER_TONES, ...SEVERITY_TONES, ...SIGN_TONES };

/** Colours that a terminal has; 0 none. */
export type ColorDepth = 0 | 16 | 256 | 16_777_216;

/** The parameters of the escape sequence that turns the foreground to it; 39 turns it back. */
export function foreground({ dark, ansi }: Tone, depth: Exclude<ColorDepth, 0>): string {
  if (depth === 16) return String(ansi);
  const [r, g, b] = channels(dark);
  return depth === 256 ? `38;5;${nearestOf256(r, g, b)}` : `38;2;${r};${g};${b}`;
}

/** Red, green and blue, 0 to 255 each. */
export const channels = (hex: string): [number, number, number] =>
  [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as never;

/** Levels of the 6x6x6 cube that terminals of 256 colours have from colour 16 on. */
const LEVELS: readonly number[] = [0, 95, 135, 175, 215, 255];
const CUBE = 16;

function nearestOf256(...rgb: readonly number[]): number {
  const index = (value: number): number =>
    LEVELS.indexOf(LEVELS.reduce((best, level) => (Math.abs(level - value) < Math.abs(best - value) ? level : best)));
  return rgb.reduce((sum, value) => sum * LEVELS.length + index(value), 0) + CUBE;
}
