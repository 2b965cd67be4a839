/** The help and the palette: what the screen shows, and the key table. */

import { fit, safe } from "../present/safe.ts";
import { padStyled } from "../present/style.ts";
import { wrapCells } from "../present/two-column.ts";
import { COMMANDS, matching, type ReplayCommand } from "./keys.ts";
import { PANES } from "./panes/index.ts";
import type { ReplayState } from "./state.ts";
import type { World } from "./world.ts";

/** The panes have lines of their own. */
const GROUPS: Readonly<Record<Exclude<ReplayCommand["group"], "pane">, string>> = {
  time: "Steps",
  jump: "Jumps",
  look: "Looking",
  other: "Other",
};
/** Two columns from here on. */
const TWO = 150;
const KEYS = 16;

/** What is on the screen, from top to bottom. */
const SCREEN: readonly (readonly [string, string])[] = [
  ["first line", "case, stack, thread; seq: the transition made last; its time"],
  ["second line", "the whole trace; triangle: now, !: a finding, bars: signals"],
  ["timeline", "one thread, a line a transition, a bar for an open function"],
  ["Signal context", "what runs for a signal, between an arrow there and one back"],
  ["layer", "app, libos, pal, u-pal (untrusted PAL), host (the kernel)"],
  ["SGX", "where the enclave is entered, stayed in and left"],
  ["[ ]", "what a step gave: a result, a signal, yes or no"],
];

/** As many lines as there is room for, from where it is scrolled to. */
export function helpLines(world: World, s: ReplayState, height: number): string[] {
  const lines = allLines(world, s.width);
  const room = height - 1;
  const from = Math.min(s.scroll, Math.max(0, lines.length - room));
  const more =
    lines.length > room ? `   lines ${from + 1} to ${Math.min(from + room, lines.length)} of ${lines.length}: j k space scroll` : "";
  return [world.paint.strong(fit(safe(`Help${more}   ? closes`, s.width), s.width)), ...lines.slice(from, from + room)];
}

/** How many lines there are to scroll through. */
export const helpLength = (world: World, width: number): number => allLines(world, width).length;

function allLines(world: World, width: number): string[] {
  const columns = width >= TWO ? 2 : 1;
  const half = Math.floor(width / columns) - 1;
  const { strong } = world.paint;
  const entry = (name: string, text: string): string[] =>
    wrapCells(text, half - KEYS - 3).map((line, i) => safe(`  ${(i === 0 ? name : "").padEnd(KEYS)} ${line}`, half));
  const keysOf = (group: keyof typeof GROUPS): string[] => [
    strong(GROUPS[group]),
    ...COMMANDS.filter((command) => command.group === group).flatMap((command) => entry(command.keys.join(" "), command.text)),
  ];
  const parts = [
    [strong("The screen"), ...SCREEN.flatMap(([name, text]) => entry(name, text))],
    [strong("Panes"), ...PANES.flatMap(({ id, title }, i) => entry(`${i + 1} ${id}`, title))],
    keysOf("time"),
    keysOf("jump"),
    keysOf("look"),
    keysOf("other"),
    [strong("Mouse"), ...entry("wheel", "back and forward"), ...entry("click", "a row: go there; the second line: jump")],
  ];
  const lines = parts.flat();
  if (columns === 1) return lines;
  const count = Math.ceil(lines.length / 2);
  return Array.from({ length: count }, (_, i) => `${padStyled(lines[i] ?? "", half + 1)}${lines[i + count] ?? ""}`);
}

export function paletteLines(world: World, s: ReplayState): string[] {
  const found = matching(s.typed);
  const lines = found.map((command, i) => {
    const text = safe(`${i === 0 ? ">" : " "} ${command.name.padEnd(18)} ${command.keys.join(" ").padEnd(KEYS)} ${command.text}`, s.width);
    return i === 0 ? world.paint.here(text) : text;
  });
  return [
    world.paint.dim(safe("type words of a command; Enter runs the first, Esc leaves", s.width)),
    ...(lines.length > 0 ? lines : ["no such command"]),
  ];
}
