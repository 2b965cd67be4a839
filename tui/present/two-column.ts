/**
 * An interval of one thread in the form of the page's diagrams: normal context on the left, signal context on the right, a bar
 * for each function that is open, and at the far right whether the processor is inside the enclave.
 */

import { type Layer, type Site, signalName } from "../../engine/index.ts";
import { type Crossing, type DiagramOptions, type DiagramRow, diagramOf, type Others } from "./diagram.ts";
import type { ShownRow } from "./interval.ts";
import { displayWidth, fit, safe } from "./safe.ts";
import { ASCII_PEN, type Paint, type Pen, plain, UNICODE_PEN } from "./style.ts";

export interface TwoColumnOptions extends DiagramOptions {
  /** Terminal cells, at least 60. */
  readonly width: number;
  readonly paint: Paint;
  readonly ascii: boolean;
  /** The largest seq there is: numbers have the room for it. */
  readonly lastSeq: number;
  /** How many transitions of other threads lie before a row stands beside its seq, and has no line of its own. */
  readonly gutter?: boolean;
  /** Seq that is "now": its row is pointed at, rows after it have not happened yet. */
  readonly cursor?: number;
  /** Sites that only one of two runs comes to, and the sign that rows of them have. */
  readonly only?: { readonly sites: ReadonlySet<number>; readonly sign: string };
}

export interface DrawnLine {
  readonly text: string;
  /** Transition it belongs to; -1 for none. */
  readonly seq: number;
}

export const MIN_WIDTH = 60;
/** Of a drawing for a file or a pipe. */
export const PLAIN_WIDTH = 100;

/** Whether a stack of these sites runs in an enclave: also of a stack that is unknown here. */
export const hasEnclave = (sites: readonly Site[]): boolean => sites.some(({ layer }) => layer === "untrusted-pal");

/** A seq, and a place before and after it for what points at it or marks it. */
const seqWidth = ({ lastSeq }: TwoColumnOptions): number => Math.max(6, String(lastSeq).length + 1) + 2;
const LAYER_WIDTH = 6;
const GUTTER_WIDTH = 5;
/** A seq, the gutter and the layer: what stands before the columns. */
const headWidth = (options: TwoColumnOptions): number => seqWidth(options) + gutterWidth(options) + LAYER_WIDTH;
const gutterWidth = ({ gutter = false }: TwoColumnOptions): number => (gutter ? GUTTER_WIDTH : 0);
const ENCLAVE_WIDTH = 2;
/** Indent of a step's second line. */
const HANG = 2;
export const LAYER_TEXT: Readonly<Record<Layer, string>> = {
  app: "app",
  libos: "libos",
  pal: "pal",
  "untrusted-pal": "u-pal",
  host: "host",
};
/** Boxes deeper than this share of the column are drawn on top of each other. */
const DEEPEST_SHARE = 0.4;

/** Lines without line ends, the heading first. */
export function twoColumn(rows: readonly ShownRow[], options: TwoColumnOptions): string[] {
  return [...heading(options), ...drawRows(rows, options).map((line) => line.text)];
}

/** The rows alone. */
export function drawRows(rows: readonly ShownRow[], options: TwoColumnOptions): DrawnLine[] {
  const pen = options.ascii ? ASCII_PEN : UNICODE_PEN;
  /** Transitions of others since the last row, where the gutter has them. */
  let between = 0;
  return diagramOf(rows, options).flatMap((line): DrawnLine[] => {
    if (line.is === "others") {
      between = line.count;
      return options.gutter === true ? [] : [{ seq: -1, text: others(line, pen, options) }];
    }
    if (line.is === "crossing") return [{ seq: -1, text: arrow(line, pen, options) }];
    const texts = rowLines(line, between, pen, options);
    between = 0;
    if (line.caption !== null) texts.push(...captionLines(line.caption, line.inside, pen, options));
    return texts.map((text) => ({ seq: line.row.seq, text }));
  });
}

function columns(options: TwoColumnOptions): { inner: number; right: number } {
  const inner = Math.max(options.width, MIN_WIDTH) - headWidth(options) - (options.sgx ? ENCLAVE_WIDTH + 1 : 0);
  return { inner, right: Math.floor(inner * 0.45) };
}

/** The titles of the columns, two lines; numbers and layers have theirs when `all`, `hidden` calls are further out than the bars. */
export function heading(options: TwoColumnOptions, all = false, hidden = 0): string[] {
  const { sgx, paint } = options;
  const pen = options.ascii ? ASCII_PEN : UNICODE_PEN;
  const { inner, right } = columns(options);
  const margin = all ? `${"seq".padStart(seqWidth(options) - 2)}  ${" ".repeat(gutterWidth(options))}layer` : "";
  const empty = " ".repeat(headWidth(options));
  const titles = fit(`${fit(normalTitle(hidden, right), right)}Signal context`, inner) + (sgx ? "SGX" : "");
  const rules = fit(fit(pen.line.repeat(14), right) + pen.line.repeat(14), inner) + (sgx ? pen.line.repeat(3) : "");
  return [paint.strong((fit(margin, empty.length) + titles).trimEnd()), paint.dim((empty + rules).trimEnd())];
}

/** In as many words as there is room for. */
function normalTitle(hidden: number, room: number): string {
  if (hidden === 0) return "Normal context";
  const titles = [`Normal context (${hidden} outer calls not drawn)`, `Normal context (+${hidden} outer)`, `Normal context +${hidden}`];
  return titles.find((title) => title.length < room) ?? "Normal context";
}

