/** The machine's state, with what the last step changed marked. */

import { safe } from "../../present/safe.ts";
import { type StateLine, stateLines } from "../machine-lines.ts";
import type { ReplayState } from "../state.ts";
import type { World } from "../world.ts";

export function statePane(world: World, s: ReplayState, width: number, height: number): string[] {
  // In this order: from the state before to the one now is one step, the other way is a run from a keyframe.
  const before = s.seq > 0 ? linesAt(world, s.seq - 1, s.thread) : [];
  const now = linesAt(world, s.seq, s.thread);
  if (typeof now === "string") return [world.paint.dim(safe(now, width))];
  const was = new Map((typeof before === "string" ? [] : before).map((line) => [line.key, line.text]));
  return now.slice(s.pane === "state" ? s.scroll : 0, (s.pane === "state" ? s.scroll : 0) + height).map(({ key, text }) => {
    const changed = s.seq > 0 && was.get(key) !== text;
    const shown = safe(`${changed ? "* " : "  "}${text}`, width);
    return changed ? world.paint.strong(shown) : shown;
  });
}

function linesAt(world: World, seq: number, thread: number): StateLine[] | string {
  const found = world.machines.at(seq);
  if ("none" in found) return found.none;
  return stateLines(found.machine, found.run, thread, world.sgx);
}
