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
import { PANE_IDS, PANES } from "../panes/index.ts";
import { mergedPane } from "../panes/merged.ts";
import { minimap } from "../panes/minimap.ts";
import type { Pane } from "../panes/pane.ts";
import { statePane } from "../panes/state.ts";
import { tabKey, tabLines } from "../panes/tabs.ts";
import { timelinePane } from "../panes/timeline.ts";
import { otherName, type ReplaySession, stackOf } from "../session.ts";
import { type ReplayState, stepsPerSecond } from "../state.ts";
import { paletteLines } from "./help.ts";
import { BAR, type Layout, layoutOf, MIN_HEIGHT, MIN_WIDTH, type Panel, roomOf, SPARE_LINES } from "./layout.ts";
import { footer, messageLines } from "./messages.ts";
import { overlayLines } from "./overlay.ts";

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
  if (s.prompt === "palette") return padded(paletteLines(session, s, layout.bodyHeight), layout.bodyHeight);
  const { timeline, panels, wide } = layout;
  const drawn = shielded(session, timeline.width, () =>
    timelineParts(session, s, timeline.width, timeline.height).map((line) => line.text),
  );
  const strip = panels.filter(({ place }) => place === "strip");
  const side = panels.filter(({ place }) => place !== "strip");
  const beside = [...tabsOf(session, s, layout), ...side.flatMap((panel) => panelLines(session, s, panel))];
  if (!wide) return [...padded(drawn, timeline.height), ...beside];
  const bar = session.paint.dim(session.ascii ? " | " : " │ ");
  return [
    ...beside.map((line, i) => `${padStyled(drawn[i] ?? "", timeline.width)}${bar}${line}`),
    ...strip.flatMap((panel) => panelLines(session, s, panel)),
  ];
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
  if (aligned === null || session.other === null) return (s.merged ? mergedPane : timelinePane)(session, s, width, height);
  const { seq, thread } = aligned;
  const there: ReplayState = { ...s, seq, thread, bookmarks: [], findings: [], finding: null };
  const only = onlySites(session, session.other);
  const areSigned = only.here.size + only.there.size > 0;
  const title = (room: number, of: ReplaySession): DrawnLine => ({
    text: session.paint.here(fit(otherTitle(of === session ? stackOf(of) : otherName(session, of), aligned, areSigned, room), room)),
    seq: -1,
  });
  const beside = Math.floor((width - BAR) / 2);
  if (beside >= MIN_WIDTH) {
    const left = timelinePane(session, s, beside, height - 1, { sites: only.here, sign: "-" });
    const right = timelinePane(session.other, there, beside, height - 1, { sites: only.there, sign: "+" });
    const name = session.paint.here(fit(safe(` ${stackOf(session)}  seq ${s.seq}`, beside), beside));
    const bar = session.paint.dim(session.ascii ? " | " : " │ ");
    const rows = left.map((line, i) => ({ seq: line.seq, text: `${padStyled(line.text, beside)}${bar}${right[i]?.text ?? ""}` }));
    return [{ seq: -1, text: `${name}${bar}${title(beside, session.other).text}` }, ...rows];
  }
  const upper = Math.ceil(height / 2);
  const lower = timelinePane(session.other, there, width, height - upper - 1, { sites: only.there, sign: "+" });
  return [
    ...timelinePane(session, s, width, upper, { sites: only.here, sign: "-" }),
    title(width, session.other),
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
function otherTitle(stack: string, { seq, waits }: Aligned, areSigned: boolean, width: number): string {
  const name = safe(` ${stack}  seq ${seq}`, width);
  const notes = (waits === null && !areSigned ? [] : OTHER_NOTES[waits ?? "along"]).map((note) => `${name}  ${note}`);
  return safe(notes.find((note) => displayWidth(note) <= width) ?? name, width);
}

const tabsOf = (session: ReplaySession, s: ReplayState, { tabs }: Layout): string[] =>
  tabLines(PANE_IDS, s.pane, tabs).map((line) => session.paint.strong(fit(safe(line, tabs.width), tabs.width)));

/** A panel with its title. Only the chosen pane is scrolled. */
function panelLines(session: ReplaySession, s: ReplayState, panel: Panel): string[] {
  const { width, height } = roomOf(panel);
  const pane: Pane = PANES.find(({ id }) => id === panel.pane) ?? statePane;
  const shown = pane.id === s.pane || s.scroll === 0 ? s : { ...s, scroll: 0 };
  const lines = padded(
    shielded(session, width, () => pane.lines(session, shown, width, height)),
    height,
  );
  return panel.place === "chosen" ? lines : [panelTitle(session, s, panel), ...lines];
}

/** "─ 4 lanes ─────". */
function panelTitle({ paint, ascii }: ReplaySession, s: ReplayState, { pane, width }: Panel): string {
  const line = ascii ? "-" : "─";
  const name = ` ${tabKey(PANE_IDS.indexOf(pane))} ${pane} `;
  const rest = line.repeat(Math.max(0, width - name.length - 1));
  return `${paint.dim(line)}${pane === s.pane ? paint.here(name) : paint.strong(name)}${paint.dim(rest)}`;
}

const padded = (lines: readonly string[], height: number): string[] => Array.from({ length: height }, (_, i) => lines[i] ?? "");
