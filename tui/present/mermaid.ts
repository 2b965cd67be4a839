/** An interval as a Mermaid sequence diagram. */

import { KIND, type Site, signalName, type Transition } from "../../engine/index.ts";
import { safe } from "./safe.ts";
import { withUnits } from "./units.ts";

const MERMAID_CELLS = 120;

/** Layers as participants, crossings of a layer as arrows. */
export function sequenceDiagram(sites: readonly Site[], rows: readonly Transition[]): string {
  const lines = [
    "sequenceDiagram",
    "  participant app",
    "  participant libos",
    "  participant pal",
    "  participant upal as untrusted PAL",
    "  participant host",
  ];
  let previous: string | null = null;
  for (const row of rows) {
    const site = sites[row.site];
    if (site === undefined) continue;
    const layer = site.layer === "untrusted-pal" ? "upal" : site.layer;
    if (row.kind === KIND.branch && layer === previous) continue;
    const text = `${row.seq} ${site.flow}: ${withUnits(site.label)}${row.signal > 0 ? ` (${signalName(row.signal)})` : ""}`
      .replace(/[;#<>{}]/g, " ")
      .replace(/\s+/g, " ");
    if (previous !== null && previous !== layer) lines.push(`  ${previous}->>${layer}: ${safe(text, MERMAID_CELLS)}`);
    else if (row.signal > 0) lines.push(`  Note over ${layer}: ${safe(text, MERMAID_CELLS)}`);
    previous = layer;
  }
  return `${lines.join("\n")}\n`;
}
