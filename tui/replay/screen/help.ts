/** The help and the palette: what the screen shows, and the key table. */

import { GLOSSARY } from "../../present/glossary.ts";
import { safe } from "../../present/safe.ts";
import { padStyled } from "../../present/style.ts";
import { wrapCells } from "../../present/two-column.ts";
import type { ReplayCommand } from "../input/command.ts";
import { COMMANDS, matching } from "../input/commands.ts";
import { PANES } from "../panes/index.ts";
import { windowFrom } from "../panes/pane.ts";
import { tabKey } from "../panes/tabs.ts";
import type { ReplaySession } from "../session.ts";
import type { ReplayState } from "../state.ts";

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
  [
    "Signal context",
    "a signal's way through the host's handler or the enclave's exception entry, between an arrow there and one back; under SGX the application's handler runs in the Normal context column",
  ],
  ["(+5 outer)", "so many functions around the ones that are shown were called above the screen"],
  ["layer", "app, libos, pal, u-pal (untrusted PAL), host (the kernel)"],
  ["SGX", "where the enclave is entered, stayed in and left"],
  ["[ ]", "what a step gave: a result, a signal, yes or no"],
];

export function helpLines(session: ReplaySession, width: number): string[] {
  const columns = width >= TWO ? 2 : 1;
  const half = Math.floor(width / columns) - 1;
  const { strong } = session.paint;
  const entry = (name: string, text: string): string[] =>
    wrapCells(text, half - KEYS - 3).map((line, i) => safe(`  ${(i === 0 ? name : "").padEnd(KEYS)} ${line}`, half));
  const keysOf = (group: keyof typeof GROUPS): string[] => [
    strong(GROUPS[group]),
    ...COMMANDS.filter((command) => command.group === group).flatMap((command) => entry(command.keys.join(" "), command.text)),
  ];
  const parts = [
    [strong("The screen"), ...SCREEN.flatMap(([name, text]) => entry(name, text))],
    [strong("Panes"), ...PANES.flatMap(({ id, title }, i) => entry(`${tabKey(i)} ${id}`, title))],
    keysOf("time"),
    keysOf("jump"),
    keysOf("look"),
    keysOf("other"),
    [strong("Words"), ...GLOSSARY.flatMap(([name, text]) => entry(name, text))],
    [
      strong("Mouse"),
      ...entry("wheel", "back and forward; over the pane: scroll it"),
      ...entry("click", "a row, a tab: go there; the second line: jump"),
    ],
  ];
  const lines = parts.flat();
  if (columns === 1) return lines;
  const count = Math.ceil(lines.length / 2);
  return Array.from({ length: count }, (_, i) => `${padStyled(lines[i] ?? "", half + 1)}${lines[i + count] ?? ""}`);
}

export function paletteLines(session: ReplaySession, s: ReplayState, height: number): string[] {
  const found = matching(s.line.typed);
  const at = s.picked.command ?? (s.line.typed.trim() === "" ? -1 : 0);
  const chosen = (i: number): boolean => i === at;
  const from = windowFrom(at, height - 1, found.length);
  const lines = found.slice(from, from + height - 1).map((command, row) => {
    const i = from + row;
    const text = safe(
      `${chosen(i) ? ">" : " "} ${command.name.padEnd(18)} ${command.keys.join(" ").padEnd(KEYS)} ${command.text}`,
      s.width,
    );
    return chosen(i) ? session.paint.here(text) : text;
  });
  return [
    session.paint.dim(safe("type words of a command or question; arrows choose, Enter runs it, Esc leaves", s.width)),
    ...(lines.length > 0 ? lines : [safe(`no command and no question has "${s.line.typed.trim()}" in its name or text`, s.width)]),
  ];
}
