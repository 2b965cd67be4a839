/** The function stood in as a table of steps, as `eintr stack` lists it, with the step that was made. */

import { safe } from "../../present/safe.ts";
import { type Pane, windowFrom } from "./pane.ts";

export const flowPane: Pane<"flow"> = {
  id: "flow",
  title: "the function stood in: all its steps",
  lines(world, s, width, height) {
    const row = world.rows.at(s.seq);
    const here = row === null ? undefined : world.trace.sites[row.site];
    if (here === undefined) return [];
    const steps = world.trace.sites.filter((site) => site.flow === here.flow && site.context === "normal").sort((a, b) => a.step - b.step);
    const at = steps.findIndex((site) => site.step === here.step);
    const from = windowFrom(at, height - 1, steps.length);
    const source = here.source === "" ? "" : `, reference ${here.source}`;
    return [
      world.paint.strong(safe(`${here.flow}  (${here.layer}${source})`, width)),
      ...steps.slice(from, from + height - 1).map((site) => {
        const text = safe(`${site.step === here.step ? ">" : " "} ${String(site.step + 1).padStart(3)}  ${site.label}`, width);
        return site.step === here.step ? world.paint.here(text) : text;
      }),
    ];
  },
};
