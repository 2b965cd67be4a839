/** The one table of commands and keys: handling, help, footer, palette and the README's section derive from it. */

import type { Context } from "../context.ts";
import { otherScale, wholeRun, zoom } from "../lanes/commands.ts";
import { bookmark, toggleBookmark } from "../navigate/bookmarks.ts";
import { whoSet } from "../navigate/last-change.ts";
import { difference, edge, follow, move, thread, toCaller } from "../navigate/navigation.ts";
import { enter, pick, remove } from "../navigate/picking.ts";
import { whyResult } from "../navigate/result-road.ts";
import { search } from "../navigate/search.ts";
import { runTo } from "../navigate/stops.ts";
import { evidence, finding, playWalkthrough, why } from "../navigate/walkthrough.ts";
import { PANES } from "../panes/index.ts";
import { tabKey } from "../panes/tabs.ts";
import { copyInterval } from "../screen/copying.ts";
import { chosenPanel, resizedPane, resizedTimeline, roomOf } from "../screen/layout.ts";

export interface ReplayCommand {
  readonly name: string;
  /** As `typed.ts` names them. */
  readonly keys: readonly string[];
  readonly text: string;
  readonly group: "time" | "jump" | "pane" | "look" | "other";
  /** Word for the footer. */
  readonly hint?: string;
  /** Panes beside which the footer has it; absent: beside all. */
  readonly only?: readonly string[];
  readonly run: (c: Context) => void | Promise<void>;
}

const SCROLL = 5;

