/** Keys as the key table names them. */

import type { Key } from "ink";

export type KeyPress = Pick<
  Key,
  | "upArrow"
  | "downArrow"
  | "leftArrow"
  | "rightArrow"
  | "pageDown"
  | "pageUp"
  | "home"
  | "end"
  | "return"
  | "escape"
  | "ctrl"
  | "shift"
  | "tab"
  | "backspace"
  | "delete"
>;

/** "j", "down", "ctrl-d", "enter", "space", ... */
export function keyName(input: string, key: Partial<KeyPress>): string {
  if (key.upArrow) return "up";
  if (key.downArrow) return "down";
  if (key.leftArrow) return "left";
  if (key.rightArrow) return "right";
  if (key.pageDown) return "pagedown";
  if (key.pageUp) return "pageup";
  if (key.home) return "home";
  if (key.end) return "end";
  if (key.return) return "enter";
  if (key.tab) return key.shift ? "shift-tab" : "tab";
  // Terminals send DEL for the backspace key.
  if (key.backspace || key.delete) return "backspace";
  if (key.escape) return "escape";
  if (key.ctrl) return `ctrl-${input}`;
  return input === " " ? "space" : input;
}

/** One key: its name, and the text it types where text is asked for. */
export interface Typed {
  readonly name: string;
  readonly text: string;
}

/**
 * The keys of one chunk from the terminal. A key held down, fast typing and pasting send several characters at once; Ink hands
 * them over as one input.
 */
export function keysIn(input: string, key: Partial<KeyPress>): Typed[] {
  const characters = [...input];
  if (characters.length <= 1) return [{ name: keyName(input, key), text: input }];
  return characters.map((character) => ({ name: characterName(character), text: character }));
}

const NAMED: Readonly<Record<string, string>> = {
  "\r": "enter",
  "\n": "enter",
  "\t": "tab",
  "\b": "backspace",
  "\u007f": "backspace",
  "\u001b": "escape",
  " ": "space",
};

/** As `keyName` says it of the same key sent alone. */
function characterName(character: string): string {
  const code = character.charCodeAt(0);
  return NAMED[character] ?? (code > 0 && code < 27 ? `ctrl-${String.fromCharCode(code + 96)}` : character);
}
