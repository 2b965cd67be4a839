/** The one table of commands and keys: handling, help, footer, palette and the README's section derive from it. */

import { RECIPES } from "../../recipes.ts";
import type { Context } from "../context.ts";
import { otherScale, wholeRun, zoom } from "../lanes/commands.ts";
import { follow, sql, thread } from "../navigate/navigation.ts";
import { enter, pick, remove, saveCsv } from "../navigate/picking.ts";
import { evidence, playWalkthrough, why } from "../navigate/walkthrough.ts";
import { PANES } from "../panes/index.ts";
import { stopsOf } from "../panes/stops.ts";
import { tabKey } from "../panes/tabs.ts";
import { copyInterval } from "../screen/copying.ts";
import { chosenPanel, resizedPane, resizedTimeline, roomOf } from "../screen/layout.ts";

import type { ReplayState } from "../state.ts";
import type { ReplayCommand } from "./command.ts";
import { MOVES } from "./moves.ts";

const SCROLL = 5;

export const COMMANDS: readonly ReplayCommand[] = [
  ...MOVES,
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
    hint: enterHint,
    only: ["findings", "sql", "compare", "stops"],
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
    name: "hide",
    keys: ["!"],
    group: "look",
    text: "leave rows out of the timeline: layer = host or kind = branch",
    run: (c) => c.dispatch({ type: "prompt", prompt: "hide", typed: c.state().hide }),
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
    run: (c) => c.dispatch({ type: "prompt", prompt: "sql", typed: unanswered(c) }),
  },
  {
    name: "columns-left",
    keys: ["A"],
    group: "look",
    text: "SQL: the column before",
    run: (c) => c.dispatch({ type: "sqlColumn", by: -1 }),
  },
  { name: "columns-right", keys: ["D"], group: "look", text: "SQL: the next column", run: (c) => c.dispatch({ type: "sqlColumn", by: 1 }) },
  {
    name: "chart",
    keys: ["G"],
    group: "look",
    text: "SQL: the result as bars; again: as rows",
    hint: (s) => (s.sql === null ? "" : "bars"),
    only: ["sql"],
    run: (c) => c.dispatch({ type: "chart" }),
  },
  {
    name: "csv",
    keys: ["X"],
    group: "look",
    text: "SQL: write the rows to a CSV file",
    hint: (s) => (s.sql === null ? "" : "csv"),
    only: ["sql"],
    run: saveCsv,
  },
  {
    name: "recipes",
    keys: ["Q"],
    group: "look",
    text: "questions: time by call, layer, thread; enclave exits; lost signals; delays",
    hint: (s) => (s.sql === null ? "" : "recipes"),
    only: ["sql"],
    run: (c) => c.dispatch({ type: "sql", result: null }),
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
    hint: (s) => (stopsOf(s).length === 0 ? "" : "remove"),
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
    text: "all commands and questions by name",
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

/** What Enter does in these panes. */
function enterHint(s: ReplayState): string {
  switch (s.pane) {
    case "findings":
      return s.findings.length === 0 ? "" : s.finding === null ? "tell it" : "evidence";
    case "sql":
      return s.sql === null ? "ask" : "jump";
    case "compare":
      return s.compared ? "" : "compare";
    case "stops":
      return stopsOf(s).length === 0 ? "" : "go";
    default:
      return "";
  }
}

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

/** A question that was not answered comes back to be mended. */
function unanswered(c: Context): string {
  const { entered, sql } = c.state();
  const last = entered.sql.at(-1) ?? "";
  return last === sql?.sql ? "" : last;
}

function fold(c: Context): void {
  c.dispatch({ type: "fold" });
  c.dispatch({ type: "say", message: c.state().folded ? "folded: branches and small functions left out" : "unfolded" });
}

export const commandOfKey: ReadonlyMap<string, ReplayCommand> = new Map(
  COMMANDS.flatMap((command) => command.keys.map((key) => [key, command] as const)),
);

/** The questions in SQL, by their names: in the palette, where one looks for a word such as "time". */
const QUESTIONS: readonly ReplayCommand[] = RECIPES.map(({ name, text, sql: question }) => ({
  name: `ask-${name}`,
  keys: [],
  group: "look",
  text,
  run: (c) => sql(c, question),
}));

/**
 * Commands and questions whose name or text has all the words; the one of that name first, then those that have them whole in their name,
 * then those whose names begin so.
 */
export function matching(typed: string): readonly ReplayCommand[] {
  const words = typed
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  const whole = words.join("-");
  const rank = ({ name }: ReplayCommand): number => {
    if (name === whole) return 0;
    if (`-${name}-`.includes(`-${whole}-`)) return 1;
    return name.startsWith(whole) ? 2 : name.includes(whole) ? 3 : 4;
  };
  return [...COMMANDS, ...QUESTIONS]
    .filter((command) => words.every((word) => command.name.includes(word) || command.text.toLowerCase().includes(word)))
    .sort((a, b) => rank(a) - rank(b));
}

/** The table as Markdown, as the README has it. */
export const keyTable = (): string =>
  [
    "| keys | what they do |",
    "| --- | --- |",
    ...COMMANDS.map(({ keys, text }) => `| ${keys.map((key) => `\`${key}\``).join(" ")} | ${text} |`),
  ].join("\n");
