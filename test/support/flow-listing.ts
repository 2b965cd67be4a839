/**
 * Listings of recorded flows, one line a transition, to be laid beside a diagram of the page: layer, context (N normal, S signal),
 * the state the transition left (CSSA, preempt, pending; a dot is 0), then call depth as bars, the place, and what happened.
 */

import { EVENT_NAMES, type KindName, type Layer, resultText, type StackName, shownBy, signalName } from "../../engine/index.ts";
import type { Ran, Row } from "./run-scenario.ts";

/** Part of a run: rows of these threads from the first at `from` up to the first after it at `to`, both included. */
export interface Interval {
  /** A place, "flow: label" or the beginning of one. */
  readonly from: string;
  readonly to: string;
  /** Which occurrence of `from`, 1 by default. */
  readonly nth?: number;
  /** Names of the threads to show, ["main"] by default. */
  readonly threads?: readonly string[];
  /** Layers to show, all by default. What comes from outside the thread's code, and the upcalls, are always shown. */
  readonly layers?: readonly Layer[];
  /** Stretches the page leaves out too: rows between the two places become one line. */
  readonly fold?: readonly { readonly after: string; readonly before: string; readonly as: string }[];
}

export interface Line {
  readonly text: string;
  /** Null for a fold. */
  readonly row: Row | null;
}

/** One difference the reference names between a diagram of the page and the code, and the proof of it in the listing. */
export interface Difference {
  /** D1 to D14 of section 0.2, or the section whose "Page vs code" (or "branches the page leaves out") names it. */
  readonly id: string;
  readonly page: string;
  readonly code: string;
  /** Text of a line that shows it. */
  readonly at?: string;
  /** Text that no line has. */
  readonly never?: string;
}

/** A diagram of the page, and the run that shows it. */
export interface Diagram {
  /** Name of the golden file. */
  readonly name: string;
  readonly page: string;
  readonly reference: string;
  /** A built-in scenario's name, or one made for the diagram. */
  readonly scenario: string | Record<string, unknown>;
  readonly stack: StackName;
  readonly interval: Interval;
  /** By thread: what the page says, in its order, and the place of the recorded flow that stands for it. */
  readonly order: Readonly<Record<string, readonly (readonly [page: string, place: string])[]>>;
  readonly notAsOnThePage: readonly Difference[];
}

/** Where the steps of the page are among the lines, by thread: [words of the page, index of the line]; -1 when one is not there in order. */
export function orderOf(diagram: Diagram, lines: readonly Line[]): [page: string, line: number][] {
  return Object.entries(diagram.order).flatMap(([who, steps]) => {
    let at = 0;
    return steps.map(([page, place]): [string, number] => {
      const found = lines.findIndex(({ row }, i) => i >= at && row !== null && row.who === who && isAt(row, place));
      at = found < 0 ? lines.length : found + 1;
      return [page, found];
    });
  });
}

/** Index of the line that shows a difference, -1 when none does. */
export const witness = (difference: Difference, lines: readonly Line[]): number =>
  lines.findIndex(({ text }) => text.includes(difference.at ?? "\n"));

/** The golden file: what the listing is of, the page's order and the differences with line numbers, the listing. */
export function golden(diagram: Diagram, ran: Ran): string {
  const lines = listing(ran, diagram.interval);
  const line = (index: number): string => (index < 0 ? "none" : String(index + 1)).padStart(4);
  const scenario = typeof diagram.scenario === "string" ? `scenario ${diagram.scenario}` : "scenario of test/engine/diagrams";
  const differences = diagram.notAsOnThePage.map((difference) => {
    const shown = difference.at === undefined ? `no line has "${difference.never}"` : `line ${line(witness(difference, lines)).trim()}`;
    return `NOT AS ON THE PAGE: ${difference.id} (${shown})\n  page: ${difference.page}\n  code: ${difference.code}`;
  });
  return [
    `PAGE: ${diagram.page}`,
    `REFERENCE: ${diagram.reference}`,
    `RUN: ${scenario} on ${diagram.stack}`,
    "UPDATE: EINTR_UPDATE=1 npx vitest run test/engine/diagrams.test.ts",
    "",
    "PAGE ORDER: (line of the listing, what the page says)",
    ...orderOf(diagram, lines).map(([page, at]) => `${line(at)}  ${page}`),
    "",
    ...(differences.length > 0 ? differences : ["NOT AS ON THE PAGE: nothing"]),
    "",
    "LISTING: layer, context (N normal, S signal), CSSA, preempt, pending, call depth, flow: label [kind, signal, arguments]",
    ...lines.map(({ text }, i) => `${line(i)}  ${text}`.trimEnd()),
    "",
  ].join("\n");
}

/** A place as tests write it: the whole "flow: label" or its beginning, e.g. "sgx_raise:" for any step of sgx_raise. */
export const isAt = (row: Row, place: string): boolean => row.where.startsWith(place);

/** The lines of an interval. An interval that is not there is an error that says which end is missing. */
export function listing(ran: Ran, interval: Interval): Line[] {
  const threads = interval.threads ?? ["main"];
  const depths = new Map<string, number>();
  const rows = ran.rows.flatMap((row) => {
    const before = depths.get(row.who) ?? 0;
    depths.set(row.who, row.depth);
    return threads.includes(row.who) ? [{ row, before }] : [];
  });
  const first = rows.flatMap(({ row }, i) => (isAt(row, interval.from) ? [i] : []))[(interval.nth ?? 1) - 1];
  if (first === undefined) throw new Error(`no place "${interval.from}" in the run`);
  const last = rows.findIndex(({ row }, i) => i > first && isAt(row, interval.to));
  if (last < 0) throw new Error(`no place "${interval.to}" after "${interval.from}"`);
  const wanted = (row: Row): boolean =>
    !interval.layers || interval.layers.includes(row.place.layer) || row.place.flow === "(outside)" || row.what.startsWith("libos.");
  const shown = rows.slice(first, last + 1).filter(({ row }) => wanted(row));
  const shallowest = new Map(threads.map((who) => [who, Math.min(...shown.filter(({ row }) => row.who === who).map((s) => s.before))]));
  const who = (row: Row): string => (threads.length > 1 ? `${row.who.padEnd(Math.max(...threads.map((name) => name.length)))} ` : "");
  const lines = shown.map(({ row, before }): Line => ({ row, text: who(row) + lineOf(ran, row, before - (shallowest.get(row.who) ?? 0)) }));
  return (interval.fold ?? []).reduce(folded, lines);
}

