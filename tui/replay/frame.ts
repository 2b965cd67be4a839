/** The whole screen as lines, from the state and the world alone. */

import type { Transition } from "../../engine/index.ts";
import { fit, safe } from "../present/safe.ts";
import { padStyled } from "../present/style.ts";
import { momentText } from "../present/time.ts";
import { type DrawnLine, wrapCells } from "../present/two-column.ts";
import { alignedSeq } from "./aligning.ts";
import { explained } from "./attempt.ts";
import { helpLines, paletteLines } from "./help.ts";
import { COMMANDS } from "./keys.ts";
import { layoutOf, MESSAGE_LINES, MIN_HEIGHT, MIN_WIDTH, SPARE_LINES } from "./layout.ts";
import { PANES } from "./panes/index.ts";
import { minimap } from "./panes/minimap.ts";
import type { Pane } from "./panes/pane.ts";
import { statePane } from "./panes/state.ts";
import { timelinePane } from "./panes/timeline.ts";
import { type ReplayState, stepsPerSecond } from "./state.ts";
import type { World } from "./world.ts";

/** Exactly `height` lines of at most `width` cells; texts of strangers are safe in them. */
export function frame(world: World, s: ReplayState): string[] {
  const { width, height } = s;
  if (width < MIN_WIDTH || height < MIN_HEIGHT) return tooSmall(s);
  const lines = [header(world, s), minimap(world, s, width), ...body(world, s), ...messageLines(world, s), footer(world, s)];
  return lines.slice(0, height);
}

function tooSmall({ width, height }: ReplayState): string[] {
  const size = (w: number, h: number): string => `${w}x${h + SPARE_LINES}`;
  const text = [`this terminal is ${size(width, height)};`, `eintr replay needs ${size(MIN_WIDTH, MIN_HEIGHT)}`, "(q quits)"];
  return Array.from({ length: Math.max(1, height) }, (_, i) => safe(text[i] ?? "", Math.max(1, width)));
}

const stackOf = (world: World): string => [world.trace.info.stack, ...world.trace.info.fixes].join(" + ");

function header(world: World, s: ReplayState): string {
  const { trace, rows } = world;
  const play = s.playing === 0 ? "" : `${s.playing === 1 ? "playing" : "playing back"} ${stepsPerSecond(s)}/s  `;
  const follow = s.signal === null ? "" : `signal ${s.signal}  `;
  const thread = trace.threads[s.thread]?.name ?? String(s.thread);
  const name = ` ${trace.info.scenario} on ${stackOf(world)}  thread ${thread}`;
  // Where one is stands at the right: a long name does not push it out.
  const place = safe(`  ${play}${follow}seq ${s.seq} of ${rows.count - 1}  ${momentText(rowAt(world, s.seq)?.time ?? 0)} `, s.width);
  return world.paint.here(fit(safe(name, s.width - place.length), s.width - place.length) + place);
}

/** Null also where the trace is damaged: the timeline says so. */
function rowAt(world: World, seq: number): Transition | null {
  try {
    return world.rows.at(seq);
  } catch {
    return null;
  }
}

function body(world: World, s: ReplayState): string[] {
  const layout = layoutOf(s);
  if (s.help) return padded(helpLines(world, s, layout.bodyHeight), layout.bodyHeight);
  if (s.prompt === "palette") return padded(paletteLines(world, s), layout.bodyHeight);
  const { timeline, side } = layout;
  const drawn = shielded(world, timeline.width, () => timelineParts(world, s, timeline.width, timeline.height).map((line) => line.text));
  const pane =
    layout.wide && s.pane !== "state" ? paneAndState(world, s, side.width, side.height) : paneWithTabs(world, s, side.width, side.height);
  if (!layout.wide) return [...padded(drawn, timeline.height), ...pane];
  const bar = world.paint.dim(world.ascii ? " | " : " │ ");
  return pane.map((line, i) => `${padStyled(drawn[i] ?? "", timeline.width)}${bar}${line}`);
}

/** A damaged place of the trace, or a bug of ours, takes a pane and not the program. */
function shielded(world: World, width: number, draw: () => string[]): string[] {
  try {
    return draw();
  } catch (error) {
    return wrapCells(safe(`this cannot be shown: ${explained(error)}`), width).map(world.paint.warn);
  }
}

