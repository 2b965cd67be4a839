/** Draws an interval of a trace: as text, Markdown, Mermaid or SVG. Used by `show`, `demo`, `export` and, in parts, the report. */

import { SEVERITIES } from "../analyzer/index.ts";
import { shownBy, type Transition } from "../engine/index.ts";
import type { Trace } from "../recorder/index.ts";
import { rowsOfThread } from "./interval.ts";
import type { Io } from "./io.ts";
import { chooseRows, type ShownRow } from "./present/interval.ts";
import { fenced } from "./present/markup.ts";
import { sequenceDiagram } from "./present/mermaid.ts";
import { safe } from "./present/safe.ts";
import { type Paint, paint } from "./present/style.ts";
import { svgOf } from "./present/svg.ts";
import { hasEnclave, twoColumn, wrapCells } from "./present/two-column.ts";

export interface Drawing {
  readonly thread: number;
  readonly from: number;
  readonly to: number;
  readonly marks: ReadonlyMap<number, string>;
  /** The finding that it shows: said above it. */
  readonly finding?: { readonly severity: string; readonly title: string };
  readonly width: number;
  /** At most so many transitions. */
  readonly most: number;
  readonly all: boolean;
  readonly ascii: boolean;
}

export const PICTURE_FORMS = ["markdown", "mermaid", "svg"] as const;
export type PictureForm = (typeof PICTURE_FORMS)[number];

/** All colours: a picture has them. */
const ALL_COLORS = 16_777_216;

/** Rows of an interval, chosen for drawing. */
interface Chosen {
  /** What it is of, in a line. */
  readonly title: string;
  readonly rows: readonly Transition[];
  readonly shown: readonly ShownRow[];
  readonly cut: boolean;
}

async function choose(io: Io, trace: Trace, { thread, from, to, marks, most, all }: Drawing): Promise<Chosen> {
  const { rows, depthBefore, cut } = await rowsOfThread(io, trace, thread, from, to, most);
  const name = safe(trace.threads[thread]?.name ?? String(thread), 40);
  const last = rows[rows.length - 1]?.seq ?? from;
  const title = `${safe(trace.info.stack)}  ${safe(trace.info.scenario, 60)}  thread ${name}  seq ${rows[0]?.seq ?? from} to ${last}`;
  return { title, rows, cut, shown: chooseRows(rows, { all, depthBefore, marked: new Set(marks.keys()) }) };
}

function linesOf(
  { sites, transitions, info, absent }: Trace,
  { shown }: Chosen,
  { width, ascii, marks, finding }: Drawing,
  pen: Paint,
): string[] {
  const { name: eventName } = shownBy(info.stack).events;
  const drawn = twoColumn(shown, {
    sites,
    eventName,
    width,
    paint: pen,
    ascii,
    sgx: hasEnclave(sites),
    absent,
    lastSeq: transitions.rows - 1,
    marks,
  });
  return finding === undefined ? drawn : [...findingLines(finding, width, pen), "", ...drawn];
}

/** As text. */
export async function draw(io: Io, trace: Trace, drawing: Drawing): Promise<void> {
  const chosen = await choose(io, trace, drawing);
  const pen = paint(io.color);
  await io.out(`${chosen.title}\n\n`);
  for (const line of linesOf(trace, chosen, drawing, pen)) await io.out(`${line}\n`);
  io.talk(leftOut(chosen, drawing));
}

/** The severity in its colour; one that a stranger's trace made up has none. */
function findingLines({ severity, title }: NonNullable<Drawing["finding"]>, width: number, { tone }: Paint): string[] {
  const known = SEVERITIES.find((one) => one === severity);
  const word = safe(severity, 20);
  const [first = "", ...more] = wrapCells(`${word}: ${safe(title)}`, width);
  return [known === undefined ? first : tone[known](known) + first.slice(word.length), ...more];
}

export interface Picture {
  readonly text: string;
  /** What it does not show, in lines for people; empty when it shows all. */
  readonly leftOut: string;
}

/** As a picture for a document. */
export async function picture(io: Io, trace: Trace, drawing: Drawing, form: PictureForm): Promise<Picture> {
  const chosen = await choose(io, trace, drawing);
  return { text: pictureText(trace, chosen, drawing, form), leftOut: leftOut(chosen, drawing) };
}

function pictureText(trace: Trace, chosen: Chosen, drawing: Drawing, form: PictureForm): string {
  if (form === "mermaid") return sequenceDiagram(trace.sites, chosen.rows);
  if (form === "svg") return svgOf(linesOf(trace, chosen, drawing, paint(ALL_COLORS)), drawing.width, chosen.title);
  return fenced([chosen.title, "", ...linesOf(trace, chosen, drawing, paint(0))]);
}

function leftOut({ rows, shown, cut }: Chosen, { most, all }: Drawing): string {
  const folded = rows.length - shown.length;
  const foldedText = all || folded <= 0 ? "" : `(${folded} of ${rows.length} transitions are folded or left out: --all shows them)\n`;
  return `${cut ? moreFollow(rows, most) : ""}${foldedText}`;
}

/** Said where rows were left out. */
export const moreFollow = (rows: readonly Transition[], most: number): string =>
  `(more follow: --rows ${most} was the limit; go on with --from ${(rows.at(-1)?.seq ?? 0) + 1})\n`;
