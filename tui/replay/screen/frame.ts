/** The whole screen as lines, from the state and the session alone. */

import type { Transition } from "../../../engine/index.ts";
import { displayWidth, fit, safe } from "../../present/safe.ts";
import { padStyled } from "../../present/style.ts";
import { momentText } from "../../present/time.ts";
import { type DrawnLine, wrapCells } from "../../present/two-column.ts";
import { explained } from "../attempt.ts";
import { onlySites } from "../compare/alignment.ts";
import { MAX_ALIGNED_ROWS } from "../compare/divergence.ts";
import { type Aligned, alignedSeq } from "../compare/position.ts";
import { COMMANDS } from "../input/commands.ts";
import type { Line } from "../input/line-edit.ts";
import { walkthroughPosition } from "../panes/findings.ts";
import { PANE_IDS, PANES } from "../panes/index.ts";
import { minimap } from "../panes/minimap.ts";
import type { Pane } from "../panes/pane.ts";
import { statePane } from "../panes/state.ts";
import { tabLine } from "../panes/tabs.ts";
import { timelinePane } from "../panes/timeline.ts";
import { type ReplaySession, stackOf } from "../session.ts";
import { activeFinding, type ReplayState, stepsPerSecond } from "../state.ts";
import { paletteLines } from "./help.ts";
import { layoutOf, MESSAGE_LINES, MIN_HEIGHT, MIN_WIDTH, paneRoom, SPARE_LINES } from "./layout.ts";
import { OVERLAYS, overlayLines } from "./overlay.ts";

/** Exactly `height` lines of at most `width` cells; texts of strangers are safe in them. */
export function frame(session: ReplaySession, s: ReplayState): string[] {
  const { width, height } = s;
  if (width < MIN_WIDTH || height < MIN_HEIGHT) return tooSmall(s);
  const lines = [header(session, s), minimap(session, s, width), ...body(session, s), ...messageLines(session, s), footer(session, s)];
  return lines.slice(0, height);
}

function tooSmall({ width, height }: ReplayState): string[] {
  const size = (w: number, h: number): string => `${w}x${h + SPARE_LINES}`;
  const text = [`this terminal is ${size(width, height)};`, `eintr replay needs ${size(MIN_WIDTH, MIN_HEIGHT)}`, "(q quits)"];
  return Array.from({ length: Math.max(1, height) }, (_, i) => safe(text[i] ?? "", Math.max(1, width)));
}

/** Cells of a case's name that are always there. */
const SHORTEST_NAME = 3;

function header(session: ReplaySession, s: ReplayState): string {
  const { trace, rows } = session;
  const play = s.playing === 0 ? "" : `${s.playing === 1 ? "playing" : "playing back"} ${stepsPerSecond(s)}/s  `;
  const follow = s.signal === null ? "" : `signal ${s.signal}  `;
  const thread = trace.threads[s.thread]?.name ?? String(s.thread);
  // Where one is stands at the right: a long name does not push it out.
  const place = safe(`  ${play}${follow}seq ${s.seq} of ${rows.count - 1}  ${momentText(rowAt(session, s.seq)?.time ?? 0)} `, s.width);
  const room = s.width - place.length;
  return session.paint.here(fit(nameLine(trace.info.scenario, stackOf(session), thread, room), room) + place);
}

/** The case's name is cut first, then the stack's: the thread changes, they do not. */
function nameLine(scenario: string, stack: string, thread: string, room: number): string {
  const end = safe(`  thread ${thread}`, Math.max(1, room - 1));
  const left = room - 1 - displayWidth(end);
  const on = safe(` on ${stack}`);
  const name = safe(scenario, Math.max(SHORTEST_NAME, left - displayWidth(on)));
  return safe(` ${name}${safe(on, Math.max(0, left - displayWidth(name)))}${end}`, room);
}

/** Null also where the trace is damaged: the timeline says so. */
function rowAt(session: ReplaySession, seq: number): Transition | null {
  try {
    return session.rows.at(seq);
  } catch {
    return null;
  }
}

function body(session: ReplaySession, s: ReplayState): string[] {
  const layout = layoutOf(s);
  if (s.overlay !== null) return padded(overlayLines(session, s, s.overlay, layout.bodyHeight), layout.bodyHeight);
  if (s.prompt === "palette") return padded(paletteLines(session, s), layout.bodyHeight);
  const { timeline, side } = layout;
  const drawn = shielded(session, timeline.width, () =>
    timelineParts(session, s, timeline.width, timeline.height).map((line) => line.text),
  );
  const pane = [...paneWithTabs(session, s), ...stateBelow(session, s, side.height - paneRoom(s).height - 1)];
  if (!layout.wide) return [...padded(drawn, timeline.height), ...pane];
  const bar = session.paint.dim(session.ascii ? " | " : " │ ");
  return pane.map((line, i) => `${padStyled(drawn[i] ?? "", timeline.width)}${bar}${line}`);
}

/** A damaged place of the trace, or a bug of ours, takes a pane and not the program. */
function shielded(session: ReplaySession, width: number, draw: () => string[]): string[] {
  try {
    return draw();
  } catch (error) {
    return wrapCells(safe(`this cannot be shown: ${explained(error)}`), width).map(session.paint.warn);
  }
}

