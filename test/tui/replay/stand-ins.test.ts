/** What the bundle puts in the place of Ink's packages does the same for lines of ours. */

import { styledCharsFromTokens, styledCharsToString, tokenize } from "@alcalzone/ansi-tokenize";
import stringWidth from "string-width";
import { afterAll, beforeAll, expect, test } from "vitest";
import { svgOf } from "../../../tui/present/svg.ts";
import type { ReplaySession } from "../../../tui/replay/session.ts";
import ownWidth from "../../../tui/stand-ins/string-width.ts";
import * as whole from "../../../tui/stand-ins/whole-lines.ts";
import { playerOf, sessionOf } from "../../support/replay.ts";
import { tempPaths } from "../../support/temp-dir.ts";

const fresh = tempPaths();
let session: ReplaySession;
const screens: string[][] = [];

beforeAll(async () => {
  session = await sessionOf("nested", fresh("nested.trace"), { color: true });
  const s = playerOf(session, { width: 160, height: 50, seq: 161 });
  for (const key of ["1", "f", "3", "4", "5", "?", "q", "enter", "m", ">"]) {
    await s.press(key);
    screens.push(s.screen().split("\n"));
  }
});
afterAll(() => session.trace.close());

test("a line goes through whole and means the same", () => {
  for (const lines of screens) {
    const through = (way: (line: string) => string): string => svgOf(lines.map(way), 160);
    const ink = through((line) => styledCharsToString(styledCharsFromTokens(tokenize(line))));
    expect(through((line) => whole.styledCharsToString(whole.styledCharsFromTokens(whole.tokenize(line))))).toBe(through((line) => line));
    // Ink's own way writes fewer and other codes: what is seen is the same.
    expect(seen(ink)).toEqual(seen(through((line) => line)));
  }
});

/** Words of the picture with their place and look, a letter each: texts may be cut otherwise. */
function seen(svg: string): string[] {
  const letters: string[] = [];
  for (const match of svg.matchAll(/<text x="([\d.]+)" y="(\d+)" fill="([^"]+)"( font-weight="bold")?[^>]*>([^<]*)<\/text>/g)) {
    const [, x, y, fill, bold = "", text = ""] = match;
    const plain = text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
    [...plain].forEach((letter, i) => {
      if (letter !== " ") letters.push(`${Math.round((Number(x) - 12) / 8.4) + i},${y} ${letter} ${fill}${bold}`);
    });
  }
  return letters.sort();
}

test("a line is as wide as Ink would measure it", () => {
  for (const line of screens.flat()) expect(ownWidth(line), line).toBe(stringWidth(line));
});
