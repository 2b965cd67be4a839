/**
 * An interval of one thread in the form of the page's diagrams: normal context on the left, signal context on the right, a bar
 * for each function that is open, and at the far right whether the processor is inside the enclave.
 */

import { type Events, KIND, kindName, type Layer, resultText, type Site, signalName, type Transition } from "../../engine/index.ts";
import type { ShownRow } from "./interval.ts";
import { displayWidth, fit, safe } from "./safe.ts";
import { ASCII_PEN, type Paint, type Pen, plain, UNICODE_PEN } from "./style.ts";

export interface TwoColumnOptions {
  readonly sites: readonly Site[];
  /** Terminal cells, at least 60. */
  readonly width: number;
  readonly paint: Paint;
  readonly ascii: boolean;
  /** The stack has an enclave. */
  readonly sgx: boolean;
  /** Names of its PAL events. */
  readonly eventName: Events["name"];
  /** Captions below rows, by seq. */
  readonly marks: ReadonlyMap<number, string>;
  /** The largest seq there is: numbers have the room for it. */
  readonly lastSeq: number;
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
const ENCLAVE_WIDTH = 2;
/** Indent of a step's second line. */
const HANG = 2;
const LAYER_TEXT: Readonly<Record<Layer, string>> = { app: "app", libos: "libos", pal: "pal", "untrusted-pal": "u-pal", host: "host" };
/** Boxes deeper than this share of the column are drawn on top of each other. */
const DEEPEST_SHARE = 0.4;

/** Lines without line ends, the heading first. */
export function twoColumn(rows: readonly ShownRow[], options: TwoColumnOptions): string[] {
  return [...heading(options), ...drawRows(rows, options).map((line) => line.text)];
}

/** The rows alone. */
export function drawRows(rows: readonly ShownRow[], options: TwoColumnOptions): DrawnLine[] {
  const pen = options.ascii ? ASCII_PEN : UNICODE_PEN;
  const { inner, right } = columns(options);
  const base = outermost(rows, options.sites);
  const lines: DrawnLine[] = [];
  let inSignal: boolean | null = null;
  /** Flow drawn last on each level, to name a function where the step that entered it does not. */
  const flows: string[] = [];
  let said = "";
  let inside = false;
  for (const shown of rows) {
    const { row } = shown;
    const site = options.sites[row.site];
    const signal = site?.context === "signal";
    if (shown.others > 0) lines.push({ seq: -1, text: others(shown.others, inside, pen, options) });
    if (inSignal !== null && inSignal !== signal) lines.push({ seq: -1, text: arrow(signal, row, right, pen, options) });
    inSignal = signal;
    const start = signal ? right : 0;
    const bars = Math.max(
      0,
      Math.min(shown.level - (signal ? base.signal : base.normal), Math.floor((inner - start) * (DEEPEST_SHARE / 2))),
    );
    const flow = site?.flow ?? "";
    const named = flow.startsWith("(") || flows[shown.level] === flow || said.includes(flow);
    flows.length = Math.min(flows.length, shown.level + 1);
    flows[shown.level] = flow;
    said = site?.label ?? "";
    const texts = rowLines(shown, site, { inner, start, bars, pen, options, prefix: named ? "" : `${flow}: ` });
    const caption = options.marks.get(row.seq);
    inside = options.sgx && isInside(row, site);
    if (caption !== undefined) texts.push(...captionLines(caption, inside, pen, options));
    for (const text of texts) lines.push({ seq: row.seq, text });
  }
  return lines;
}

const isSignal = (site: Site | undefined): boolean => site?.context === "signal";

/** The outermost level of each column; infinite where it has no rows. Bars are drawn from there on. */
export function outermost(rows: readonly ShownRow[], sites: readonly Site[]): { normal: number; signal: number } {
  let normal = Number.POSITIVE_INFINITY;
  let signal = Number.POSITIVE_INFINITY;
  for (const { row, level } of rows) {
    if (isSignal(sites[row.site])) signal = Math.min(signal, level);
    else normal = Math.min(normal, level);
  }
  return { normal, signal };
}

function columns(options: TwoColumnOptions): { inner: number; right: number } {
  const inner = Math.max(options.width, MIN_WIDTH) - seqWidth(options) - LAYER_WIDTH - (options.sgx ? ENCLAVE_WIDTH + 1 : 0);
  return { inner, right: Math.floor(inner * 0.45) };
}

/** The titles of the columns, two lines; numbers and layers have theirs when `all`, `hidden` calls are further out than the bars. */
export function heading(options: TwoColumnOptions, all = false, hidden = 0): string[] {
  const { sgx, paint } = options;
  const pen = options.ascii ? ASCII_PEN : UNICODE_PEN;
  const { inner, right } = columns(options);
  const margin = all ? `${"seq".padStart(seqWidth(options) - 2)}  layer` : "";
  const empty = " ".repeat(seqWidth(options) + LAYER_WIDTH);
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

function others(count: number, inside: boolean, pen: Pen, options: TwoColumnOptions): string {
  const text = `${" ".repeat(seqWidth(options))}${pen.skip.repeat(3)} ${count} of other threads ${pen.skip.repeat(3)}`;
  return withEnclave(text, options.paint.dim, inside, pen, options);
}

/** A line that belongs to no step: the enclave's bar goes on beside it. */
function withEnclave(text: string, style: (text: string) => string, inside: boolean, pen: Pen, options: TwoColumnOptions): string {
  if (!inside) return style(text);
  return `${style(fit(text, seqWidth(options) + LAYER_WIDTH + columns(options).inner))} ${options.paint.cross(pen.inside)}`;
}

/** Between the contexts: the kernel pushes a signal frame, or takes it back. */
function arrow(toSignal: boolean, row: Transition, right: number, pen: Pen, options: TwoColumnOptions): string {
  const name = toSignal ? ` ${row.signal > 0 ? signalName(row.signal) : "signal"} ` : " back ";
  const shaft = Math.max(2, right - 4 - name.length);
  const before = Math.floor(shaft / 2);
  const body = `${pen.line.repeat(before)}${name}${pen.line.repeat(shaft - before)}`;
  return options.paint.cross(`${" ".repeat(seqWidth(options) + LAYER_WIDTH)}${toSignal ? `${body}${pen.right}` : `${pen.left}${body}`}`);
}

interface Place {
  readonly inner: number;
  readonly start: number;
  readonly bars: number;
  readonly prefix: string;
  readonly pen: Pen;
  readonly options: TwoColumnOptions;
}

function rowLines(shown: ShownRow, site: Site | undefined, { inner, start, bars, prefix, pen, options }: Place): string[] {
  const { row } = shown;
  const { paint } = options;
  const room = inner - start - 2 * bars;
  const text = safe(`${prefix}${site?.label ?? `site ${row.site}`}`) + remarks(row, shown.folded, pen, options);
  const enclave = options.sgx ? ` ${enclaveSign(row, site, pen)}` : "";
  const sign = options.only?.sites.has(row.site) === true ? options.only.sign : "";
  const marked = options.marks.has(row.seq) || sign !== "";
  const now = options.cursor ?? Number.POSITIVE_INFINITY;
  const margin = seqWidth(options);
  return wrapCells(text, room, HANG).map((part, i) => {
    const number = String(row.seq).padStart(margin - 2) + sign;
    const head = i > 0 ? "" : row.seq === options.cursor ? number.replace(/^ ?/, pen.right) : number;
    const layer = i === 0 && site !== undefined ? LAYER_TEXT[site.layer] : "";
    const body = fit(" ".repeat(start) + `${pen.bar} `.repeat(bars) + (i === 0 ? "" : " ".repeat(HANG)) + part, inner);
    const line = `${marked ? paint.warn(fit(head, margin)) : paint.dim(fit(head, margin))}${paint.dim(fit(layer, LAYER_WIDTH))}`;
    const crossing = kindName(row.kind).startsWith("sgx.");
    const style =
      row.seq === options.cursor ? paint.here : row.seq > now ? paint.dim : marked ? paint.strong : crossing ? paint.cross : plain;
    return `${line}${style(body)}${paint.cross(enclave)}`.trimEnd();
  });
}

/** Inside, outside, or at the gate. */
function enclaveSign(row: Transition, site: Site | undefined, pen: Pen): string {
  if (row.kind === KIND["sgx.eenter"] || row.kind === KIND["sgx.eresume"]) return pen.enter;
  if (row.kind === KIND["sgx.eexit"] || row.kind === KIND["sgx.aex"]) return pen.leave;
  return isInside(row, site) ? pen.inside : " ";
}

/** After the row. */
function isInside(row: Transition, site: Site | undefined): boolean {
  if (row.kind === KIND["sgx.eenter"] || row.kind === KIND["sgx.eresume"]) return true;
  if (row.kind === KIND["sgx.eexit"] || row.kind === KIND["sgx.aex"]) return false;
  return site?.layer === "app" || site?.layer === "libos" || site?.layer === "pal";
}

const RESULT: ReadonlySet<number> = new Set(
  (["app.return", "libos.syscall.exit", "host.syscall.exit", "ocall.return", "pal.call.leave"] as const).map((name) => KIND[name]),
);
const SGX: ReadonlySet<number> = new Set((["sgx.aex", "sgx.eenter", "sgx.eexit", "sgx.eresume"] as const).map((name) => KIND[name]));
const EVENT: ReadonlySet<number> = new Set(
  (["pal.event.pend", "pal.event.deliver", "pal.event.inject", "pal.event.lost", "libos.upcall.enter"] as const).map((name) => KIND[name]),
);

/** What the row's numbers add to its label. */
function remarks(row: Transition, folded: number, pen: Pen, { eventName }: TwoColumnOptions): string {
  const notes: string[] = [];
  if (RESULT.has(row.kind)) notes.push(`= ${resultText(row.value)}`);
  if (row.kind === KIND.branch) notes.push(row.value === 1 ? "yes" : "no");
  if (SGX.has(row.kind)) notes.push(`CSSA ${row.cssa}`);
  if (EVENT.has(row.kind)) notes.push(eventName(row.value));
  else if (row.signal > 0 && !SGX.has(row.kind)) notes.push(signalName(row.signal));
  if (folded > 0) notes.push(`${pen.folded}${folded}`);
  return notes.length > 0 ? `  [${notes.join(", ")}]` : "";
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
