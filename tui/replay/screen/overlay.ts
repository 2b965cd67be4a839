/** What can lie over timeline and pane: the help, and what there is to read about a finding. */

import { explanation } from "../../present/explain.ts";
import { fit, safe } from "../../present/safe.ts";
import { ruleToRead } from "../navigate/walkthrough.ts";
import type { ReplaySession } from "../session.ts";
import type { Overlay, ReplayState } from "../state.ts";
import { helpLines } from "./help.ts";

interface OverlayEntry {
  readonly title: string;
  /** The key that opens it closes it. */
  readonly key: string;
  /** All there is to scroll through. */
  readonly lines: (session: ReplaySession, s: ReplayState) => string[];
}

export const OVERLAYS: Readonly<Record<Overlay, OverlayEntry>> = {
  help: { title: "Help", key: "?", lines: (session, s) => helpLines(session, s.width) },
  why: { title: "Why", key: "w", lines: whyLines },
};

/** Longer lines are hard to read. */
const MAX_WIDTH = 100;

function whyLines(session: ReplaySession, s: ReplayState): string[] {
  const about = ruleToRead(s);
  if ("none" in about) return [about.none];
  // The last part is commands for a shell.
  const parts = explanation(about.rule, Math.min(s.width, MAX_WIDTH)).split("\n\n").slice(0, -1);
  return parts
    .join("\n\n")
    .split("\n")
    .map((line) => (line.startsWith(" ") ? safe(line, s.width) : session.paint.strong(safe(line, s.width))));
}

/** As many lines as there is room for, from where it is scrolled to. */
export function overlayLines(session: ReplaySession, s: ReplayState, overlay: Overlay, height: number): string[] {
  const { title, key, lines } = OVERLAYS[overlay];
  const all = lines(session, s);
  const room = height - 1;
  const from = Math.min(s.scroll, Math.max(0, all.length - room));
  const more = all.length > room ? `   lines ${from + 1} to ${Math.min(from + room, all.length)} of ${all.length}: j k space scroll` : "";
  return [session.paint.strong(fit(safe(`${title}${more}   ${key} closes`, s.width), s.width)), ...all.slice(from, from + room)];
}
