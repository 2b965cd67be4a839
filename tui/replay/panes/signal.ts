/** The road of the signal that is followed: each hop with its delay. */

import { safe } from "../../present/safe.ts";
import { durationText } from "../../present/time.ts";
import { type Pane, windowFrom } from "./pane.ts";

export const signalPane: Pane<"signal"> = {
  id: "signal",
  title: "the road of the signal that f follows, hop by hop",
  lines(world, s, width, height) {
    const { paint } = world;
    if (s.signal === null) return [paint.dim(safe("no signal is followed: stand on a row of one, or near, and press f", width))];
    if (s.road === null) return [paint.dim(safe(`signal ${s.signal}: the database has no road of it`, width))];
    const { name, id, outcome, hops } = s.road;
    let previous: number | null = null;
    const lines = hops.map((hop) => {
      const row = world.rows.at(hop.seq);
      const time = row?.time ?? 0;
      const delay = previous === null ? "" : `+${durationText(time - previous)}`;
      previous = time;
      const site = row === null ? undefined : world.trace.sites[row.site];
      const thread = row === null ? "" : (world.trace.threads[row.thread]?.name ?? "");
      const text = safe(
        `${hop.seq === s.seq ? ">" : hop.seq < s.seq ? "x" : " "} ${String(hop.seq).padStart(7)}  ${hop.name.padEnd(9)} ${delay.padStart(10)}  ${thread}  ${site?.flow}: ${site?.label}`,
        width,
      );
      return hop.seq === s.seq ? paint.here(text) : hop.seq > s.seq ? paint.dim(text) : text;
    });
    const room = Math.max(1, height - 2);
    const at = hops.findLastIndex((hop) => hop.seq <= s.seq);
    const from = windowFrom(at + s.scroll, room, lines.length);
    return [
      paint.strong(safe(`${name}, signal ${id}: ${outcome}`, width)),
      ...lines.slice(from, from + room),
      paint.dim(safe("x is past; ] [ next and last hop, f leaves it", width)),
    ];
  },
};
