/** All threads in one timeline, as the run made its steps: a column for each thread that is busy near the cursor. */

import type { Transition } from "../../../engine/index.ts";
import { type DiagramOptions, diagramOf } from "../../present/diagram.ts";
import { LAYER_SHAPES } from "../../present/palette.ts";
import { fit, safe } from "../../present/safe.ts";
import { ASCII_PEN, UNICODE_PEN } from "../../present/style.ts";
import type { DrawnLine } from "../../present/two-column.ts";
import type { ReplaySession } from "../session.ts";
import type { ReplayState } from "../state.ts";
import { marksOf } from "./marks.ts";

/** Narrowest column of a thread, with the cell before it. */
const COLUMN = 20;
/** This share of the rows stands above the cursor. */
const ABOVE = 0.6;

/** Exactly `height` lines, the names of the threads first. */
export function mergedPane(session: ReplaySession, s: ReplayState, width: number, height: number): DrawnLine[] {
  const rows = rowsNear(session, s.seq, height - 1);
  const number = Math.max(6, String(session.rows.count - 1).length + 1) + 2;
  const { threads, rest } = columnsFor(rows, s.thread, Math.max(1, Math.floor((width - number) / COLUMN)));
  const cells = Math.floor((width - number) / (threads.length + (rest ? 1 : 0)));
  const names = [...threads.map((thread) => session.trace.threads[thread]?.name ?? String(thread)), ...(rest ? ["others"] : [])];
  const heading = `${"seq".padStart(number - 2)}  ${names.map((name) => fit(safe(name, cells - 1), cells)).join("")}`;
  const marks = marksOf(session, s, rows[0]?.seq ?? 0, rows.at(-1)?.seq ?? 0);
  const options = {
    sites: session.trace.sites,
    sgx: session.sgx,
    absent: session.trace.absent,
    eventName: session.shown.events.name,
    marks,
  };
  const lines = rows.map((row) => ({ seq: row.seq, text: rowText(session, s, row, { threads, rest, cells, number, options }) }));
  const empty = Array.from({ length: Math.max(0, height - 1 - lines.length) }, () => ({ text: "", seq: -1 }));
  return [{ text: session.paint.strong(safe(heading.trimEnd(), width)), seq: -1 }, ...lines, ...empty];
}

function rowsNear({ rows }: ReplaySession, seq: number, count: number): Transition[] {
  const first = Math.max(0, Math.min(seq - Math.floor(count * ABOVE), rows.count - count));
  const found: Transition[] = [];
  for (let at = first; at < first + count; at += 1) {
    const row = rows.at(at);
    if (row === null) break;
    found.push(row);
  }
  return found;
}

/** The threads that have a column, the busiest ones where not all can: the others share the last. */
function columnsFor(rows: readonly Transition[], chosen: number, most: number): { threads: number[]; rest: boolean } {
  const counts = new Map<number, number>([[chosen, Number.POSITIVE_INFINITY]]);
  for (const { thread } of rows) counts.set(thread, (counts.get(thread) ?? 0) + 1);
  const busiest = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([thread]) => thread);
  const rest = busiest.length > most;
  return { threads: busiest.slice(0, rest ? Math.max(1, most - 1) : most).sort((a, b) => a - b), rest: rest && most > 1 };
}

interface Columns {
  readonly threads: readonly number[];
  readonly rest: boolean;
  readonly cells: number;
  readonly number: number;
  readonly options: DiagramOptions;
}

function rowText(session: ReplaySession, s: ReplayState, row: Transition, columns: Columns): string {
  const { threads, rest, cells, number, options } = columns;
  const { paint, ascii } = session;
  const pen = ascii ? ASCII_PEN : UNICODE_PEN;
  const known = threads.indexOf(row.thread);
  const column = known >= 0 ? known : rest ? threads.length : threads.length - 1;
  const [line] = diagramOf([{ row, level: 0, folded: 0, others: 0 }], { ...options, marks: new Map() });
  const notes = line?.is === "row" && line.notes.length > 0 ? `  [${line.notes.join(", ")}]` : "";
  const label = line?.is === "row" ? line.text : "";
  const whose = known >= 0 ? "" : `${session.trace.threads[row.thread]?.name ?? row.thread}: `;
  const site = session.trace.sites[row.site];
  const shape = site === undefined ? " " : LAYER_SHAPES[site.layer][ascii ? "ascii" : "unicode"];
  // What stands further right than its column may go on there: nobody else makes a step in this row.
  const room = Math.max(1, (threads.length + (rest ? 1 : 0) - column) * cells - 3);
  const text = safe(`${whose}${label}${notes}`, room);
  const isHere = row.seq === s.seq;
  const head = isHere
    ? String(row.seq)
        .padStart(number - 2)
        .replace(/^ ?/, pen.right)
    : String(row.seq).padStart(number - 2);
  const marked = options.marks.has(row.seq);
  const lead = Array.from({ length: column }, () => fit(pen.bar, cells)).join("");
  const style = isHere ? paint.here : row.seq > s.seq ? paint.dim : marked ? paint.strong : (plainText: string) => plainText;
  const toned = site === undefined ? shape : paint.tone[site.layer](shape);
  return `${marked ? paint.warn(head) : paint.dim(head)}  ${paint.dim(lead)}${toned} ${style(text)}`;
}
