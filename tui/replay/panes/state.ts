/** The machine's state, with what the last step changed marked. */

import { safe } from "../../present/safe.ts";
import { wrapCells } from "../../present/two-column.ts";
import { type StateLine, stateLines } from "../machine-lines.ts";
import type { World } from "../world.ts";
import type { Pane } from "./pane.ts";

/** States kept as lines: a redraw, and the state before a step, need no machine. */
const KEPT = 64;
const kept = new WeakMap<World, Map<string, StateLine[] | string>>();

export const statePane: Pane<"state"> = {
  id: "state",
  title: "stacks, masks, locks, ...; *: changed by the last step",
  lines(world, s, width, height) {
    if (!s.settled) return [world.paint.dim("...")];
    // In this order: from the state before to the one now is one step, the other way is a run from a keyframe.
    const before = s.seq > 0 ? linesAt(world, s.seq - 1, s.thread) : [];
    const now = linesAt(world, s.seq, s.thread);
    if (typeof now === "string") return wrapCells(safe(now), width).map(world.paint.dim);
    const was = new Map((typeof before === "string" ? [] : before).map((line) => [line.key, line.text]));
    const from = s.pane === "state" ? Math.min(s.scroll, Math.max(0, now.length - 1)) : 0;
    const lines = now.slice(from).map(({ key, text }) => {
      const changed = s.seq > 0 && was.get(key) !== text;
      const shown = safe(`${changed ? "* " : "  "}${text}`, width);
      return changed ? world.paint.strong(shown) : shown;
    });
    const more = lines.length - height + 1;
    if (more <= 1) return lines;
    const how = s.pane === "state" ? "ctrl-d scrolls" : "1 shows them";
    return [...lines.slice(0, height - 1), world.paint.dim(safe(`  ... ${more} lines more (${how})`, width))];
  },
};

/** The state as lines, or why there is none. */
function linesAt(world: World, seq: number, thread: number): StateLine[] | string {
  let lines = kept.get(world);
  if (lines === undefined) kept.set(world, (lines = new Map()));
  const key = `${seq} ${thread}`;
  let found = lines.get(key);
  if (found === undefined) {
    const state = world.machines.at(seq);
    found = "none" in state ? state.none : stateLines(state.machine, state.run, thread, world.sgx);
    if (lines.size >= KEPT) lines.delete(lines.keys().next().value ?? "");
    lines.set(key, found);
  }
  return found;
}