export const COMMANDS: readonly ReplayCommand[] = [
  {
    name: "next",
    keys: ["j", "down", "right", "l"],
    group: "time",
    text: "next transition of this thread",
    hint: "step",
    run: (c) => move(c, stepOf(c), 1),
  },
  {
    name: "back",
    keys: ["k", "up", "left", "h"],
    group: "time",
    text: "one transition of this thread back",
    hint: "back",
    run: (c) => move(c, stepOf(c), -1),
  },
  { name: "over", keys: ["o"], group: "time", text: "over: next one not deeper than here", run: (c) => move(c, "over", 1) },
  { name: "over-back", keys: ["O"], group: "time", text: "over, back", run: (c) => move(c, "over", -1) },
  { name: "out", keys: ["u"], group: "time", text: "out of this function", run: (c) => move(c, "out", 1) },
  { name: "out-back", keys: ["U"], group: "time", text: "back to who called this function", run: toCaller },
  { name: "any-next", keys: ["J"], group: "time", text: "next transition of any thread", run: (c) => move(c, "any", 1) },
  { name: "any-back", keys: ["K"], group: "time", text: "one transition of any thread back", run: (c) => move(c, "any", -1) },
  {
    name: "play",
    keys: ["space"],
    group: "time",
    text: "play, pause",
    hint: "play",
    run: (c) =>
      c.dispatch({ type: "play", direction: c.state().playing === 0 ? 1 : 0, what: c.state().signal === null ? "step" : "signal" }),
  },
  {
    name: "play-back",
    keys: ["backspace"],
    group: "time",
    text: "play backwards, pause",
    run: (c) =>
      c.dispatch({ type: "play", direction: c.state().playing === 0 ? -1 : 0, what: c.state().signal === null ? "step" : "signal" }),
  },
  { name: "faster", keys: ["+", "="], group: "time", text: "play faster", run: (c) => speed(c, 1) },
  { name: "slower", keys: ["-"], group: "time", text: "play slower", run: (c) => speed(c, -1) },

  {
    name: "syscall",
    keys: ["c"],
    group: "jump",
    text: "next begin or end of a system call",
    hint: "call",
    run: (c) => move(c, "syscall", 1),
  },
  { name: "syscall-back", keys: ["C"], group: "jump", text: "the same, back", run: (c) => move(c, "syscall", -1) },
  { name: "entry", keys: ["e"], group: "jump", text: "next enclave entry or exit", run: (c) => move(c, "entry", 1) },
  { name: "entry-back", keys: ["E"], group: "jump", text: "the same, back", run: (c) => move(c, "entry", -1) },
  {
    name: "signal-hop",
    keys: ["]"],
    group: "jump",
    text: "next hop of a signal (of the followed one, through all threads)",
    hint: "signal",
    run: (c) => move(c, "signal", 1),
  },
  { name: "signal-back", keys: ["["], group: "jump", text: "the same, back", run: (c) => move(c, "signal", -1) },
  { name: "finding", keys: ["}"], group: "jump", text: "next finding", hint: "finding", run: (c) => finding(c, 1) },
  { name: "finding-back", keys: ["{"], group: "jump", text: "previous finding", run: (c) => finding(c, -1) },
  { name: "difference", keys: [")"], group: "jump", text: "next difference between the two runs", run: (c) => difference(c, 1) },
  { name: "difference-back", keys: ["("], group: "jump", text: "previous difference", run: (c) => difference(c, -1) },
  {
    name: "compare-with",
    keys: ["@"],
    group: "jump",
    text: "compare with a fix, a stack or another trace",
    hint: "with",
    only: ["compare"],
    run: (c) => c.dispatch({ type: "prompt", prompt: "compare" }),
  },
  { name: "begin", keys: ["<", "home"], group: "jump", text: "begin of the trace", run: (c) => edge(c, -1) },
  { name: "end", keys: [">", "end"], group: "jump", text: "end of the trace", run: (c) => edge(c, 1) },
  {
    name: "jump",
    keys: ["g"],
    group: "jump",
    text: "jump to a seq (120), a share (50%) or a time (1.5ms)",
    hint: "jump",
    run: (c) => c.dispatch({ type: "prompt", prompt: "jump" }),
  },
  {
    name: "search",
    keys: ["/"],
    group: "jump",
    text: "search function, label, kind, signal, thread (regular expression)",
    hint: "search",
    run: (c) => c.dispatch({ type: "prompt", prompt: "search" }),
  },
  {
    name: "condition",
    keys: ["&"],
    group: "jump",
    text: "stop where this holds: cssa > 1 && preempt > 0, signal = SIGINT",
    hint: "condition",
    only: ["stops"],
    run: (c) => c.dispatch({ type: "prompt", prompt: "condition" }),
  },
  {
    name: "run",
    keys: ["r"],
    group: "jump",
    text: "run on to where a condition holds",
    hint: "run",
    only: ["stops"],
    run: (c) => runTo(c, 1),
  },
  { name: "run-back", keys: ["R"], group: "jump", text: "run back to where one held", run: (c) => runTo(c, -1) },
  {
    name: "who-set",
    keys: ["W"],
    group: "jump",
    text: "who set this? the newest change of the chosen line of the state",
    hint: "who set it",
    only: ["state"],
    run: whoSet,
  },
  { name: "why-result", keys: ["p"], group: "jump", text: "what is this result made of? a step down its road", run: whyResult },
  { name: "match", keys: ["n"], group: "jump", text: "next match", run: (c) => search(c, 1) },
  { name: "match-back", keys: ["N"], group: "jump", text: "previous match", run: (c) => search(c, -1) },
  { name: "bookmark", keys: ["m"], group: "jump", text: "set or take away a bookmark", run: toggleBookmark },
  {
    name: "note",
    keys: ["a"],
    group: "jump",
    text: "write a note to this transition; it is kept with the trace",
    run: (c) => c.dispatch({ type: "prompt", prompt: "note", typed: c.state().notes[c.state().seq] ?? "" }),
  },
  { name: "next-bookmark", keys: ["'"], group: "jump", text: "next bookmark", run: (c) => bookmark(c, 1) },
  { name: "previous-bookmark", keys: ['"'], group: "jump", text: "previous bookmark", run: (c) => bookmark(c, -1) },

  { name: "thread", keys: ["t"], group: "look", text: "timeline of the next thread", hint: "thread", run: (c) => thread(c, 1) },
  { name: "thread-back", keys: ["T"], group: "look", text: "timeline of the previous thread", run: (c) => thread(c, -1) },
  {
    name: "follow",
    keys: ["f"],
    group: "look",
    text: "follow the signal that is here, or near; again: leave it",
    hint: "follow",
    run: follow,
  },
  {
    name: "evidence",
    keys: ["enter"],
    group: "look",
    text: "next evidence; in SQL: to the row's seq; in stops: there, or on and off",
    run: enter,
  },
  { name: "evidence-back", keys: ["b"], group: "look", text: "previous evidence", run: (c) => void evidence(c, -1) },
  {
    name: "walkthrough",
    keys: ["F"],
    group: "look",
    text: "play the finding's walkthrough",
    run: playWalkthrough,
  },
  {
    name: "why",
    keys: ["w"],
    group: "look",
    text: "why the finding matters and how it was fixed",
    hint: "why",
    run: why,
  },
  {
    name: "merged",
    keys: ["V"],
    group: "look",
    text: "all threads in one timeline, a column each; again: one thread",
    run: (c) => c.dispatch({ type: "merge" }),
  },
  {
    name: "fold",
    keys: ["z"],
    group: "look",
    text: "fold branches, returns and small functions",
    run: fold,
  },
  ...PANES.map(
    ({ id }, i): ReplayCommand => ({
      name: `pane-${id}`,
      keys: [tabKey(i)].filter((key) => key !== ""),
      group: "pane",
      text: `pane: ${id}`,
      run: (c) => c.dispatch({ type: "pane", pane: id }),
    }),
  ),
  { name: "next-pane", keys: ["tab"], group: "look", text: "next pane", hint: "pane", run: (c) => pane(c, 1) },
  { name: "previous-pane", keys: ["shift-tab"], group: "look", text: "previous pane", run: (c) => pane(c, -1) },
  { name: "zoom-in", keys: ["i"], group: "look", text: "lanes: nearer", hint: "nearer", only: ["lanes"], run: (c) => zoom(c, 1) },
  { name: "zoom-out", keys: ["I"], group: "look", text: "lanes: further away", hint: "further", only: ["lanes"], run: (c) => zoom(c, -1) },
  { name: "whole-run", keys: ["Z"], group: "look", text: "lanes: the whole run", hint: "all", only: ["lanes"], run: wholeRun },
  {
    name: "lanes-scale",
    keys: ["v"],
    group: "look",
    text: "lanes: an axis of time, or of transitions",
    hint: "time/steps",
    only: ["lanes"],
    run: otherScale,
  },
  {
    name: "timeline-larger",
    keys: ["L"],
    group: "look",
    text: "more room for the timeline",
    run: (c) => c.dispatch({ type: "sizes", sizes: resizedTimeline(c.state(), 1) }),
  },
  {
    name: "timeline-smaller",
    keys: ["H"],
    group: "look",
    text: "less room for the timeline",
    run: (c) => c.dispatch({ type: "sizes", sizes: resizedTimeline(c.state(), -1) }),
  },
  {
    name: "pane-higher",
    keys: ["^"],
    group: "look",
    text: "more lines for the pane",
    run: (c) => c.dispatch({ type: "sizes", sizes: resizedPane(c.state(), 1) }),
  },
  {
    name: "pane-lower",
    keys: ["_"],
    group: "look",
    text: "fewer lines for the pane",
    run: (c) => c.dispatch({ type: "sizes", sizes: resizedPane(c.state(), -1) }),
  },
  {
    name: "scroll-down",
    keys: ["ctrl-d", "pagedown"],
    group: "look",
    text: "scroll the pane down",
    run: (c) => scroll(c, SCROLL),
  },
  {
    name: "scroll-up",
    keys: ["ctrl-u", "pageup"],
    group: "look",
    text: "scroll the pane up",
    run: (c) => scroll(c, -SCROLL),
  },
  {
    name: "sql",
    keys: [";"],
    group: "look",
    text: "ask in SQL",
    hint: "sql",
    run: (c) => c.dispatch({ type: "prompt", prompt: "sql", typed: c.state().entered.sql.at(-1) ?? "" }),
  },
  {
    name: "row-down",
    keys: ["."],
    group: "look",
    text: "next row of the pane (state, SQL, stops); lanes: later",
    hint: "on",
    only: ["sql", "lanes", "state", "stops", "compare"],
    run: (c) => pick(c, 1),
  },
  {
    name: "row-up",
    keys: [","],
    group: "look",
    text: "previous row of the pane; lanes: earlier",
    hint: "back",
    only: ["sql", "lanes", "state", "stops", "compare"],
    run: (c) => pick(c, -1),
  },
  {
    name: "remove",
    keys: ["x"],
    group: "look",
    text: "take away the chosen condition or bookmark",
    hint: "remove",
    only: ["stops"],
    run: remove,
  },

  {
    name: "copy",
    keys: ["y"],
    group: "other",
    text: "send what the timeline shows to the terminal's clipboard, as text",
    run: (c) => copyInterval(c, "text"),
  },
  { name: "copy-markdown", keys: ["Y"], group: "other", text: "send it as Markdown", run: (c) => copyInterval(c, "markdown") },
  {
    name: "copy-mermaid",
    keys: ["M"],
    group: "other",
    text: "send it as a Mermaid sequence diagram",
    run: (c) => copyInterval(c, "mermaid"),
  },
  {
    name: "picture",
    keys: ["s"],
    group: "other",
    text: "write the screen to an SVG file",
    run: (c) => c.dispatch({ type: "say", message: `written: ${c.picture()}` }),
  },
  {
    name: "palette",
    keys: [":"],
    group: "other",
    text: "all commands by name",
    run: (c) => c.dispatch({ type: "prompt", prompt: "palette" }),
  },
  {
    name: "help",
    keys: ["?"],
    group: "other",
    text: "this help",
    hint: "help",
    run: (c) => c.dispatch({ type: "overlay", overlay: "help" }),
  },
  { name: "quit", keys: ["q", "ctrl-c"], group: "other", text: "leave", hint: "quit", run: (c) => c.quit() },
];