function others({ count, inside }: Others, pen: Pen, options: TwoColumnOptions): string {
  const text = `${" ".repeat(seqWidth(options))}${pen.skip.repeat(3)} ${count} of other threads ${pen.skip.repeat(3)}`;
  return withEnclave(text, options.paint.dim, inside, pen, options);
}

/** A line that belongs to no step: the enclave's bar goes on beside it. */
function withEnclave(text: string, style: (text: string) => string, inside: boolean, pen: Pen, options: TwoColumnOptions): string {
  if (!inside) return style(text);
  return `${style(fit(text, headWidth(options) + columns(options).inner))} ${options.paint.cross(pen.inside)}`;
}

/** Between the contexts: the kernel pushes a signal frame, or takes it back. */
function arrow({ toSignal, signal }: Crossing, pen: Pen, options: TwoColumnOptions): string {
  const { right } = columns(options);
  const name = toSignal ? ` ${signal > 0 ? signalName(signal) : "signal"} ` : " back ";
  const shaft = Math.max(2, right - 4 - name.length);
  const before = Math.floor(shaft / 2);
  const body = `${pen.line.repeat(before)}${name}${pen.line.repeat(shaft - before)}`;
  return options.paint.cross(`${" ".repeat(headWidth(options))}${toSignal ? `${body}${pen.right}` : `${pen.left}${body}`}`);
}

/** "┄12", "┄3k": at most five cells with the one after it. */
function gutterText(count: number, pen: Pen): string {
  if (count === 0) return "";
  const short = count < 1000 ? String(count) : count < 1e6 ? `${Math.floor(count / 1000)}k` : "M";
  return `${pen.skip}${short}`.slice(0, GUTTER_WIDTH);
}

function rowLines(line: DiagramRow, between: number, pen: Pen, options: TwoColumnOptions): string[] {
  const { row, site } = line;
  const { paint } = options;
  const { inner, right } = columns(options);
  const start = line.signal ? right : 0;
  const bars = Math.min(line.bars, Math.floor((inner - start) * (DEEPEST_SHARE / 2)));
  const room = inner - start - 2 * bars;
  const notes = line.folded > 0 ? [...line.notes, `${pen.folded}${line.folded}`] : line.notes;
  const text = safe(line.text) + (notes.length > 0 ? `  [${notes.join(", ")}]` : "");
  const enclave = options.sgx ? ` ${line.gate === null ? (line.inside ? pen.inside : " ") : pen[line.gate]}` : "";
  const sign = options.only?.sites.has(row.site) === true ? options.only.sign : "";
  const marked = options.marks.has(row.seq) || sign !== "";
  const now = options.cursor ?? Number.POSITIVE_INFINITY;
  const margin = seqWidth(options);
  return wrapCells(text, room, HANG).map((part, i) => {
    const number = String(row.seq).padStart(margin - 2) + sign;
    const head = i > 0 ? "" : row.seq === options.cursor ? number.replace(/^ ?/, pen.right) : number;
    const layer = i === 0 && site !== undefined ? LAYER_TEXT[site.layer] : "";
    const body = fit(" ".repeat(start) + `${pen.bar} `.repeat(bars) + (i === 0 ? "" : " ".repeat(HANG)) + part, inner);
    const layerStyle = i > 0 || site === undefined ? paint.dim : paint.tone[site.layer];
    const gutter = options.gutter === true ? paint.dim(fit(i === 0 ? gutterText(between, pen) : "", GUTTER_WIDTH)) : "";
    const edge = `${marked ? paint.warn(fit(head, margin)) : paint.dim(fit(head, margin))}${gutter}${layerStyle(fit(layer, LAYER_WIDTH))}`;
    const style =
      row.seq === options.cursor ? paint.here : row.seq > now ? paint.dim : marked ? paint.strong : line.crossing ? paint.cross : plain;
    return `${edge}${style(body)}${paint.cross(enclave)}`.trimEnd();
  });
}

/** Below their row; the last cell stays free. */
function captionLines(caption: string, inside: boolean, pen: Pen, options: TwoColumnOptions): string[] {
  const margin = " ".repeat(seqWidth(options) - 2);
  return wrapCells(safe(caption), columns(options).inner + LAYER_WIDTH - 1).map((line, i) =>
    withEnclave(`${margin}${i === 0 ? pen.mark : " "} ${line}`, options.paint.warn, inside, pen, options),
  );
}

/** Break between words, and inside a word that is wider than a line; lines after the first are `hang` cells shorter. */
export function wrapCells(text: string, width: number, hang = 0): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").flatMap((whole) => pieces(whole, Math.max(width - hang, 4)))) {
    const joined = line === "" ? word : `${line} ${word}`;
    if (line !== "" && displayWidth(joined) > (lines.length === 0 ? width : width - hang)) {
      lines.push(line);
      line = word;
    } else line = joined;
  }
  return [...lines, line];
}

function pieces(word: string, width: number): string[] {
  if (displayWidth(word) <= width) return [word];
  const parts: string[] = [];
  let part = "";
  for (const character of word) {
    if (displayWidth(part + character) > width) {
      parts.push(part);
      part = "";
    }
    part += character;
  }
  return [...parts, part];
}