/** Every such stretch becomes one line; at least one has to be there. */
function folded(lines: Line[], { after, before, as }: NonNullable<Interval["fold"]>[number]): Line[] {
  const kept: Line[] = [];
  let hidden = -1;
  let folds = 0;
  for (const line of lines) {
    const at = (place: string): boolean => line.row !== null && isAt(line.row, place);
    if (hidden >= 0 && at(before)) {
      kept.push({ row: null, text: `${" ".repeat(24)}< ... ${as} ... >` });
      folds += 1;
      hidden = -1;
    }
    if (hidden >= 0) hidden += 1;
    else kept.push(line);
    if (at(after)) hidden = 0;
  }
  if (folds === 0 || hidden >= 0) throw new Error(`nothing to fold between "${after}" and "${before}"`);
  return kept;
}

const number = (n: number): string => (n === 0 ? "." : String(n)).padStart(3);

function lineOf(ran: Ran, row: Row, depth: number): string {
  const state = `${number(row.cssa)}${number(row.preempt)}${number(row.pending)}`;
  const context = row.place.context === "signal" ? "S" : "N";
  return `${row.place.layer.padEnd(13)} ${context}${state}  ${"| ".repeat(depth)}${row.where}${happened(ran, row)}`;
}

/** What the place alone does not say: the answer of a test, else kind, signal and arguments. */
function happened(ran: Ran, row: Row): string {
  const note = NOTES[row.what]?.(row, ran) ?? "";
  if (row.what === "branch") return note;
  const words = [
    row.what === "step" || row.what === "call" || row.what === "return" ? "" : row.what,
    row.signal > 0 ? signalName(row.signal) : "",
    note,
    row.detail > 0 ? `"${ran.texts[row.detail]}"` : "",
  ].filter((word) => word !== "");
  return words.length === 0 ? "" : `  [${words.join(" ")}]`;
}

const oneOf =
  (...words: string[]) =>
  (row: Row): string =>
    words[row.value] ?? String(row.value);

/** As the stack of the run names it. */
const event = (row: Row, ran: Ran): string =>
  row.value > 0 && row.value < EVENT_NAMES.length ? shownBy(ran.run.options.stack).events.name(row.value) : String(row.value);
const result = (row: Row): string => `= ${resultText(row.value)}`;

/** Times and thread ids are results too; their digits would tie the goldens to the cost table. */
const small = (n: number): string => (Math.abs(n) < 1000 ? String(n) : "large");

const target = (row: Row, ran: Ran): string => `to ${ran.threads[row.value]?.name ?? "nobody"}`;

const ENDS = [
  "it called exit",
  "default in the host",
  "default in the LibOS",
  "assertion",
  "internal fault",
  "the PAL gave up",
  "undefined",
];

const NOTES: Partial<Record<KindName, (row: Row, ran: Ran) => string>> = {
  branch: (row) => (row.value === 1 ? " -> yes" : " -> no"),
  // The one step whose number the page speaks of.
  step: (row) => (row.where.includes("si_addr = ") ? `si_addr ${row.value}` : ""),
  "app.return": result,
  "host.syscall.exit": (row) => `= ${row.value < 0 ? resultText(row.value) : small(row.value)}`,
  "libos.syscall.exit": result,
  "ocall.return": (row) => `= ${small(row.value)}`,
  "pal.call.leave": (row) => `= ${small(row.value)}, pal_errno ${row.extra}`,
  "pal.call.abandon": (row) => `pal_errno ${row.value}`,
  "sgx.clobber": oneOf("", "stack words", "red zone", "vector registers", "untrusted stack"),
  "pal.event.pend": event,
  "pal.event.deliver": event,
  "pal.event.inject": event,
  "pal.event.lost": event,
  "pal.exception.return": oneOf("plain return", "context", "frame"),
  "libos.upcall.enter": event,
  "libos.upcall.return": event,
  "libos.signal.decide": oneOf("now", "defer", "lost"),
  "libos.signal.deliver": oneOf("default", "ignore", "handler"),
  "libos.signal.append": target,
  "libos.wake": target,
  "host.signal.generate": target,
  "libos.signal.lost": oneOf("", "internal thread", "no thread control block", "thread not alive"),
  "libos.fault": event,
  "libos.assert": (row) => `found 0x${row.value.toString(16)}, expected 0x${(row.extra >>> 0).toString(16)}`,
  "sgx.aex": (row) => (row.value < 0 ? "no vector" : `vector ${row.value}`),
  "sgx.eenter": (row) => `RAX = ${row.value}, RDI = ${small(row.extra)}`,
  "sgx.eexit": oneOf("ocall", "stage one done"),
  "host.sigreturn": oneOf("", "registers rewritten"),
  "thread.wake": oneOf("ready", "timed out", "interrupted"),
  "thread.exit": oneOf("by itself", "killed", "died in the PAL"),
  "process.exit": (row) => `${row.value}, ${ENDS[row.extra]}`,
};
