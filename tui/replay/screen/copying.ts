/** The interval on screen as text, Markdown or a Mermaid sequence diagram. */

import type { Transition } from "../../../engine/index.ts";
import { chooseRows } from "../../present/interval.ts";
import { sequenceDiagram } from "../../present/mermaid.ts";
import { paint } from "../../present/style.ts";
import { twoColumn } from "../../present/two-column.ts";
import type { Context } from "../context.ts";
import { rowsAround } from "../panes/timeline.ts";
import type { ReplaySession } from "../session.ts";

type CopyForm = "text" | "markdown" | "mermaid";

const AS: Readonly<Record<CopyForm, string>> = { text: "", markdown: " as Markdown", mermaid: " as Mermaid" };
const TEXT_WIDTH = 110;

export function copyInterval(c: Context, form: CopyForm): void {
  const seqs = c.onScreen();
  const [first, last] = [seqs[0], seqs[seqs.length - 1]];
  if (first === undefined || last === undefined) return c.dispatch({ type: "say", message: "there are no rows on the screen to send" });
  const { seq, thread } = c.state();
  // No fewer rows than the timeline has lines.
  const { rows, depthBefore } = rowsAround(c.session, thread, seq, c.state().height);
  const begin = rows.findIndex((row) => row.seq >= first);
  const interval = rows.filter((row) => row.seq >= first && row.seq <= last);
  c.copy(intervalText(c.session, { rows: interval, depthBefore: rows[begin - 1]?.depth ?? depthBefore, shown: new Set(seqs) }, form));
  c.dispatch({ type: "say", message: `sent to the terminal's clipboard${AS[form]}: seq ${first} to ${last}` });
}

interface Interval {
  readonly rows: readonly Transition[];
  /** Depth of the thread before the first row, when known. */
  readonly depthBefore: number | null;
  /** Those of the rows that are on the screen: where it is folded, not all. */
  readonly shown: ReadonlySet<number>;
}

function intervalText(session: ReplaySession, { rows, depthBefore, shown }: Interval, form: CopyForm): string {
  const { sites } = session.trace;
  if (form === "mermaid") return sequenceDiagram(sites, rows);
  const chosen = chooseRows(rows, { all: false, depthBefore, marked: shown });
  const lines = twoColumn(chosen, {
    sites,
    width: TEXT_WIDTH,
    paint: paint(false),
    ascii: false,
    sgx: session.sgx,
    absent: session.trace.absent,
    eventName: session.shown.events.name,
    lastSeq: session.rows.count - 1,
    marks: new Map(),
  });
  return form === "text" ? `${lines.join("\n")}\n` : `\`\`\`\n${lines.join("\n")}\n\`\`\`\n`;
}
