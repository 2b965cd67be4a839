/** The last lines of the screen: what is typed, what was said, what there is to do, and the keys for it. */

import { displayWidth, safe } from "../../present/safe.ts";
import { wrapCells } from "../../present/two-column.ts";
import { isUnaligned, pairsOf } from "../compare/alignment.ts";
import { firstOfDifferences } from "../compare/position.ts";
import { COMMANDS } from "../input/commands.ts";
import type { Line } from "../input/line-edit.ts";
import { countsText, worstOf } from "../navigate/opening.ts";
import { walkthroughPosition } from "../panes/findings.ts";
import type { ReplaySession } from "../session.ts";
import { activeFinding, isIdleLine, type ReplayState } from "../state.ts";
import { MESSAGE_LINES } from "./layout.ts";
import { OVERLAYS } from "./overlay.ts";

/** What stands before the text that is typed, and what may be typed. */
const PROMPTS = {
  search: ["/", "a regular expression over what a row says, its kind, its thread; n and N go on"],
  jump: ["jump to: ", "a seq (120), a share (50%) or a time (1.5ms)"],
  sql: ["SQL: ", "such as SELECT * FROM signals; Tab completes names; up: earlier; ctrl-u clears"],
  palette: [":", "words of a command"],
  condition: ["stop where: ", "such as cssa > 1 && preempt > 0, or signal = SIGINT and layer = libos; r and R go on"],
  compare: ["compare with: ", "a stack, a fix or the folder of another trace"],
  ignore: ["leave out: ", "such as call:poll thread:worker kind:mask; an empty line takes all differences in again"],
  hide: ["hide rows where: ", "such as layer = host or kind = branch; an empty line shows all again"],
  note: ["note: ", "it is kept with the trace; an empty one takes it away"],
} as const;

/** Below the empty line of the questions. */
const IDLE = "a letter begins a statement of your own; other keys do what they do elsewhere";

/** Always `MESSAGE_LINES` lines. */
export function messageLines(session: ReplaySession, s: ReplayState): string[] {
  if (s.prompt === null || s.overlay !== null) {
    const text = s.message === "" || isShown(s) ? hints(session, s) : wrapCells(safe(s.message.replaceAll("\n", " ")), s.width);
    return Array.from({ length: MESSAGE_LINES }, (_, i) => safe(text[i] ?? "", s.width));
  }
  const [head, help] = PROMPTS[s.prompt];
  const [before, after] = aroundCursor(s.line, s.width - head.length - 1);
  return [
    `${session.paint.strong(head)}${before}${session.paint.here("_")}${after}`,
    session.paint.dim(safe(s.prompt === "sql" && s.message !== "" ? s.message : isIdleLine(s) ? IDLE : help, s.width)),
  ];
}

/** What of the line is seen before and after the cursor: the cursor always is, and a third of the room may be behind it. */
function aroundCursor({ typed, cursor }: Line, room: number): [string, string] {
  const characters = [...typed].map((character) => safe(character));
  const after = characters.slice(cursor).join("");
  const most = room - Math.min(displayWidth(after), Math.floor(room / 3));
  let from = cursor;
  let width = 0;
  while (from > 0 && width + displayWidth(characters[from - 1] ?? "") <= most) width += displayWidth(characters[--from] ?? "");
  const left = room - width;
  return [characters.slice(from, cursor).join(""), left > 0 ? safe(after, left) : ""];
}

/** The findings pane has the finding and its captions already. */
function isShown(s: ReplayState): boolean {
  const { pane, message, evidence } = s;
  const told = activeFinding(s);
  return pane === "findings" && told !== undefined && (message === told.title || message === told.evidence[evidence]?.caption);
}

