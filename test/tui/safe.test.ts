/** Texts of strangers on their way to a terminal. */

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { displayWidth, fit, safe, safeJson, safeLines } from "../../tui/present/safe.ts";
import { paint, safeStyled } from "../../tui/present/style.ts";
import { wrapCells } from "../../tui/present/two-column.ts";

/** Of the copy with which Ink measures, wherever it lies. */
async function widthForInk(): Promise<(text: string) => number> {
  const ink = createRequire(import.meta.url).resolve("ink");
  const found = (await import(pathToFileURL(createRequire(ink).resolve("string-width")).href)) as { default: (text: string) => number };
  return found.default;
}
const inkWidth = await widthForInk();

const DANGEROUS = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff]|[\ufe00-\ufe0f]/;

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
    ["number sign \u0600", "number sign �"],
    ["1\ufe0f\u20e3", "1��"],
    ["filler \u3164\uffa0", "filler ��"],
  ])("%j", (text, shown) => {
    expect(safe(text)).toBe(shown);
  });

  test("never lets control characters through, and keeps to its width", () => {
    fc.assert(
      fc.property(anyText, fc.nat(40), (text, width) => {
        const shown = safe(text, width);
        expect(shown).not.toMatch(DANGEROUS);
        expect(safe(shown)).toBe(shown);
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

test("a text cut short says so, also where its marks are left out", () => {
  const marks = (count: number): string => "\u0301".repeat(count);
  expect(safe(`e${marks(1000)}nd`, 10)).toBe(`e${marks(3)}…`);
});

describe("cells", () => {
  test("each character is as wide as Ink takes it for", () => {
    const wrong: string[] = [];
    for (let code = 0; code <= 0x3ffff; code += code < 0x20000 ? 1 : 97) {
      const text = safe(String.fromCodePoint(code));
      if (displayWidth(text) !== inkWidth(text)) wrong.push(`U+${code.toString(16)}`);
    }
    expect(wrong).toEqual([]);
  });

  /** Scripts in which characters do not join: all that a trace is likely to have. */
  const plain = fc.string({
    unit: fc.oneof(
      fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 1 }),
      fc.constantFrom(...[..."éñßДж日本語ひカﾌﾞ한글►━…·±≥👍😀⌚✅🚀␣"], "e\u0301", "o\u0308\u0323", "\u001b", "\u200d", "\ufe0f"),
    ),
  });

  test("texts are as wide as Ink takes them for", () => {
    fc.assert(
      fc.property(plain, fc.nat(30), (text, width) => {
        expect(displayWidth(safe(text, width))).toBe(inkWidth(safe(text, width)));
      }),
    );
  });

  test("no text is wider to Ink than here: it never cuts a line of ours", () => {
    const joining = fc.constantFrom(..."1#*🇩🇪👍🏽👩नमस्तेक्षน้ำ각ᄀ", "\u20e3", "\u11a8", "\u1161", "\u0d4e", "\uff9e");
    const text = fc.string({ unit: fc.oneof(fc.string({ unit: "binary", minLength: 1, maxLength: 1 }), joining) });
    fc.assert(
      fc.property(text, fc.nat(40), (raw, width) => {
        const shown = fit(safe(raw), width);
        expect(inkWidth(shown)).toBeLessThanOrEqual(displayWidth(shown));
      }),
      { numRuns: 1000 },
    );
  });
});

describe("JSON", () => {
  test.each([
    ["\u009b31m\u007f", '"\\u009b31m\\u007f"'],
    ["abc\u202egnp.exe\u200b", '"abc\\u202egnp.exe\\u200b"'],
    ["\u{e0041}", '"\\udb40\\udc41"'],
    ["naïve 日本 👍", '"naïve 日本 👍"'],
    ["e\u0301\u0301\u0301\u0301\u0301", '"e\u0301\u0301\u0301\\u0301\\u0301"'],
  ])("%j", (text, json) => {
    expect(safeJson(text)).toBe(json);
  });

  test("loses nothing, and has nothing dangerous in it", () => {
    fc.assert(
      fc.property(anyText, anyText, (name, text) => {
        const json = safeJson({ [name]: [text] });
        expect(JSON.parse(json)).toEqual({ [name]: [text] });
        expect(safe(json)).toBe(json);
      }),
    );
  });
});

test("lines: breaks stay, and paint where it may", () => {
  expect(safeLines("a\r\n\u001b[1mb\n")).toBe("a\n�[1mb\n");
  const { strong, here } = paint(true);
  const ours = `${strong("a")}\n${here("b")}`;
  expect(safeStyled(`${ours}\u001b[2J\u001b]0;title\u0007\u001b[8m\n`)).toBe(`${ours}�[2J�]0;title��[8m\n`);
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
