/** Who set this? The last transition before here that changed a line of the state, found by running from keyframe to keyframe. */

import { setImmediate as turn } from "node:timers/promises";
import type { Context } from "../context.ts";
import { stateLines } from "../panes/state.ts";
import type { ReplaySession } from "../session.ts";
import { goTo } from "./navigation.ts";

/** States looked at in one go: some milliseconds. */
const AT_ONCE = 200;

export async function whoSet(c: Context): Promise<void> {
  const { picked, seq, thread } = c.state();
  const lines = stateLines(c.session, seq, thread);
  if (typeof lines === "string") return c.dispatch({ type: "say", message: lines });
  const line = lines.find(({ key }) => key === picked.state);
  if (line === undefined) return c.dispatch({ type: "say", message: "first choose a line of the state: pane 1, then . and ," });
  await c.task(async (stop) => {
    const found = await lastChange(c, line.key, stop);
    if (stop.aborted) return;
    if (found === null) return c.dispatch({ type: "say", message: `"${line.text.trim()}" was so from the begin on` });
    goTo(c, found.seq, thread, `set here: ${found.from === null ? "it was not there before" : `before it was "${found.from.trim()}"`}`);
  });
}

interface Change {
  readonly seq: number;
  /** The line before; null when there was none. */
  readonly from: string | null;
}

const textAt = (session: ReplaySession, seq: number, thread: number, key: string): string | null => {
  const lines = stateLines(session, seq, thread);
  if (typeof lines === "string") throw new Error(lines);
  return lines.find((line) => line.key === key)?.text ?? null;
};

/** The last change up to the cursor. Each stretch from a keyframe on is run through once, the nearest first. */
async function lastChange(c: Context, key: string, stop: AbortSignal): Promise<Change | null> {
  const { session } = c;
  const { seq, thread } = c.state();
  let looked = 0;
  for (let end = seq; end > 0; ) {
    const begin = Math.max(0, Math.min(end - 1, session.trace.keyframeSeq(end - 1)));
    let before = textAt(session, begin, thread, key);
    let last: Change | null = null;
    for (let at = begin + 1; at <= end; at += 1) {
      const text = textAt(session, at, thread, key);
      if (text !== before) last = { seq: at, from: before };
      before = text;
      looked += 1;
      if (looked % AT_ONCE !== 0) continue;
      c.dispatch({ type: "say", message: `looking: at seq ${at} (Esc stops)` });
      await turn();
      if (stop.aborted) return null;
    }
    if (last !== null) return last;
    end = begin;
  }
  return null;
}