function pane(c: Context, direction: 1 | -1): void {
  const at = PANES.findIndex((one) => one.id === c.state().pane);
  c.dispatch({ type: "pane", pane: PANES[(at + direction + PANES.length) % PANES.length]?.id ?? "state" });
}

/** Scroll the shown pane by `by` lines. */
export function scroll(c: Context, by: number): void {
  const s = c.state();
  const shown = PANES.find((one) => one.id === s.pane);
  if (shown?.scroll === undefined) return c.dispatch({ type: "say", message: "this pane shows what it has: there is nothing to scroll" });
  c.dispatch(shown.scroll(c.session, s, roomOf(chosenPanel(s)), by));
}

/** While it plays, the screen's first line has the speed. */
function speed(c: Context, by: 1 | -1): void {
  c.dispatch({ type: "speed", by });
  if (c.state().playing === 0) c.dispatch({ type: "say", message: `speed ${c.state().speed}/s` });
}

/** In the timeline of all threads a step is one of any. */
const stepOf = (c: Context): "step" | "any" => (c.state().merged ? "any" : "step");

function fold(c: Context): void {
  c.dispatch({ type: "fold" });
  c.dispatch({ type: "say", message: c.state().folded ? "folded: branches and small functions left out" : "unfolded" });
}

export const commandOfKey: ReadonlyMap<string, ReplayCommand> = new Map(
  COMMANDS.flatMap((command) => command.keys.map((key) => [key, command] as const)),
);

/** Commands whose name or text has all the words; the one of that name first, then those whose names begin so. */
export function matching(typed: string): readonly ReplayCommand[] {
  const words = typed
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  const whole = words.join("-");
  const rank = ({ name }: ReplayCommand): number => (name === whole ? 0 : name.startsWith(whole) ? 1 : name.includes(whole) ? 2 : 3);
  return COMMANDS.filter((command) => words.every((word) => command.name.includes(word) || command.text.toLowerCase().includes(word))).sort(
    (a, b) => rank(a) - rank(b),
  );
}

/** The table as Markdown, as the README has it. */
export const keyTable = (): string =>
  [
    "| keys | what they do |",
    "| --- | --- |",
    ...COMMANDS.map(({ keys, text }) => `| ${keys.map((key) => `\`${key}\``).join(" ")} | ${text} |`),
  ].join("\n");