/** Which seq each line of the timeline shows; for the mouse. */
export function timelineParts(world: World, s: ReplayState, width: number, height: number): DrawnLine[] {
  const aligned = s.pane === "compare" ? alignedSeq(world, s) : null;
  if (aligned === null || world.other === null) return timelinePane(world, s, width, height);
  const upper = Math.ceil(height / 2);
  const there: ReplayState = { ...s, ...aligned, bookmarks: [], finding: null };
  const name = safe(` ${stackOf(world.other)}  seq ${aligned.seq}`, width);
  const title = { text: world.paint.here(fit(name, width)), seq: -1 };
  const lower = timelinePane(world.other, there, width, height - upper - 1).map((line) => ({ text: line.text, seq: -1 }));
  return [...timelinePane(world, s, width, upper), title, ...lower];
}

function paneWithTabs(world: World, s: ReplayState, width: number, height: number): string[] {
  const tabs = PANES.map(({ id }, i) => (id === s.pane ? `[${i + 1} ${id}]` : ` ${i + 1} ${id} `)).join(" ");
  const shown = PANES.find(({ id }) => id === s.pane) ?? statePane;
  return [world.paint.strong(fit(safe(tabs, width), width)), ...paneLines(world, s, shown, width, height - 1)];
}

/** A wide screen shows the machine's state below any other pane. */
function paneAndState(world: World, s: ReplayState, width: number, height: number): string[] {
  const upper = Math.ceil(height / 2);
  const title = world.paint.strong(fit("state", width));
  return [...paneWithTabs(world, s, width, upper), title, ...paneLines(world, s, statePane, width, height - upper - 1)];
}

const paneLines = (world: World, s: ReplayState, { lines }: Pane, width: number, height: number): string[] =>
  padded(
    shielded(world, width, () => lines(world, s, width, height)),
    height,
  );

const padded = (lines: readonly string[], height: number): string[] => Array.from({ length: height }, (_, i) => lines[i] ?? "");

/** What stands before the text that is typed, and what may be typed. */
const PROMPTS = {
  search: ["/", "a regular expression over function, label, kind, signal, thread; n and N go on"],
  jump: ["jump to: ", "a seq (120), a share (50%) or a time (1.5ms)"],
  sql: ["SQL: ", "such as SELECT * FROM signals; a column seq can be jumped to; eintr schema lists the tables"],
  palette: [":", "words of a command"],
} as const;

function messageLines(world: World, s: ReplayState): string[] {
  if (s.prompt === null) {
    const text = s.message === "" ? hints(world, s) : wrapCells(safe(s.message.replaceAll("\n", " ")), s.width);
    return padded(text, MESSAGE_LINES).map((line) => safe(line, s.width));
  }
  const [head, help] = PROMPTS[s.prompt];
  // The end of what is typed is where one types.
  const room = s.width - head.length - 1;
  const shown = [...s.typed].slice(-Math.max(1, Math.floor(room / 2))).join("");
  const typed = `${world.paint.strong(head)}${safe(s.typed.length <= room ? s.typed : shown, room)}${world.paint.here("_")}`;
  return [typed, world.paint.dim(safe(help, s.width))];
}

/** With nothing else to say: what there is to see. */
function hints(world: World, s: ReplayState): string[] {
  const told = s.finding === null ? undefined : s.findings[s.finding];
  if (told !== undefined) return [`the story of: ${told.title}`, "Enter goes on with it"];
  const [first, ...others] = s.findings;
  const title = s.settled ? world.machines.title : "";
  if (first === undefined) return [title, s.looking ? "looking for what is wrong ..." : ""];
  return [title, `! Enter tells ${others.length === 0 ? "how" : `the first of ${s.findings.length} findings`}: ${first.title}`];
}

function footer(world: World, s: ReplayState): string {
  let text = "";
  for (const one of hintsOf(s)) {
    if (text.length + one.length + 3 > s.width) break;
    text += text === "" ? one : `   ${one}`;
  }
  return world.paint.dim(safe(text, s.width));
}

function hintsOf(s: ReplayState): string[] {
  if (s.prompt !== null) return ["enter do it", "esc leave"];
  if (s.help) return ["? close", "j k scroll", "space a page"];
  const hinted = COMMANDS.filter((command) => command.hint !== undefined);
  // Help and the way out are never cut off.
  const first = hinted.filter((command) => command.group === "other");
  return [...first, ...hinted.filter((command) => command.group !== "other")].map((command) => `${command.keys[0]} ${command.hint}`);
}
