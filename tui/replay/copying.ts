/** The interval on screen as text, Markdown or a Mermaid sequence diagram. */

import { KIND, signalName, type Transition } from "../../engine/index.ts";
import { chooseRows } from "../present/interval.ts";
import { paint } from "../present/style.ts";
import { twoColumn } from "../present/two-column.ts";
import type { Context } from "./context.ts";
import { rowsAround } from "./panes/timeline.ts";
import type { World } from "./world.ts";

export const COPY_FORMS = ["text", "markdown", "mermaid"] as const;
export type CopyForm = (typeof COPY_FORMS)[number];

const TEXT_WIDTH = 110;
/** Rows of the thread before and after now. */
const ROWS = 25;

export function copyInterval(c: Context, form: CopyForm): void {
  const { seq, thread } = c.state();
  const { rows, depthBefore } = rowsAround(c.world, thread, seq, ROWS);
  c.copy(intervalText(c.world, rows, depthBefore, form));
  c.dispatch({ type: "say", message: `copied as ${form}: seq ${rows[0]?.seq ?? 0} to ${rows[rows.length - 1]?.seq ?? 0}` });
}

export function intervalText(world: World, rows: readonly Transition[], depthBefore: number | null, form: CopyForm): string {
  const { sites } = world.trace;
  if (form === "mermaid") return mermaid(world, rows);
  const shown = chooseRows(rows, { all: false, depthBefore, marked: new Set() });
  const lines = twoColumn(shown, { sites, width: TEXT_WIDTH, paint: paint(false), ascii: false, sgx: world.sgx, marks: new Map() });
  return form === "text" ? `${lines.join("\n")}\n` : `\`\`\`\n${lines.join("\n")}\n\`\`\`\n`;
}

/** Layers as participants, crossings of a layer as arrows. */
function mermaid(world: World, rows: readonly Transition[]): string {
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
    const site = world.trace.sites[row.site];
    if (site === undefined || (row.kind === KIND.branch && site.layer === previous)) continue;
    const layer = site.layer === "untrusted-pal" ? "upal" : site.layer;
    const text = `${row.seq} ${site.flow}: ${site.label}${row.signal > 0 ? ` (${signalName(row.signal)})` : ""}`
      .replace(/[;#<>{}]/g, " ")
      .replace(/\s+/g, " ")
      .slice(0, 120);
    if (previous !== null && previous !== layer) lines.push(`  ${previous}->>${layer}: ${text}`);
    else if (row.signal > 0) lines.push(`  Note over ${layer}: ${text}`);
    previous = layer;
  }
  return `${lines.join("\n")}\n`;
}
