/** Keys and mouse to commands: what an open prompt or overlay takes for itself, and the rest by the key table. */

import { complete } from "../../sql-names.ts";
import { attempt } from "../attempt.ts";
import type { Context } from "../context.ts";
import { clickAt, dragTo, zoomAt } from "../lanes/commands.ts";
import { note } from "../navigate/bookmarks.ts";
import { goTo, jump, move, sql } from "../navigate/navigation.ts";
import { compareTyped, ignoreTyped, pick } from "../navigate/picking.ts";
import { search } from "../navigate/search.ts";
import { addCondition, hideRows } from "../navigate/stops.ts";
import { evidence } from "../navigate/walkthrough.ts";
import { PANE_IDS } from "../panes/index.ts";
import { seqAtColumn } from "../panes/minimap.ts";
import { tabAt } from "../panes/tabs.ts";
import { timelineParts } from "../screen/frame.ts";
import { chosenPanel, gripAt, layoutOf, type Panel, type Rect, resized, roomOf } from "../screen/layout.ts";
import { OVERLAYS } from "../screen/overlay.ts";
import { isIdleLine, type Overlay, type Prompt } from "../state.ts";
import { commandOfKey, matching, scroll } from "./commands.ts";
import { edited, inserted, type Line, lineOf } from "./line-edit.ts";
import type { MouseEvent } from "./mouse.ts";
import type { Typed } from "./terminal-input.ts";

/** One key. Resolves when what it began is over; never rejects. */
export function onKey(c: Context, typed: Typed): Promise<void> {
  return attempt(c, () => {
    const { name } = typed;
    if (name === "ctrl-z") return c.suspend();
    if (stopTask(c) && ONLY_STOP.has(name)) return;
    return untouched(c, () => {
      const { prompt, overlay } = c.state();
      if (overlay !== null) return onOverlay(c, overlay, name);
      if (prompt !== null && (!isIdleLine(c.state()) || isForLine(typed))) return onTyped(c, typed);
      const by = arrowIn(c, name);
      if (by !== null) return pick(c, by);
      const command = commandOfKey.get(name);
      return command === undefined ? c.dispatch({ type: "say", message: unknownKey(name) }) : command.run(c);
    });
  });
}

/** Statements begin with a letter: other keys are meant for what is above the line. */
const isForLine = ({ name, text }: Typed): boolean => /^\p{L}/u.test(text) || OF_LINE.has(name);
const OF_LINE: ReadonlySet<string> = new Set(["escape", "backspace", "delete"]);

/** In a list the arrows choose, as everywhere; j and k are steps in all panes. Null for other keys, and where the pane is no list. */
function arrowIn({ session, state }: Context, name: string): 1 | -1 | null {
  const { pane } = state();
  const isList = pane === "sql" || pane === "stops" || (pane === "compare" && session.other === null);
  return !isList ? null : name === "down" ? 1 : name === "up" ? -1 : null;
}

/** Escape is pressed to leave something: there is nothing to leave. */
const unknownKey = (name: string): string => (name === "escape" ? "" : `${name} means nothing here: ? lists the keys, : finds a command`);

/** What the first key does may look at how the trace was opened; after it that is over. */
function untouched(c: Context, run: () => void | Promise<void>): void | Promise<void> {
  const going = run();
  c.dispatch({ type: "touched" });
  return going;
}

/** Who presses these while something goes on wants no more than that it ends: those of play would begin it again. */
const ONLY_STOP: ReadonlySet<string> = new Set(["escape", "space", "backspace"]);

/** Any key ends what goes on in the background, and play when it is play that looks. */
function stopTask(c: Context): boolean {
  if (!c.state().busy) return false;
  c.cancel();
  c.dispatch({ type: "busy", busy: false });
  c.dispatch({ type: "play", direction: 0 });
  c.dispatch({ type: "say", message: "stopped" });
  return true;
}

/** Pasted text is taken by an open prompt only: read as keys it would run commands that nobody asked for. */
export function onPaste(c: Context, text: string): void {
  const { prompt, line } = c.state();
  if (prompt !== null) return c.dispatch({ type: "type", line: inserted(line, text) });
  c.dispatch({ type: "say", message: "what is pasted is only taken where text is asked for (/ g ; :)" });
}

/** Keys of which nothing is meant but that the overlay goes. */
const ONLY_CLOSE: ReadonlySet<string> = new Set(["escape", "enter", "q"]);

