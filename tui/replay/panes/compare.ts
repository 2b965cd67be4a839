/** Two runs of a scenario side by side, aligned by what the application did. */

import type { SeenPair } from "../../../analyzer/index.ts";
import { outcome } from "../../../recorder/index.ts";
import { fit, safe } from "../../present/safe.ts";
import { pairsOf } from "../aligning.ts";
import type { World } from "../world.ts";
import { type Pane, windowFrom } from "./pane.ts";

export const comparePane: Pane<"compare"> = {
  id: "compare",
  title: "two runs of the case, call by call; !: where they differ",
  lines(world, s, width, height) {
    const { paint, other } = world;
    if (other === null) return [paint.dim(safe("nothing to compare with: start with --fix ID, --stack NAME or --with TRACE", width))];
    const all = pairsOf(world);
    if (all.length === 0) return [paint.dim(safe("no calls, or too long a trace to lay side by side", width))];
    const at = newest(all, s.seq);
    const room = Math.max(1, height - 1);
    const from = windowFrom(at, room, all.length);
    const name = (of: World): string => [of.trace.info.stack, ...of.trace.info.fixes].join(" + ");
    const column = Math.max(12, Math.floor((width - 42) / 2));
    const head = `${fit("       seq  thread     call", 40)}  ${fit(name(world), column)}${fit(name(other), column)}`;
    return [
      paint.strong(fit(safe(head, width), width)),
      ...all.slice(from, from + room).map((pair, i) => {
        const seen = pair.one ?? pair.other;
        const now = from + i === at;
        const same = !pair.differs;
        const marks = `${now ? ">" : " "}${same ? " " : "!"}`;
        const what = fit(
          safe(`${marks} ${String(pair.one?.seq ?? "-").padStart(7)}  ${seen?.thread.slice(0, 9).padEnd(9)}  ${seen?.what}`, 40),
          40,
        );
        const text = fit(safe(`${what}  ${fit(outcome(pair.one), column)}${fit(outcome(pair.other), column)}`, width), width);
        return now ? paint.here(text) : same ? text : paint.warn(text);
      }),
    ];
  },
};

/** Which pair began or ended last, up to `seq`. */
function newest(pairs: readonly SeenPair[], seq: number): number {
  let at = -1;
  let best = -1;
  pairs.forEach(({ one }, i) => {
    for (const place of [one?.seq ?? -1, one?.endSeq ?? -1]) if (place <= seq && place > best) [best, at] = [place, i];
  });
  return at;
}
