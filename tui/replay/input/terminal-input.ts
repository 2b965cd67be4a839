/** What the terminal sends, as keys, pasted text and the mouse. */

import { type MouseEvent, mouseEvent } from "./mouse.ts";

/** One key: its name, and the text it types where text is asked for. */
export interface Typed {
  readonly what: "key";
  /** "j", "down", "ctrl-d", "enter", "space", ... */
  readonly name: string;
  readonly text: string;
}

export type Input = Typed | { readonly what: "paste"; readonly text: string } | { readonly what: "mouse"; readonly mouse: MouseEvent };

const ESCAPE = "\u001b";
const PASTE_BEGINS = "\u001b[200~";
const PASTE_ENDS = "\u001b[201~";

/**
 * Reads what Ink cuts out of the terminal's bytes: an escape sequence, or the characters between two. Sequences that are no key here
 * (there are many, and terminals answer with some) mean nothing.
 */
export function createInputReader(): (piece: string) => Input[] {
  let pasting = false;
  return (piece) => {
    if (piece === PASTE_BEGINS || piece === PASTE_ENDS) {
      pasting = piece === PASTE_BEGINS;
      return [];
    }
    if (pasting) return [{ what: "paste", text: piece }];
    const mouse = mouseEvent(piece);
    return mouse === null ? keysIn(piece) : [{ what: "mouse", mouse }];
  };
}

/** Of a sequence one key or none. A key held down and fast typing send several characters at once. */
export function keysIn(piece: string): Typed[] {
  if (!piece.startsWith(ESCAPE) || piece === ESCAPE) return [...piece].flatMap(keyOf);
  const name = sequenceName(piece);
  if (name !== null) return [named(name)];
  // Escape, and then a key before anybody could read the one alone.
  return [...piece].length === 2 ? [...piece].flatMap(keyOf) : [];
}

const named = (name: string): Typed => ({ what: "key", name, text: "" });

const CONTROLS: Readonly<Record<string, string>> = {
  "\r": "enter",
  "\n": "enter",
  "\t": "tab",
  "\b": "backspace",
  "\u007f": "backspace",
  [ESCAPE]: "escape",
};

function keyOf(character: string): Typed[] {
  const known = CONTROLS[character];
  if (known !== undefined) return [named(known)];
  const code = character.charCodeAt(0);
  if (code > 0 && code < 27) return [named(`ctrl-${String.fromCharCode(code + 96)}`)];
  if (code < 32) return [];
  return [{ what: "key", name: character === " " ? "space" : character, text: character }];
}

/** By the last letter; by the number before a tilde. Numbers between say which of Shift, Alt and Ctrl were held: all the same here. */
const LETTERS: Readonly<Record<string, string>> = { A: "up", B: "down", C: "right", D: "left", H: "home", F: "end" };
const NUMBERS: Readonly<Record<string, string>> = {
  1: "home",
  3: "delete",
  4: "end",
  5: "pageup",
  6: "pagedown",
  7: "home",
  8: "end",
};

function sequenceName(piece: string): string | null {
  const sequence = piece.slice(ESCAPE.length);
  if (sequence === "[Z") return "shift-tab";
  const letter = /^(?:\[|O)(?:1;\d)?([A-H])$/.exec(sequence)?.[1] ?? "";
  const number = /^\[(\d)(?:;\d)?~$/.exec(sequence)?.[1] ?? "";
  return LETTERS[letter] ?? NUMBERS[number] ?? null;
}
