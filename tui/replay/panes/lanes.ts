/** All threads around now, a column a transition: who did what when. */

import { fit, safe } from "../../present/safe.ts";
import { type Pane, windowFrom } from "./pane.ts";

const NAME_WIDTH = 14;
const LAYER_LETTER = { app: "a", libos: "l", pal: "p", "untrusted-pal": "u", host: "h" } as const;

export const lanesPane: Pane<"lanes"> = {
  id: "lanes",
  title: "all threads around now, a letter a transition",
  wide: true,
  lines(session, s, width, height) {
    const { paint, trace, rows } = session;
    const columns = Math.max(10, width - NAME_WIDTH - 1);
    const from = Math.max(0, s.seq - Math.floor(columns / 2));
    const lanes = new Map<number, string[]>();
    for (let column = 0; column < columns; column += 1) {
      const place = rows.block(from + column);
      if (place === null) break;
      const thread = place.block.thread[place.row] as number;
      const site = trace.sites[place.block.site[place.row] as number];
      const letter = site === undefined ? "?" : LAYER_LETTER[site.layer];
      let lane = lanes.get(thread);
      if (lane === undefined) lanes.set(thread, (lane = Array.from({ length: columns }, () => " ")));
      lane[column] = site?.context === "signal" ? letter.toUpperCase() : letter;
    }
    const now = s.seq - from;
    const pointer = `${" ".repeat(NAME_WIDTH + 1 + now)}v now`;
    const legend = paint.dim(safe("a app  l libos  p pal  u untrusted pal  h host; capitals: signal context", width));
    const room = Math.max(1, height - 2);
    const empty = Array.from({ length: columns }, () => " ");
    return [
      safe(pointer, width),
      ...shownThreads(lanes, s.thread, trace.threads.length, room).map((thread) => {
        const cells = lanes.get(thread) ?? empty;
        const name = fit(safe(`${thread === s.thread ? ">" : " "}${trace.threads[thread]?.name ?? thread}`, NAME_WIDTH), NAME_WIDTH);
        const past = cells.slice(0, now).join("");
        const rest = cells.slice(now + 1).join("");
        return `${name} ${past}${paint.here(cells[now] ?? " ")}${paint.dim(rest)}`;
      }),
      legend,
    ];
  },
};

/** Threads active near the cursor, the selected thread, then others while space remains. */
function shownThreads(lanes: ReadonlyMap<number, unknown>, chosen: number, count: number, room: number): number[] {
  const shown = new Set([...lanes.keys(), chosen]);
  for (let thread = 0; thread < count && shown.size < room; thread += 1) shown.add(thread);
  const threads = [...shown].sort((a, b) => a - b);
  const first = windowFrom(threads.indexOf(chosen), room, threads.length);
  return threads.slice(first, first + room);
}
