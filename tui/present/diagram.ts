/**
 * An interval of one thread as lines of a diagram, before it is drawn: the column each row stands in, the bars of the functions that are
 * open, what its numbers add to its label. The terminal, the report and the pictures draw these lines.
 */

import { type Events, KIND, kindName, resultText, type Site, type StateColumn, signalName, type Transition } from "../../engine/index.ts";
import type { ShownRow } from "./interval.ts";
import { withUnits } from "./units.ts";

export interface DiagramOptions {
  readonly sites: readonly Site[];
  /** The stack has an enclave. */
  readonly sgx: boolean;
  /** Columns of state that the trace does not know. */
  readonly absent: readonly StateColumn[];
  /** Names of its PAL events. */
  readonly eventName: Events["name"];
  /** Captions below rows, by seq. */
  readonly marks: ReadonlyMap<number, string>;
}

/** Transitions of other threads lie between two rows. */
export interface Others {
  readonly is: "others";
  readonly count: number;
  /** The thread is in the enclave meanwhile. */
  readonly inside: boolean;
}

/** The kernel pushes a signal frame, or takes it back. */
export interface Crossing {
  readonly is: "crossing";
  readonly toSignal: boolean;
  /** Number of the signal, 0 when the row does not say. */
  readonly signal: number;
}

export interface DiagramRow {
  readonly is: "row";
  readonly row: Transition;
  readonly site: Site | undefined;
  /** It stands in the column of the signal context. */
  readonly signal: boolean;
  /** Functions that are open around it, from the outermost one that is drawn. */
  readonly bars: number;
  /** The step; its function before it where the step that entered it does not name it. As in the trace: a stranger's. */
  readonly text: string;
  /** What the row's numbers add. */
  readonly notes: readonly string[];
  /** Rows folded into this one. */
  readonly folded: number;
  /** Why it matters; null when it is not marked. As in the trace. */
  readonly caption: string | null;
  /** In the enclave, after the row. */
  readonly inside: boolean;
  /** The row is the way in or out. */
  readonly gate: "enter" | "leave" | null;
  /** A transition of the enclave. */
  readonly crossing: boolean;
}

export type DiagramLine = Others | Crossing | DiagramRow;

/** In order, from top to bottom. */
export function diagramOf(rows: readonly ShownRow[], options: DiagramOptions): DiagramLine[] {
  const base = outermost(rows, options.sites);
  const one = isOneFlow(options.sites);
  const lines: DiagramLine[] = [];
  let inSignal: boolean | null = null;
  /** Flow drawn last on each level, to name a function where the step that entered it does not. */
  const flows: string[] = [];
  let said = "";
  let inside = false;
  for (const { row, level, folded, others } of rows) {
    const site = options.sites[row.site];
    const signal = isSignal(site);
    if (others > 0) lines.push({ is: "others", count: others, inside });
    if (inSignal !== null && inSignal !== signal) lines.push({ is: "crossing", toSignal: signal, signal: row.signal });
    inSignal = signal;
    const flow = site?.flow ?? "";
    const named = one || flow.startsWith("(") || flows[level] === flow || said.includes(flow);
    flows.length = Math.min(flows.length, level + 1);
    flows[level] = flow;
    said = site?.label ?? "";
    inside = options.sgx && isInside(row, site);
    lines.push({
      is: "row",
      row,
      site,
      signal,
      bars: Math.max(0, level - (signal ? base.signal : base.normal)),
      text: `${named ? "" : `${flow}: `}${withUnits(site?.label ?? `site ${row.site}`)}`,
      notes: notesOf(row, options),
      folded,
      caption: options.marks.get(row.seq) ?? null,
      inside,
      gate: ENTERS.has(row.kind) ? "enter" : LEAVES.has(row.kind) ? "leave" : null,
      crossing: kindName(row.kind).startsWith("sgx."),
    });
  }
  return lines;
}

const oneFlow = new WeakMap<readonly Site[], boolean>();

/** All is of one function, as in a log: its name would say nothing. */
function isOneFlow(sites: readonly Site[]): boolean {
  let is = oneFlow.get(sites);
  if (is === undefined) oneFlow.set(sites, (is = sites.every(({ flow }) => flow === sites[0]?.flow)));
  return is;
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

const ENTERS: ReadonlySet<number> = new Set((["sgx.eenter", "sgx.eresume"] as const).map((name) => KIND[name]));
const LEAVES: ReadonlySet<number> = new Set((["sgx.eexit", "sgx.aex"] as const).map((name) => KIND[name]));

/** After the row. */
function isInside(row: Transition, site: Site | undefined): boolean {
  if (ENTERS.has(row.kind)) return true;
  if (LEAVES.has(row.kind)) return false;
  return site?.layer === "app" || site?.layer === "libos" || site?.layer === "pal";
}

const RESULT: ReadonlySet<number> = new Set(
  (["app.return", "libos.syscall.exit", "host.syscall.exit", "ocall.return", "pal.call.leave"] as const).map((name) => KIND[name]),
);
const EVENT: ReadonlySet<number> = new Set(
  (["pal.event.pend", "pal.event.deliver", "pal.event.inject", "pal.event.lost", "libos.upcall.enter"] as const).map((name) => KIND[name]),
);

/** Kinds whose rows have a note made of their value or CSSA. */
export const hasNote = (kind: number): boolean =>
  RESULT.has(kind) || kind === KIND.branch || EVENT.has(kind) || ENTERS.has(kind) || LEAVES.has(kind);

/** What stands behind a row in brackets: a result, yes or no, where the enclave is, an event, a signal. */
export function notesOf(
  row: Pick<Transition, "kind" | "value" | "cssa" | "signal">,
  { eventName, absent }: Pick<DiagramOptions, "eventName" | "absent">,
): string[] {
  const notes: string[] = [];
  const sgx = ENTERS.has(row.kind) || LEAVES.has(row.kind);
  if (RESULT.has(row.kind)) notes.push(`= ${resultText(row.value)}`);
  if (row.kind === KIND.branch) notes.push(row.value === 1 ? "yes" : "no");
  if (sgx && !absent.includes("cssa")) notes.push(`CSSA ${row.cssa}`);
  if (EVENT.has(row.kind)) notes.push(eventName(row.value));
  else if (row.signal > 0 && !sgx) notes.push(signalName(row.signal));
  return notes;
}
