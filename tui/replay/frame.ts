/** The whole screen as lines, from the state and the world alone. */

import { fit, safe } from "../present/safe.ts";
import { padStyled } from "../present/style.ts";
import { momentText } from "../present/time.ts";
import type { DrawnLine } from "../present/two-column.ts";
import { COMMANDS, matching } from "./keys.ts";
import { layoutOf, MIN_HEIGHT, MIN_WIDTH } from "./layout.ts";
import { alignedSeq, comparePane } from "./panes/compare.ts";
import { findingsPane, flowPane, signalPane, sqlPane } from "./panes/lists.ts";
import { lanesPane, minimap } from "./panes/overview.ts";
import { statePane } from "./panes/state-pane.ts";
import { timelinePane } from "./panes/timeline.ts";
import { PANES, type Pane, type ReplayState } from "./state.ts";
import type { World } from "./world.ts";

/** Exactly `height` lines of at most `width` cells; texts of strangers are safe in them. */
export function frame(world: World, s: ReplayState): string[] {
  const { width, height } = s;
  if (width < MIN_WIDTH || height < MIN_HEIGHT) return tooSmall(s);
  const lines = [header(world, s), minimap(world, s, width), ...body(world, s), messageLine(world, s), footer(world, s)];
  return lines.slice(0, height);
}

function tooSmall({ width, height }: ReplayState): string[] {
  const text = [`this terminal is ${width}x${height};`, `eintr replay needs ${MIN_WIDTH}x${MIN_HEIGHT}`, "(q quits)"];
  return Array.from({ length: Math.max(1, height) }, (_, i) => safe(text[i] ?? "", Math.max(1, width)));
}

function header(world: World, s: ReplayState): string {
  const { trace, rows } = world;
  const row = rows.at(s.seq);
  const name = [trace.info.stack, ...trace.info.fixes].join(" + ");
  const play = s.playing === 0 ? "" : `  ${s.playing === 1 ? "playing" : "playing back"} ${s.speed}/s`;
  const follow = s.signal === null ? "" : `  signal ${s.signal}`;
  const thread = trace.threads[s.thread]?.name ?? String(s.thread);
  const text = ` ${trace.info.scenario}  ${name}  ${thread}  seq ${s.seq} of ${rows.count - 1}  ${momentText(row?.time ?? 0)}${follow}${play}`;
  return world.paint.here(fit(safe(text, s.width), s.width));
}

function body(world: World, s: ReplayState): string[] {
  const layout = layoutOf(s);
  if (s.help) return padded(helpLines(world, s, layout.bodyHeight), layout.bodyHeight);
  if (s.prompt === "palette") return padded(paletteLines(world, s), layout.bodyHeight);
  const { timeline, side } = layout;
  const drawn = timelineLines(world, s, timeline.width, timeline.height);
  const pane =
    layout.wide && s.pane !== "state" ? paneAndState(world, s, side.width, side.height) : paneWithTabs(world, s, side.width, side.height);
  if (!layout.wide) return [...drawn, ...pane];
  return drawn.map((line, i) => `${padStyled(line, timeline.width)}${world.paint.dim(world.ascii ? " | " : " │ ")}${pane[i] ?? ""}`);
}

function timelineLines(world: World, s: ReplayState, width: number, height: number): string[] {
  return timelineParts(world, s, width, height).map((line) => line.text);
}

/** Which seq each line of the timeline shows; for the mouse. */
export function timelineParts(world: World, s: ReplayState, width: number, height: number): DrawnLine[] {
  const aligned = s.pane === "compare" ? alignedSeq(world, s) : null;
  if (aligned === null || world.other === null) return timelinePane(world, s, width, height);
  const upper = Math.ceil(height / 2);
  const there: ReplayState = { ...s, ...aligned, bookmarks: [], finding: null };
  const title = {
    text: world.paint.here(
      fit(safe(` ${[world.other.trace.info.stack, ...world.other.trace.info.fixes].join(" + ")}  seq ${aligned.seq}`, width), width),
    ),
    seq: -1,
  };
  const lower = timelinePane(world.other, there, width, height - upper - 1).map((line) => ({ text: line.text, seq: -1 }));
  return [...timelinePane(world, s, width, upper), title, ...lower];
}

function paneWithTabs(world: World, s: ReplayState, width: number, height: number): string[] {
  const tabs = PANES.map((pane, i) => (pane === s.pane ? `[${i + 1} ${pane}]` : ` ${i + 1} ${pane} `)).join(" ");
  const title = world.paint.strong(fit(safe(tabs, width), width));
  return [title, ...padded(paneLines(world, s, s.pane, width, height - 1), height - 1)];
}

