/** The palette: it can be read, it stays apart for those who see fewer colours, and a terminal's 16 colours have it too. */

import { describe, expect, test } from "vitest";
import { SEVERITIES } from "../../analyzer/index.ts";
import { LAYERS } from "../../engine/index.ts";
import { channels, foreground, LAYER_SHAPES, LAYER_TONES, SEVERITY_TONES, SURFACES, TONES } from "../../tui/present/palette.ts";
import { paint, SGR, safeStyled } from "../../tui/present/style.ts";

type Rgb = readonly [number, number, number];

/** Light, not the numbers of the screen. Source: IEC 61966-2-1 (sRGB). */
const linear = (hex: string): Rgb =>
  channels(hex).map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4)) as never;

const luminance = ([r, g, b]: Rgb): number => 0.2126 * r + 0.7152 * g + 0.0722 * b;

/** Source: WCAG 2.1, contrast ratio. */
function contrast(one: string, other: string): number {
  const [a, b] = [luminance(linear(one)), luminance(linear(other))];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

/** How who lacks one sort of cones sees light. Source: Machado, Oliveira, Fernandes 2009, severity 1.0. */
const SIGHTS: Readonly<Record<string, readonly [Rgb, Rgb, Rgb]>> = {
  all: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

const seen = (light: Rgb, sight: readonly [Rgb, Rgb, Rgb]): Rgb =>
  sight.map((row) => Math.max(0, Math.min(1, row[0] * light[0] + row[1] * light[1] + row[2] * light[2]))) as never;

/** CIE L*a*b*, white D65. */
function lab([r, g, b]: Rgb): Rgb {
  const f = (t: number): number => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);
  const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
  const y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
  const z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

const distance = (one: Rgb, other: Rgb): number => Math.hypot(...one.map((value, i) => value - (other[i] ?? 0)));

describe.each(["dark", "light"] as const)("on the %s surface", (surface) => {
  const { background, text, faint } = SURFACES[surface];

  test.each([
    ["text", text],
    ["faint text", faint],
    ...Object.entries(TONES).map(([name, tone]) => [name, tone[surface]] as const),
  ] as const)("%s has a contrast of 4.5", (_, color) => expect(contrast(color, background)).toBeGreaterThanOrEqual(4.5));

  test.each(Object.keys(SIGHTS))("the layers stay apart with %s sight", (sight) => {
    const colors = LAYERS.map((layer) => lab(seen(linear(LAYER_TONES[layer][surface]), SIGHTS[sight] as never)));
    for (const [i, one] of colors.entries())
      for (const other of colors.slice(i + 1)) expect(distance(one, other), `${LAYERS[i]}`).toBeGreaterThan(25);
  });
});

test("each layer has a shape of its own, with and without Unicode", () => {
  for (const form of ["unicode", "ascii"] as const)
    expect(new Set(LAYERS.map((layer) => LAYER_SHAPES[layer][form])).size).toBe(LAYERS.length);
});

test("with 16 colours each layer has its own, and each severity is among the tones", () => {
  expect(new Set(LAYERS.map((layer) => LAYER_TONES[layer].ansi)).size).toBe(LAYERS.length);
  for (const severity of SEVERITIES) expect(TONES[severity]).toBe(SEVERITY_TONES[severity]);
});

test("sequences for each number of colours, and what a terminal is given of them", () => {
  expect(foreground(LAYER_TONES.app, 16)).toBe("93");
  expect(foreground(LAYER_TONES.app, 256)).toBe("38;5;220");
  expect(foreground(LAYER_TONES.app, 16_777_216)).toBe("38;2;236;214;9");
  for (const depth of [16, 256, 16_777_216] as const) {
    const text = paint(depth).tone.libos("x");
    expect(safeStyled(text)).toBe(text);
    expect(text.replace(SGR, "")).toBe("x");
  }
  // A stranger's own sequences are none of ours.
  expect(safeStyled("\u001b[38;5;1mx\u001b[5m")).not.toContain("\u001b");
  expect(paint(0).tone.critical("x")).toBe("x");
});
