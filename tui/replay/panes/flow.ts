/** The function stood in as a table of steps, as `eintr stack` lists it, with the step that was made. */

import { safe } from "../../present/safe.ts";
import { withUnits } from "../../present/units.ts";
import { entryLines, type Pane, windowFrom } from "./pane.ts";

export const flowPane: Pane<"flow"> = {
  id: "flow",
  title: "the function stood in: all its steps",
  lines(session, s, width, height) {
    const row = session.rows.at(s.seq);
    const here = row === null ? undefined : session.trace.sites[row.site];
    if (here === undefined) return [];
    const steps = session.trace.sites
      .filter((site) => site.flow === here.flow && site.context === "normal")
      .sort((a, b) => a.step - b.step);
    const at = steps.findIndex((site) => site.step === here.step);
    const room = Math.max(1, height - 1);
    const from = windowFrom(at, room, steps.length);
    const shown = steps.slice(from, from + room);
    const entries = shown.map((site) => ({
      head: `${site.step === here.step ? ">" : " "} ${String(site.step + 1).padStart(3)}  `,
      text: withUnits(site.label),
    }));
    const source = here.source === "" ? "" : `, reference ${here.source}`;
    return [
      session.paint.strong(safe(`${here.flow}  (${here.layer}${source})`, width)),
      ...entryLines(entries, width, room).flatMap((lines, i) => (shown[i]?.step === here.step ? lines.map(session.paint.here) : lines)),
    ];
  },
};
