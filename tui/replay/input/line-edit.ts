/** The line of a prompt: its text and where one types. */

import type { Typed } from "./terminal-input.ts";

export interface Line {
  readonly typed: string;
  /** Characters of `typed` before the place where one types. */
  readonly cursor: number;
}

/** Longest text of a prompt, in characters. */
const MAX_TYPED = 2000;

export const lineOf = (typed: string): Line => ({ typed, cursor: [...typed].length });

/** With that text at the cursor: pasted lines become one, what no line can show is left out. */
export function inserted({ typed, cursor }: Line, text: string): Line {
  const characters = [...typed];
  const printable = [...text.replace(/[\r\n\t]+/g, " ").replace(/[\u0000-\u001f\u007f-\u009f]/g, "")];
  const added = printable.slice(0, Math.max(0, MAX_TYPED - characters.length));
  return { typed: [...characters.slice(0, cursor), ...added, ...characters.slice(cursor)].join(""), cursor: cursor + added.length };
}

/** The line after a key; the same line when the key is none of editing. */
export function edited(line: Line, { name, text }: Typed): Line {
  const characters = [...line.typed];
  const { cursor } = line;
  const to = (place: number): Line => ({ ...line, cursor: Math.max(0, Math.min(characters.length, place)) });
  /** Without the characters from one place to another. */
  const without = (from: number, end: number): Line => ({
    typed: [...characters.slice(0, from), ...characters.slice(end)].join(""),
    cursor: from,
  });
  switch (name) {
    case "left":
      return to(cursor - 1);
    case "right":
      return to(cursor + 1);
    case "home":
    case "ctrl-a":
      return to(0);
    case "end":
    case "ctrl-e":
      return to(characters.length);
    case "backspace":
      return cursor === 0 ? line : without(cursor - 1, cursor);
    case "delete":
      return without(cursor, cursor + 1);
    case "ctrl-u":
      return lineOf("");
    case "ctrl-k":
      return without(cursor, characters.length);
    case "ctrl-w": {
      const before = characters.slice(0, cursor).join("");
      return without([...before.trimEnd().replace(/\S+$/, "")].length, cursor);
    }
    default:
      return text === "" ? line : inserted(line, text);
  }
}