/** With nothing else to say: what there is to see. */
function hints(session: ReplaySession, s: ReplayState): string[] {
  if (s.fresh) return opened(session, s);
  const title = titleOf(session, s);
  const told = activeFinding(s);
  // These panes say themselves what Enter does there.
  if (s.pane === "sql" || s.pane === "stops" || (s.pane === "findings" && told !== undefined)) return [title, ""];
  if (told !== undefined) return [`walkthrough of: ${told.title}`, walkthroughPosition(s, told)];
  const worst = s.findings[worstOf(s.findings)];
  if (worst === undefined) return [title, s.looking ? "looking for what is wrong ..." : ""];
  return [title, `! Enter tells ${s.findings.length === 1 ? "how" : `the worst of ${s.findings.length} findings`}: ${worst.title}`];
}

/** Before the first key: the verdict, what was found, and the ways from here. */
function opened(session: ReplaySession, s: ReplayState): string[] {
  const ways = s.seq === 0 ? [] : ["< goes to the start"];
  if (s.findings.length > 0) ways.unshift("Enter tells it from its begin");
  if (session.other !== null)
    return [betweenTwo(session), [countsText(s), ") and ( go from difference to difference"].filter(isThere).join("; ")];
  const counts = countsText(s);
  const below = [[counts, ...ways], [counts, "Enter tells one"], [counts]].map((parts) => parts.filter(isThere).join("; "));
  const verdict = verdictText(session, s);
  return [fitting([verdict, shortDifference(verdict)], s.width), fitting(s.findings.length > 0 ? below : below.slice(0, 1), s.width)];
}

/** The first text that is seen whole, else the last. */
const fitting = (texts: readonly string[], width: number): string =>
  texts.find((text) => displayWidth(text) <= width) ?? texts.at(-1) ?? "";

/** The values are what matters: the words around them, and what follows from it, go first. */
const shortDifference = (text: string): string =>
  text.replace(/^first difference from Linux alone: (?:seq \d+ {2})?/, "differs from Linux: ").replace(/;.*$/, "");

const isThere = (text: string): boolean => text !== "";

/** The first difference says most; without one, how it ended. */
function verdictText(session: ReplaySession, s: ReplayState): string {
  const [outcome = "", difference = ""] = session.verdict;
  if (session.firstDifference !== null) return difference;
  return [outcome, difference].filter(isThere).join("; ") || titleOf(session, s);
}

/** What the two runs differ in. */
function betweenTwo(session: ReplaySession): string {
  const parted = firstOfDifferences(session);
  if (parted === null)
    return isUnaligned(session) || pairsOf(session).length === 0
      ? "the two runs are not laid side by side"
      : "the application sees the same in both runs";
  const { count, text } = parted;
  return `${count === 1 ? "one difference" : `${count.toLocaleString("en")} differences, the first`}: ${text}`;
}

/** A log has no title: how it ended stands for it. */
const titleOf = (session: ReplaySession, s: ReplayState): string => (s.settled ? session.machines.title || (session.verdict[0] ?? "") : "");

export function footer(session: ReplaySession, s: ReplayState): string {
  let text = "";
  for (const one of keysOf(s)) {
    if (text.length + one.length + 3 > s.width) break;
    text += text === "" ? one : `   ${one}`;
  }
  return session.paint.dim(safe(text, s.width));
}

function keysOf(s: ReplayState): string[] {
  if (isIdleLine(s) && s.overlay === null) return ["esc leave the line", "enter ask", "? help", "tab pane", "ctrl-c quit", "/ search"];
  if (s.prompt !== null && s.overlay === null) return ["enter do it", "esc leave"];
  if (s.overlay !== null) return [`${OVERLAYS[s.overlay].key} close`, "j k scroll", "space a page"];
  const hinted = COMMANDS.flatMap(({ keys, hint, group, only }) => {
    const word = (only ?? [s.pane]).includes(s.pane) ? (typeof hint === "function" ? hint(s) : (hint ?? "")) : "";
    // Help and the way out are never cut off; what the chosen pane has keys of its own for comes next.
    return word === "" ? [] : [{ text: `${keys[0]} ${word}`, rank: group === "other" ? 0 : only !== undefined ? 1 : 2 }];
  });
  return hinted.sort((a, b) => a.rank - b.rank).map(({ text }) => text);
}