/** Keys that scroll it do; another command closes it and does what it does, or else what is typed next would be read as something else. */
function onOverlay(c: Context, overlay: Overlay, name: string): void | Promise<void> {
  const s = c.state();
  const room = layoutOf(s).bodyHeight - 1;
  const most = Math.max(0, OVERLAYS[overlay].lines(c.session, s).length - room);
  const to = (line: number): void => c.dispatch({ type: "scroll", by: Math.max(0, Math.min(most, line)) - s.scroll });
  switch (name) {
    case "j":
    case "down":
      return to(s.scroll + 1);
    case "k":
    case "up":
      return to(s.scroll - 1);
    case "space":
    case "ctrl-d":
    case "pagedown":
      return to(s.scroll + room);
    case "ctrl-u":
    case "pageup":
      return to(s.scroll - room);
    case "ctrl-c":
      return c.quit();
    default:
      c.dispatch({ type: "overlay", overlay: null });
      return ONLY_CLOSE.has(name) || name === OVERLAYS[overlay].key ? undefined : commandOfKey.get(name)?.run(c);
  }
}

function onTyped(c: Context, typed: Typed): void | Promise<void> {
  const { prompt, line } = c.state();
  const { name } = typed;
  if (prompt === null || name === "escape" || name === "ctrl-c") return c.dispatch({ type: "prompt", prompt: null });
  if (prompt === "palette" && (name === "up" || name === "down")) return chooseCommand(c, name === "up" ? -1 : 1);
  if (name === "up" || name === "down") return recall(c, prompt, name === "up" ? 1 : -1);
  if (name === "tab" && prompt === "sql") return completeWord(c, line);
  if (name !== "enter") return c.dispatch({ type: "type", line: edited(line, typed) });
  const text = line.typed;
  const { command } = c.state().picked;
  c.dispatch({ type: "entered", prompt, text });
  switch (prompt) {
    case "jump":
      return jump(c, text);
    case "search":
      // As in other programs: nothing typed means what was searched before.
      if (text !== "") c.dispatch({ type: "search", text });
      return search(c, 1);
    case "sql":
      return sql(c, text);
    case "condition":
      return addCondition(c, text);
    case "compare":
      return compareTyped(c, text);
    case "ignore":
      return ignoreTyped(c, text);
    case "hide":
      return hideRows(c, text);
    case "note":
      return note(c, text);
    case "palette":
      return palette(c, text, command);
  }
}

/** What the word before the cursor can go on to: as far as all agree; what there is to choose from is said. */
function completeWord(c: Context, line: Line): void {
  const characters = [...line.typed];
  const [found, word] = complete(characters.slice(0, line.cursor).join(""));
  if (found.length === 0) return;
  const [first = ""] = found;
  let length = first.length;
  for (const name of found) while (!name.toLowerCase().startsWith(first.slice(0, length).toLowerCase())) length -= 1;
  const shared = found.length === 1 ? first : first.slice(0, length);
  if (shared.length > word.length)
    c.dispatch({
      type: "type",
      line: inserted({ ...line, typed: withoutWord(characters, line.cursor, word), cursor: line.cursor - word.length }, shared),
    });
  if (found.length > 1) c.dispatch({ type: "say", message: found.slice(0, 30).join("  ") });
}

const withoutWord = (characters: readonly string[], cursor: number, word: string): string =>
  [...characters.slice(0, cursor - word.length), ...characters.slice(cursor)].join("");

/** An earlier (1) or later (-1) one of what was entered here. */
function recall(c: Context, prompt: Prompt, by: 1 | -1): void {
  const { entered, historyIndex } = c.state();
  const before = entered[prompt];
  const back = Math.max(0, Math.min(before.length, historyIndex + by));
  c.dispatch({ type: "type", line: lineOf(back === 0 ? "" : (before.at(-back) ?? "")), historyIndex: back });
}

/** The next (1) or previous (-1) command of those that are listed. */
function chooseCommand(c: Context, by: 1 | -1): void {
  const { line, picked } = c.state();
  const at = picked.command ?? (line.typed.trim() === "" ? -1 : 0);
  c.dispatch({ type: "picked", picked: { command: Math.max(0, Math.min(matching(line.typed).length - 1, at + by)) } });
}