/** Which seq each line of the timeline shows; for the mouse. */
export function timelineParts(session: ReplaySession, s: ReplayState, width: number, height: number): DrawnLine[] {
  const aligned = s.pane === "compare" ? alignedSeq(session, s) : null;
  if (aligned === null || session.other === null) return timelinePane(session, s, width, height);
  const upper = Math.ceil(height / 2);
  const { seq, thread } = aligned;
  const there: ReplayState = { ...s, seq, thread, bookmarks: [], finding: null };
  const only = onlySites(session, session.other);
  const title = { text: session.paint.here(fit(otherTitle(stackOf(session.other), aligned, width), width)), seq: -1 };
  const lower = timelinePane(session.other, there, width, height - upper - 1, { sites: only.there, sign: "+" });
  return [
    ...timelinePane(session, s, width, upper, { sites: only.here, sign: "-" }),
    title,
    ...lower.map((line) => ({ text: line.text, seq: -1 })),
  ];
}

/** Notes in the title of the other run, the longest first: the first one that fits is shown. */
const OTHER_NOTES: Readonly<Record<NonNullable<Aligned["waits"]> | "along", readonly string[]>> = {
  along: ["(+ - at a number: a step that only this run, or only the one above makes)", "(+ -: steps of one run only)", ""],
  diverged: [
    "(waits: the runs diverged, until both reach the same begin or end of a call or handler)",
    "(waits: the runs diverged)",
    "(waits)",
  ],
  far: [
    `(stands still: ${MAX_ALIGNED_ROWS} transitions without a begin or end of a call or handler)`,
    "(stands still: too far from any call)",
    "(stands still)",
  ],
};

/** Title of the other run's timeline, with the reason why it does not advance. */
function otherTitle(stack: string, { seq, waits }: Aligned, width: number): string {
  const name = safe(` ${stack}  seq ${seq}`, width);
  const notes = OTHER_NOTES[waits ?? "along"].map((note) => `${name}  ${note}`);
  return safe(notes.find((note) => displayWidth(note) <= width) ?? name, width);
}

function paneWithTabs(session: ReplaySession, s: ReplayState): string[] {
  const { width, height } = paneRoom(s);
  const shown = PANES.find(({ id }) => id === s.pane) ?? statePane;
  return [session.paint.strong(fit(safe(tabLine(PANE_IDS, s.pane, width), width), width)), ...paneLines(session, s, shown, width, height)];
}

/** A wide screen shows the machine's state below any other pane; nothing where there is no room. */
function stateBelow(session: ReplaySession, s: ReplayState, height: number): string[] {
  if (height <= 0) return [];
  const { width } = paneRoom(s);
  return [session.paint.strong(fit("state", width)), ...paneLines(session, s, statePane, width, height - 1)];
}

const paneLines = (session: ReplaySession, s: ReplayState, { lines }: Pane, width: number, height: number): string[] =>
  padded(
    shielded(session, width, () => lines(session, s, width, height)),
    height,
  );

const padded = (lines: readonly string[], height: number): string[] => Array.from({ length: height }, (_, i) => lines[i] ?? "");

/** What stands before the text that is typed, and what may be typed. */
const PROMPTS = {
  search: ["/", "a regular expression over function, label, kind, signal, thread; n and N go on"],
  jump: ["jump to: ", "a seq (120), a share (50%) or a time (1.5ms)"],
  sql: ["SQL: ", "such as SELECT * FROM signals (transitions, finding); up: earlier; ctrl-u clears"],
  palette: [":", "words of a command"],
} as const;

function messageLines(session: ReplaySession, s: ReplayState): string[] {
  if (s.prompt === null) {
    const text = s.message === "" || isShown(s) ? hints(session, s) : wrapCells(safe(s.message.replaceAll("\n", " ")), s.width);
    return padded(text, MESSAGE_LINES).map((line) => safe(line, s.width));
  }
  const [head, help] = PROMPTS[s.prompt];
  const [before, after] = aroundCursor(s.line, s.width - head.length - 1);
  return [`${session.paint.strong(head)}${before}${session.paint.here("_")}${after}`, session.paint.dim(safe(help, s.width))];
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
  const title = s.settled ? session.machines.title : "";
  const told = activeFinding(s);
  // These panes say themselves what Enter does there.
  if (s.pane === "sql" || (s.pane === "findings" && told !== undefined)) return [title, ""];
  if (told !== undefined) return [`walkthrough of: ${told.title}`, walkthroughPosition(s, told)];
  const [first, ...others] = s.findings;
  if (first === undefined) return [title, s.looking ? "looking for what is wrong ..." : ""];
  return [title, `! Enter tells ${others.length === 0 ? "how" : `the first of ${s.findings.length} findings`}: ${first.title}`];
}

function footer(session: ReplaySession, s: ReplayState): string {
  let text = "";
  for (const one of hintsOf(s)) {
    if (text.length + one.length + 3 > s.width) break;
    text += text === "" ? one : `   ${one}`;
  }
  return session.paint.dim(safe(text, s.width));
}

function hintsOf(s: ReplayState): string[] {
  if (s.prompt !== null) return ["enter do it", "esc leave"];
  if (s.overlay !== null) return [`${OVERLAYS[s.overlay].key} close`, "j k scroll", "space a page"];
  const hinted = COMMANDS.filter((command) => command.hint !== undefined);
  // Help and the way out are never cut off.
  const first = hinted.filter((command) => command.group === "other");
  return [...first, ...hinted.filter((command) => command.group !== "other")].map((command) => `${command.keys[0]} ${command.hint}`);
}
