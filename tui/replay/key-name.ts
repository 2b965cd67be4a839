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
