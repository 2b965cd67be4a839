/** What one has set: conditions to stop at, and bookmarks with their notes. */

import { safe } from "../../present/safe.ts";
import { withUnits } from "../../present/units.ts";
import type { ReplaySession } from "../session.ts";
import type { ReplayState } from "../state.ts";
import { type Pane, windowFrom } from "./pane.ts";

/** A row of the pane, for who chooses one. */
export type Stop = { readonly what: "condition"; readonly index: number } | { readonly what: "bookmark"; readonly seq: number };

/** In the order in which they stand there. */
export const stopsOf = ({ conditions, bookmarks }: ReplayState): Stop[] => [
  ...conditions.map((_, index): Stop => ({ what: "condition", index })),
  ...bookmarks.map((seq): Stop => ({ what: "bookmark", seq })),
];

const HELP = [
  "Conditions: & writes one, r runs on to where one holds, R back.",
  "  cssa > 1 && preempt > 0      signal = SIGINT and layer = libos",
  "  kind = app.return and value < 0      label ~ wait and not thread = main",
  "Bookmarks: m sets one here, a writes a note to it; they are kept with the trace.",
];

export const stopsPane: Pane<"stops"> = {
  id: "stops",
  title: "conditions to stop at; bookmarks and their notes",
  lines(session, s, width, height) {
    const { paint } = session;
    const all = stopsOf(s);
    if (all.length === 0) return HELP.map((line) => paint.dim(safe(line, width)));
    const room = Math.max(1, height - 1);
    const from = windowFrom(s.picked.stop, room, all.length);
    const lines = all.slice(from, from + room).map((stop, i) => {
      const chosen = from + i === s.picked.stop;
      const text = safe(`${chosen ? ">" : " "} ${stopText(session, s, stop)}`, width);
      return chosen ? paint.strong(text) : text;
    });
    const picked = all[s.picked.stop];
    const keys = picked?.what === "condition" ? "Enter switches it on or off" : "Enter goes there, a writes its note";
    return [...lines, paint.dim(safe(`${keys}; . , choose, x takes it away; & new condition, r R run`, width))];
  },
  scroll: (_, s, __, by) => ({ type: "picked", picked: { stop: Math.max(0, Math.min(stopsOf(s).length - 1, s.picked.stop + by)) } }),
};

function stopText(session: ReplaySession, s: ReplayState, stop: Stop): string {
  if (stop.what === "condition") {
    const { text, enabled, hits } = s.conditions[stop.index] ?? { text: "", enabled: false, hits: 0 };
    return `${enabled ? "stop" : "off "}  ${text}  (${hits} ${hits === 1 ? "stop" : "stops"} so far)`;
  }
  const note = s.notes[stop.seq] ?? "";
  const site = placeText(session, stop.seq);
  return `mark  seq ${stop.seq}  ${note === "" ? site : `${note}  (${site})`}`;
}

/** Where a bookmark stands; empty where the trace cannot be read. */
function placeText({ rows, trace }: ReplaySession, seq: number): string {
  try {
    const row = rows.at(seq);
    const site = row === null ? undefined : trace.sites[row.site];
    return site === undefined || row === null ? "" : `${trace.threads[row.thread]?.name ?? ""}, ${site.flow}: ${withUnits(site.label)}`;
  } catch {
    return "";
  }
}
