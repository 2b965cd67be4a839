/** Texts of strangers on their way to a terminal. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { displayWidth, fit, safe } from "../../tui/present/safe.ts";
import { wrapCells } from "../../tui/present/two-column.ts";

const anyText = fc.string({
  unit: fc.oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
    fc.constantFrom("\u001b", "\u202e", "日", "é", "👍", "\ufe0f", "\u0301"),
  ),
});

describe("safe", () => {
  test.each([
    ["\u001b[2J", "�[2J"],
    ["a\nb\tc\rd", "a�b�c�d"],
    ["\u009b31m", "�31m"],
    ["abc\u202egnp.exe", "abc�gnp.exe"],
    ["zero\u200bwidth", "zero�width"],
    ["naïve café 日本", "naïve café 日本"],
    ["tag \u{e0041}", "tag �"],
    ["\ud800", "�"],
  ])("%j", (text, shown) => {
    expect(safe(text)).toBe(shown);
  });

  test("never lets control characters through, and keeps to its width", () => {
    fc.assert(
      fc.property(anyText, fc.nat(40), (text, width) => {
        const shown = safe(text, width);
        expect(shown).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/);
        expect(displayWidth(shown)).toBeLessThanOrEqual(width);
      }),
    );
  });

  test("fit is exactly as wide as asked", () => {
    fc.assert(
      fc.property(anyText, fc.nat(40), (text, width) => {
        expect(displayWidth(fit(safe(text), width))).toBe(width);
      }),
    );
  });
});

test("wrapping keeps every word and the width", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 10 }).filter((word) => !word.includes(" "))),
      fc.integer({ min: 12, max: 60 }),
      (words, width) => {
        const lines = wrapCells(words.join(" "), width, 2);
        expect(
          lines
            .join(" ")
            .split(" ")
            .filter((word) => word !== ""),
        ).toEqual(words);
        for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width);
      },
    ),
  );
});
