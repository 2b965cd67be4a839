/** What terminals send, and the line of a prompt that it is typed into. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { onPaste } from "../../../../tui/replay/input/input.ts";
import { edited, inserted, type Line, lineOf } from "../../../../tui/replay/input/line-edit.ts";
import { createInputReader, type Input, keysIn } from "../../../../tui/replay/input/terminal-input.ts";
import { playerOf, sessions } from "../../../support/replay.ts";

const session = sessions();
const names = (piece: string): string[] => keysIn(piece).map(({ name }) => name);
const read = (...pieces: string[]): Input[] => pieces.flatMap(createInputReader());

describe("keys", () => {
  test.each([
    ["\u001b[A", "up"],
    ["\u001bOB", "down"],
    ["\u001b[1;5C", "right"],
    ["\u001b[H", "home"],
    ["\u001b[4~", "end"],
    ["\u001b[3~", "delete"],
    ["\u001b[5~", "pageup"],
    ["\u001b[6;2~", "pagedown"],
    ["\u001b[Z", "shift-tab"],
    ["\u001b", "escape"],
    ["\u007f", "backspace"],
    ["\u0004", "ctrl-d"],
    [" ", "space"],
  ])("%j is %s", (piece, name) => {
    expect(names(piece)).toEqual([name]);
  });

  test("several characters in one piece are as many keys; Escape and a key before it was read are two", () => {
    expect(names("jj\rk")).toEqual(["j", "j", "enter", "k"]);
    expect(names("\u001bj")).toEqual(["escape", "j"]);
    expect(names("\u001b\u001b")).toEqual(["escape", "escape"]);
  });

  test.each([
    "\u001b[31m",
    "\u001b[0n",
    "\u001b[224z",
    "\u001b[97;5~",
    "\u001b[15;5^",
    "\u001b[1;2P",
    "\u001bOM",
    "\u001b[?1;2c",
    "\u0000",
  ])("%j is no key here", (piece) => expect(read(piece)).toEqual([]));

  test("any bytes: nothing is thrown, no key has a control character to type", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom("\u001b", "[", "O", "2", "0", ";", "~", "M", "<") }))),
        (pieces) => {
          for (const input of read(...pieces)) if (input.what === "key") expect(input.text).not.toMatch(/[\u0000-\u001f]/);
        },
      ),
    );
  });
});

describe("the mouse", () => {
  test.each([
    ["\u001b[<0;3;4M", "press"],
    ["\u001b[<32;3;4M", "drag"],
    ["\u001b[<0;3;4m", "release"],
    ["\u001b[<64;3;4M", "wheel-up"],
    ["\u001b[<65;3;4M", "wheel-down"],
    ["\u001b[<68;3;4M", "wheel-up"],
    ["\u001b[<81;3;4M", "wheel-down"],
    ["\u001b[<66;3;4M", "other"],
    ["\u001b[<128;3;4M", "other"],
  ])("%j is %s", (piece, what) => {
    expect(read(piece)).toEqual([{ what: "mouse", mouse: { what, column: 2, line: 3 } }]);
  });
});

describe("pasted text", () => {
  const PASTED = ["\u001b[200~", "q:quit\nSIG", "\u001b[31m", "INT", "\u001b[201~", "j"];

  test("is told apart from keys, between its brackets", () => {
    expect(read(...PASTED).map(({ what }) => what)).toEqual(["paste", "paste", "paste", "key"]);
  });

  test("outside a prompt it is no command; in a prompt it is one line of text", async () => {
    const s = playerOf(await session("toy"));
    onPaste(s.context, "jjq\n");
    expect(s.state()).toMatchObject({ seq: 0, message: expect.stringContaining("only taken where text is asked for") });
    await s.type(";");
    onPaste(s.context, "SELECT *\n  FROM signals\n\u001b[31mLIMIT 3");
    expect(s.state().line.typed).toBe("SELECT *   FROM signals [31mLIMIT 3");
    expect(s.state().prompt).toBe("sql");
  });
});

describe("the line of a prompt", () => {
  const after = (typed: string, ...pieces: string[]): Line => pieces.flatMap(keysIn).reduce(edited, lineOf(typed));

  test("is edited where the cursor is", () => {
    expect(after("SELEC 1", "\u001b[D", "\u001b[D", "T")).toEqual({ typed: "SELECT 1", cursor: 6 });
    expect(after("abc", "\u0001", "x")).toEqual({ typed: "xabc", cursor: 1 });
    expect(after("abc", "\u001b[H", "\u001b[3~", "\u001b[F", "d")).toEqual({ typed: "bcd", cursor: 3 });
    expect(after("one two three", "\u001b[D", "\u0017")).toEqual({ typed: "one two e", cursor: 8 });
    expect(after("abc", "\u001b[D", "\u000b")).toEqual({ typed: "ab", cursor: 2 });
    expect(after("a\u{1f600}b", "\u001b[D", "\u007f")).toEqual({ typed: "ab", cursor: 1 });
  });

  test("any keys: the cursor stays within the text", () => {
    const keys = fc.array(
      fc.constantFrom("a", " ", "\u001b[D", "\u001b[C", "\u007f", "\u001b[3~", "\u0001", "\u0005", "\u0017", "\u000b", "\u{1f600}"),
    );
    fc.assert(
      fc.property(keys, (pieces) => {
        const { typed, cursor } = after("x", ...pieces);
        expect(cursor).toBeGreaterThanOrEqual(0);
        expect(cursor).toBeLessThanOrEqual([...typed].length);
      }),
    );
  });

  test("has a longest text", () => {
    expect(inserted(lineOf("x".repeat(1999)), "yyy")).toEqual(lineOf(`${"x".repeat(1999)}y`));
  });

  test("what was entered comes back with up and down", async () => {
    const s = playerOf(await session("toy"));
    await s.type("g10\rg20\rg");
    for (const [key, typed] of [
      ["\u001b[A", "20"],
      ["\u001b[A", "10"],
      ["\u001b[A", "10"],
      ["\u001b[B", "20"],
      ["\u001b[B", ""],
    ] as const) {
      await s.type(key);
      expect(s.state().line.typed).toBe(typed);
    }
  });

  test("of a long line the place where one types is on the screen", async () => {
    const s = playerOf(await session("toy"), { width: 80, height: 23 });
    await s.type(`;${"a".repeat(60)}${"b".repeat(60)}`);
    const line = (): string => s.screen().split("\n").at(-3) ?? "";
    expect(line()).toMatch(/^SQL: a{14}b{60}_$/);
    for (const left of ["\u001b[D", "\u001b[D"]) await s.type(left);
    expect(line()).toMatch(/^SQL: a{14}b{58}_bb$/);
    await s.type("\u0001");
    expect(line()).toMatch(/^SQL: _a{60}b+…$/);
  });
});
