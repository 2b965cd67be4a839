/** Keys and mouse to commands: what an open prompt or overlay takes for itself, and the rest by the key table. */

import { attempt } from "./attempt.ts";
import type { Context } from "./context.ts";
import { timelineParts } from "./frame.ts";
import { arrive, jump, move, sql } from "./going.ts";
import type { Typed } from "./key-name.ts";
import { commandOfKey, matching } from "./keys.ts";
import { layoutOf } from "./layout.ts";
import type { MouseEvent } from "./mouse.ts";
import { OVERLAYS } from "./overlay.ts";
import { seqAtColumn } from "./panes/minimap.ts";
import { search } from "./search.ts";
import type { Overlay } from "./state.ts";
import { evidence } from "./story.ts";

/** One key. Resolves when what it began is over; never rejects. */
export function onKey(c: Context, typed: Typed): Promise<void> {
  return attempt(c, () => {
    const { name } = typed;
    if (name === "ctrl-z") return c.suspend();
    // Any key ends what goes on in the background.
    if (c.state().busy) {
      c.cancel();
      c.dispatch({ type: "say", message: "stopped" });
      if (name === "escape") return;
    }
    const { prompt, overlay } = c.state();
    if (prompt !== null) return onTyped(c, typed);
    if (overlay !== null) return onOverlay(c, overlay, name);
    return commandOfKey.get(name)?.run(c);
  });
}

/** Keys that scroll it do; any other key closes it and does nothing else, but that Ctrl-C leaves from everywhere. */
function onOverlay(c: Context, overlay: Overlay, name: string): void {
  const s = c.state();
  const room = layoutOf(s).bodyHeight - 1;
  const most = Math.max(0, OVERLAYS[overlay].lines(c.world, s).length - room);
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
      return c.dispatch({ type: "overlay", overlay: null });
  }
}

/** Longest text of a prompt. */
const MAX_TYPED = 2000;

function onTyped(c: Context, { name, text }: Typed): void | Promise<void> {
  const { prompt, typed } = c.state();
  if (name === "escape" || name === "ctrl-c") return c.dispatch({ type: "prompt", prompt: null });
  if (name === "backspace") return c.dispatch({ type: "type", typed: [...typed].slice(0, -1).join("") });
  if (name === "ctrl-u") return c.dispatch({ type: "type", typed: "" });
  if (name === "ctrl-w") return c.dispatch({ type: "type", typed: withoutLastWord(typed) });
  if (name !== "enter") {
    const printable = text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "");
    if (printable !== "" && !name.startsWith("ctrl-")) c.dispatch({ type: "type", typed: (typed + printable).slice(0, MAX_TYPED) });
    return;
  }
  c.dispatch({ type: "prompt", prompt: null });
  switch (prompt) {
    case "jump":
      return jump(c, typed);
    case "search":
      if (typed === "") return c.dispatch({ type: "say", message: "nothing to search for" });
      c.dispatch({ type: "search", text: typed });
      return search(c, 1);
    case "sql":
      return sql(c, typed);
    case "palette":
      return palette(c, typed);
  }
}

const withoutLastWord = (text: string): string => text.trimEnd().replace(/\S+$/, "");

function palette(c: Context, typed: string): void | Promise<void> {
  if (typed.trim() === "") return;
  const [command] = matching(typed);
  if (command === undefined) return c.dispatch({ type: "say", message: `no command has "${typed.trim()}" in its name or text` });
  return command.run(c);
}

export function onMouse(c: Context, mouse: MouseEvent): Promise<void> {
  return attempt(c, () => {
    const s = c.state();
    const wheel = mouse.what === "wheel-up" ? -1 : mouse.what === "wheel-down" ? 1 : null;
    if (s.overlay !== null && wheel !== null) return onOverlay(c, s.overlay, wheel === 1 ? "j" : "k");
    if (s.overlay !== null || s.prompt !== null) return;
    if (wheel !== null) return move(c, "step", wheel);
    if (mouse.what === "release") return;
    if (mouse.line === 1) return arrive(c, seqAtColumn(mouse.column, s.width, c.world.rows.count), null);
    const { timeline, bodyTop } = layoutOf(s);
    const line = mouse.line - bodyTop;
    if (mouse.what !== "press" || line < 0 || line >= timeline.height || mouse.column >= timeline.width) return;
    const seq = timelineParts(c.world, s, timeline.width, timeline.height)[line]?.seq ?? -1;
    if (seq >= 0) arrive(c, seq, s.thread);
  });
}

/** One tick of play. */
export function onTick(c: Context, steps: number): Promise<void> {
  return attempt(c, async () => {
    const { playing, playWhat } = c.state();
    for (let i = 0; i < steps && playing !== 0; i += 1) {
      if (playWhat !== "evidence") await move(c, playWhat, playing);
      else if (!evidence(c, playing)) return c.dispatch({ type: "play", direction: 0 });
    }
  });
}