function palette(c: Context, typed: string, chosen: number | null): void | Promise<void> {
  if (typed.trim() === "" && chosen === null) return;
  const command = matching(typed)[chosen ?? 0];
  if (command === undefined)
    return c.dispatch({ type: "say", message: `no command and no question has "${typed.trim()}" in its name or text` });
  return command.run(c);
}

export function onMouse(c: Context, mouse: MouseEvent): Promise<void> {
  return attempt(c, async () => {
    // The hand is still on the button, or nothing is meant.
    if (mouse.what === "other") return;
    if (mouse.what === "release") return letGo(c);
    stopTask(c);
    await untouched(c, () => onMeant(c, mouse));
  });
}

function letGo(c: Context): void {
  const { grip, lanes, lanesHeld } = c.state();
  if (grip !== null) c.dispatch({ type: "grip", grip: null });
  if (lanesHeld !== null) c.dispatch({ type: "lanes", lanes, held: null });
}

function onMeant(c: Context, mouse: MouseEvent): void | Promise<void> {
  const s = c.state();
  const wheel = mouse.what === "wheel-up" ? -1 : mouse.what === "wheel-down" ? 1 : null;
  if (s.overlay !== null && wheel !== null) return onOverlay(c, s.overlay, wheel === 1 ? "j" : "k");
  if (s.overlay !== null || (s.prompt !== null && !isIdleLine(s))) return;
  const { line, column } = mouse;
  if (mouse.what === "drag" && s.grip !== null) return c.dispatch({ type: "sizes", sizes: resized(s, s.grip, line, column) });
  const layout = layoutOf(s);
  if (mouse.what === "drag" && s.lanesHeld !== null) return dragTo(c, chosenPanel(s).width, column);
  const panel = layout.panels.find((one) => isInside(one, line, column)) ?? null;
  if (wheel !== null) return panel === null ? move(c, "step", wheel) : onPanelWheel(c, panel, column, wheel);
  if (line === 1) return goTo(c, seqAtColumn(column, s.width, c.session.rows.count), null);
  if (mouse.what !== "press") return;
  const grip = gripAt(layout, line, column);
  if (grip !== null) c.dispatch({ type: "grip", grip });
  if (isInside(layout.tabs, line, column)) return onTab(c, layout.tabs, line, column);
  if (panel === null) return onTimeline(c, mouse);
  choose(c, panel);
  if (panel.pane === "lanes" && grip === null) {
    const title = panel.height - roomOf(panel).height;
    clickAt(c, roomOf(panel), line - panel.top - title, column - panel.left);
    c.dispatch({ type: "lanes", lanes: c.state().lanes, held: column });
  }
}

const isInside = ({ left, top, width, height }: Rect, line: number, column: number): boolean =>
  line >= top && line < top + height && column >= left && column < left + width;

/** A click on a tab opens its pane. */
function onTab(c: Context, tabs: Rect, line: number, column: number): void {
  const pane = tabAt(PANE_IDS, c.state().pane, tabs, line - tabs.top, column - tabs.left);
  if (pane !== null) c.dispatch({ type: "pane", pane });
}

/** A panel that is clicked or scrolled is the chosen one. */
function choose(c: Context, { pane }: Panel): void {
  if (pane !== c.state().pane) c.dispatch({ type: "pane", pane });
}

function onPanelWheel(c: Context, panel: Panel, column: number, by: 1 | -1): void {
  choose(c, panel);
  if (panel.pane === "lanes") return zoomAt(c, panel.width, column - panel.left, by === 1 ? -1 : 1);
  scroll(c, by);
}

/** A click on a row goes there. */
function onTimeline(c: Context, { line, column }: MouseEvent): void {
  const s = c.state();
  const { timeline, bodyTop } = layoutOf(s);
  if (line < bodyTop || line >= bodyTop + timeline.height || column >= timeline.width) return;
  const seq = timelineParts(c.session, s, timeline.width, timeline.height)[line - bodyTop]?.seq ?? -1;
  if (seq >= 0) goTo(c, seq, s.thread);
}

/** One tick of play; it may be stopped between two steps. */
export function onTick(c: Context, steps: number): Promise<void> {
  return attempt(c, async () => {
    for (let i = 0; i < steps; i += 1) {
      const { playing, playWhat } = c.state();
      if (playing === 0) return;
      if (playWhat !== "evidence") await move(c, playWhat, playing);
      else if (!evidence(c, playing)) return c.dispatch({ type: "play", direction: 0 });
    }
  });
}
