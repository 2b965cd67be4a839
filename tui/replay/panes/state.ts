/** The machine's state, with what the last step changed marked. */

import type { StateLine } from "../../../engine/index.ts";
import { safe } from "../../present/safe.ts";
import { wrapCells } from "../../present/two-column.ts";
import type { StandingAt } from "../machine/machine-at.ts";
import { toldByRows } from "../machine/told-by-rows.ts";
import type { ReplaySession } from "../session.ts";
import type { ReplayState } from "../state.ts";
import { type Pane, scrollBy, scrolledFrom } from "./pane.ts";

/** States kept as lines: a redraw, and the state before a step, need no machine. */
const KEPT = 64;
const kept = new WeakMap<ReplaySession, Map<string, readonly StateLine[] | string>>();

/** The thread, and where it is, are always seen. */
const PINNED = 2;

export const statePane: Pane<"state"> = {
  id: "state",
  title: "stacks, masks, locks, ...; *: changed by the last step",
  lines(session, s, width, height) {
    if (!s.settled) return [session.paint.dim("...")];
    const all = markedLines(session, s);
    if (typeof all === "string") return wrapCells(safe(all), width).map(session.paint.dim);
    const { base, most, room } = windowOf(all, height, s.pane === "state" ? s.picked.state : null);
    const from = PINNED + (s.pane === "state" ? scrolledFrom(base, most, s.scroll) : base);
    const shown = [...all.slice(0, PINNED), ...all.slice(from, from + room)].map(({ key, text, changed }) => {
      const isPicked = s.pane === "state" && key === s.picked.state;
      const line = safe(`${changed ? "*" : " "}${isPicked ? ">" : " "}${text}`, width);
      return isPicked ? session.paint.here(line) : changed ? session.paint.strong(line) : line;
    });
    if (most === 0) return shown;
    const how = s.pane === "state" ? "ctrl-d, ctrl-u" : "1 scrolls";
    const below = all.slice(from + room);
    const changed = below.filter((line) => line.changed).length;
    const hidden = from > PINNED ? `${from - PINNED} lines above, ${below.length} below` : `${below.length} lines below`;
    const marks = changed === 0 ? "" : `, ${changed} changed`;
    return [...shown, session.paint.dim(safe(`  ... ${hidden}${marks} (${how})`, width))];
  },
  scroll(session, s, { height }, by) {
    const all = s.settled ? markedLines(session, s) : "";
    const { base, most } = windowOf(typeof all === "string" ? [] : all, height, s.picked.state);
    return scrollBy(s, base, most, by);
  },
};

interface MarkedLine extends StateLine {
  /** By the last step. */
  readonly changed: boolean;
}

/**
 * Of the lines after the pinned ones: where they begin unscrolled, and at most. That is at the first, or at the first one that the last
 * step changed where else none of those would be seen.
 */
function windowOf(all: readonly MarkedLine[], height: number, picked: string | null): { base: number; most: number; room: number } {
  if (all.length <= height) return { base: 0, most: 0, room: height };
  const room = Math.max(1, height - PINNED - 1);
  const most = all.length - PINNED - room;
  const chosen = all.findIndex(({ key }) => key === picked) - PINNED;
  if (chosen >= 0) return { base: Math.min(most, Math.max(0, chosen - room + 1)), most, room };
  const first = all.findIndex(({ changed, isFrame }) => changed && !isFrame) - PINNED;
  return { base: first < room ? 0 : Math.min(most, first), most, room };
}

/** The state after the last step as lines, or why there is none. */
function markedLines(session: ReplaySession, s: ReplayState): MarkedLine[] | string {
  // In this order: from the state before to the one now is one step, the other way is a run from a keyframe.
  const before = s.seq > 0 ? linesAt(session, s.seq - 1, s.thread) : [];
  const now = linesAt(session, s.seq, s.thread);
  if (typeof now === "string") return now;
  const was = new Map((typeof before === "string" ? [] : before).map((line) => [line.key, line.text]));
  return now.map((line) => ({ ...line, changed: s.seq > 0 && was.get(line.key) !== line.text }));
}

/** The state as lines, or why there is none. */
export const stateLines = (session: ReplaySession, seq: number, thread: number): readonly StateLine[] | string =>
  linesAt(session, seq, thread);

function linesAt(session: ReplaySession, seq: number, thread: number): readonly StateLine[] | string {
  let lines = kept.get(session);
  if (lines === undefined) kept.set(session, (lines = new Map()));
  const key = `${seq} ${thread}`;
  let found = lines.get(key);
  if (found === undefined) {
    const state = session.machines.at(seq);
    found = "none" in state ? withoutMachine(session, state.none, seq, thread) : linesOf(session, state, thread);
    if (lines.size >= KEPT) lines.delete(lines.keys().next().value ?? "");
    lines.set(key, found);
  }
  return found;
}

/** Of an imported log its rows tell what there is to know; another trace says why its machine cannot be looked into. */
function withoutMachine(session: ReplaySession, why: string, seq: number, thread: number): readonly StateLine[] | string {
  if (session.trace.info.origin !== "imported") return why;
  return [...toldByRows(session, seq, thread), { key: "why", text: why, isFrame: false }];
}

const GONE: StateLine = { key: "gone", text: "this thread does not exist here: it has ended, or has not started", isFrame: false };

/** The stack declares the lines. */
export function linesOf({ shown }: ReplaySession, { machine, run }: StandingAt, id: number): readonly StateLine[] {
  const thread = machine.threads[id] ?? null;
  if (thread === null) return [GONE];
  return shown.stateLines({ machine, program: run.cpu.program, thread, process: machine.processes[thread.process] ?? null });
}