/** A wide screen shows the machine's state below any other pane. */
function paneAndState(world: World, s: ReplayState, width: number, height: number): string[] {
  const upper = Math.ceil(height / 2);
  const title = world.paint.strong(fit("state", width));
  const state = statePane(world, s, width, height - upper - 1);
  return [...paneWithTabs(world, s, width, upper), title, ...padded(state, height - upper - 1)];
}

function paneLines(world: World, s: ReplayState, pane: Pane, width: number, height: number): string[] {
  switch (pane) {
    case "state":
      return statePane(world, s, width, height);
    case "signal":
      return scrolled(signalPane(world, s, width), s);
    case "findings":
      return findingsPane(world, s, width, height);
    case "lanes":
      return lanesPane(world, s, width, height);
    case "flow":
      return flowPane(world, s, width, height);
    case "sql":
      return sqlPane(world, s, width, height);
    case "compare":
      return comparePane(world, s, width, height);
  }
}

const scrolled = (lines: string[], s: ReplayState): string[] => lines.slice(Math.min(s.scroll, Math.max(0, lines.length - 1)));

const padded = (lines: readonly string[], height: number): string[] => Array.from({ length: height }, (_, i) => lines[i] ?? "");

const GROUPS = { time: "Time", jump: "Jumps", look: "Looking", other: "Other" } as const;
const KEY_WIDTH = 16;

function helpLines(world: World, s: ReplayState, height: number): string[] {
  const { strong, dim } = world.paint;
  const columns = s.width >= 150 ? 2 : 1;
  const half = Math.floor(s.width / columns) - 1;
  const all = Object.entries(GROUPS).flatMap(([group, title]) => [
    strong(title),
    ...COMMANDS.filter((command) => command.group === group).map((command) =>
      safe(`  ${command.keys.join(" ").padEnd(KEY_WIDTH)} ${command.text}`, half),
    ),
  ]);
  const mouse = ["  wheel: back and forward", "  click: a row goes there, the map jumps"];
  const lines = [...all, strong("Mouse"), ...mouse.map((line) => safe(line, half))];
  const count = Math.ceil(lines.length / columns);
  const from = Math.min(s.scroll, Math.max(0, count - height + 1));
  const rows = Array.from({ length: count }, (_, i) => {
    const left = lines[i] ?? "";
    return columns === 1 ? left : `${padStyled(left, half + 1)}${lines[i + count] ?? ""}`;
  });
  return [dim(safe("? closes   ctrl-d ctrl-u scroll   : all commands by name", s.width)), ...rows.slice(from, from + height - 1)];
}

function paletteLines(world: World, s: ReplayState): string[] {
  const found = matching(s.typed);
  const lines = found.map((command, i) => {
    const text = safe(
      `${i === 0 ? ">" : " "} ${command.name.padEnd(18)} ${command.keys.join(" ").padEnd(KEY_WIDTH)} ${command.text}`,
      s.width,
    );
    return i === 0 ? world.paint.here(text) : text;
  });
  return [
    world.paint.dim("type words of a command; Enter runs the first, Esc leaves"),
    ...(lines.length > 0 ? lines : ["no such command"]),
  ];
}

const PROMPTS = { search: "/", jump: "jump to (120, 50%, 1.5ms): ", sql: "SQL: ", palette: ":" } as const;

function messageLine(world: World, s: ReplayState): string {
  if (s.prompt === null) return safe(s.message.replaceAll("\n", " "), s.width);
  const head = PROMPTS[s.prompt];
  // The end of what is typed is where one types.
  const room = s.width - head.length - 1;
  const shown = [...s.typed].slice(-Math.max(1, Math.floor(room / 2))).join("");
  return `${world.paint.strong(head)}${safe(s.typed.length <= room ? s.typed : shown, room)}${world.paint.here(" ")}`;
}

function footer(world: World, s: ReplayState): string {
  const hinted = COMMANDS.filter((command) => command.hint !== undefined);
  // Help and the way out are never cut off.
  const first = hinted.filter((command) => command.group === "other");
  const hints = [...first, ...hinted.filter((command) => command.group !== "other")].map((command) => `${command.keys[0]} ${command.hint}`);
  let text = "";
  for (const hint of s.prompt !== null ? ["enter do it", "esc leave"] : hints) {
    if (text.length + hint.length + 3 > s.width) break;
    text += text === "" ? hint : `   ${hint}`;
  }
  return world.paint.dim(safe(text, s.width));
}
