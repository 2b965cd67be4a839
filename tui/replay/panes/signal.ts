/** The path of the followed signal: each hop with its delay. */

import { displayWidth, fit, safe } from "../../present/safe.ts";
import { durationText } from "../../present/time.ts";
import type { ReplaySession, SignalPath } from "../session.ts";
import type { ReplayState } from "../state.ts";
import { type Entry, entryLines, type Pane, scrollBy, scrolledFrom, windowFrom } from "./pane.ts";

const LONGEST_NAME = 14;

export const signalPane: Pane<"signal"> = {
  id: "signal",
  title: "the path of the signal that f follows, hop by hop",
  lines(session, s, width, height) {
    const { paint } = session;
    if (s.signal === null) return [paint.dim(safe("no signal is followed: stand on a row of one, or near, and press f", width))];
    if (s.signalPath === null) return [paint.dim(safe(`signal ${s.signal}: the database has no path of it`, width))];
    const { name, id, outcome, hops } = s.signalPath;
    const at = hopAt(s.signalPath, s.seq);
    const room = Math.max(1, height - 2);
    const lines = entryLines(entriesOf(session, s, s.signalPath), width, room);
    const { base, last } = windowOf(s.signalPath, at, room);
    const from = scrolledFrom(base, last, s.scroll);
    const shown = lines.slice(from, from + room).flatMap((parts, i) => {
      const { seq } = hops[from + i] ?? { seq: 0 };
      return seq === s.seq ? parts.map(paint.here) : seq > s.seq ? parts.map(paint.dim) : parts;
    });
    const more = last > 0 ? `... ${from} more above, ${last - from} below (ctrl-d, ctrl-u); ` : "x is past; ";
    return [
      paint.strong(safe(`${name}, signal ${id}, now: ${placeOf(session, s.signalPath, at)}; in the end: ${outcome}`, width)),
      ...shown,
      paint.dim(safe(`${more}] [ next, previous hop; f leaves it`, width)),
    ];
  },
  scroll(_, s, { height }, by) {
    if (s.signalPath === null) return { type: "scroll", by: -s.scroll };
    const { base, last } = windowOf(s.signalPath, hopAt(s.signalPath, s.seq), Math.max(1, height - 2));
    return scrollBy(s, base, last, by);
  },
};

const hopAt = ({ hops }: SignalPath, seq: number): number => hops.findLastIndex((hop) => hop.seq <= seq);

/** First hop drawn without scrolling, and first hop of the last page. */
const windowOf = ({ hops }: SignalPath, at: number, room: number): { base: number; last: number } => ({
  base: windowFrom(at, room, hops.length),
  last: Math.max(0, hops.length - room),
});

function placeOf(session: ReplaySession, { hops }: SignalPath, at: number): string {
  const hop = hops[at];
  if (hop === undefined) return "not there yet";
  const thread = session.trace.threads[session.rows.at(hop.seq)?.thread ?? -1]?.name;
  return `${session.shown.hops[hop.name] ?? hop.name}${thread === undefined ? "" : ` (${thread})`}`;
}

function entriesOf(session: ReplaySession, s: ReplayState, { hops }: SignalPath): Entry[] {
  const rows = hops.map((hop) => session.rows.at(hop.seq));
  const names = rows.map((row) => (row ? safe(session.trace.threads[row.thread]?.name ?? "", LONGEST_NAME) : ""));
  const column = Math.max(...names.map(displayWidth));
  return hops.map((hop, i) => {
    const row = rows[i];
    const before = rows[i - 1];
    const delay = row && before ? `+${durationText(row.time - before.time)}` : "";
    const site = row ? session.trace.sites[row.site] : undefined;
    const mark = hop.seq === s.seq ? ">" : hop.seq < s.seq ? "x" : " ";
    return {
      head: `${mark} ${String(hop.seq).padStart(7)}  ${hop.name.padEnd(9)} ${delay.padStart(10)}  ${fit(names[i] ?? "", column)}  `,
      text: site === undefined ? "" : `${site.flow}: ${site.label}`,
    };
  });
}
