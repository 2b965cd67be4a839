/** What a report holds: plain JSON, made from a trace by `collect.ts`, drawn by `page/`. All texts are safe to look at; none is HTML. */

export interface ReportData {
  readonly run: ReportRun;
  /** What happened, and what went otherwise first. */
  readonly verdict: readonly string[];
  readonly outcomes: readonly ReportOutcome[];
  readonly threads: readonly ReportThread[];
  readonly findings: readonly ReportFinding[];
  readonly differences: readonly ReportDifference[];
  /** Bookmarks and notes of the replay, in order of seq. */
  readonly notes: readonly ReportNote[];
  readonly signals: readonly ReportSignal[];
  readonly lanes: ReportLanes;
  readonly quality: readonly ReportQuality[];
  /** What is left out, in whole sentences; empty when the report has all of the trace that it could show. */
  readonly cuts: readonly string[];
}

export interface ReportRun {
  readonly eintr: string;
  readonly stack: string;
  readonly fixes: readonly string[];
  /** Of the stack's manifest. */
  readonly options: readonly string[];
  readonly scenario: string;
  /** How the times are to be read. */
  readonly clock: string;
  readonly transitions: number;
  /** ns. */
  readonly time: number;
  /** Why the recording ended. */
  readonly reason: string;
  readonly digest: string;
}

export interface ReportOutcome {
  readonly subject: string;
  readonly name: string;
  readonly text: string;
  /** On Linux alone; null when it is not there, or nothing was compared. */
  readonly other: string | null;
}

export interface ReportThread {
  readonly name: string;
  readonly pid: number;
  readonly internal: boolean;
}

export interface ReportFinding {
  readonly id: number;
  readonly rule: string;
  readonly severity: string;
  readonly title: string;
  readonly thread: string;
  readonly from: number;
  readonly to: number;
  /** ns. */
  readonly cost: number;
  readonly fingerprint: string;
  /** How many more of the same fingerprint there are. */
  readonly alike: number;
  readonly evidence: readonly { readonly seq: number; readonly caption: string }[];
  readonly diagram: ReportDiagram | null;
  /** What the rule says; null when no such rule is known. */
  readonly about: { readonly what: string; readonly why: string; readonly remedy: string } | null;
}

export interface ReportDifference {
  readonly id: number;
  readonly kind: string;
  readonly weight: string;
  readonly thread: string;
  readonly what: string;
  readonly seq: number | null;
  readonly here: string;
  readonly there: string;
  /** Line of the log. */
  readonly line: number | null;
  /** The first one. */
  readonly cause: boolean;
  /** Of the first one only. */
  readonly diagram: ReportDiagram | null;
}

export interface ReportNote {
  readonly seq: number;
  /** ns. */
  readonly time: number;
  readonly thread: string;
  /** "shim_read: handle_signal(false)". */
  readonly place: string;
  /** As it was written; "" for a bookmark alone. */
  readonly note: string;
}

export interface ReportDiagram {
  readonly sgx: boolean;
  readonly lines: readonly ReportLine[];
}

/** `gap`: rows of the thread that are left out; `others`: rows of other threads. */
export type ReportLine =
  | { readonly is: "gap" | "others"; readonly count: number; readonly inside: boolean }
  | { readonly is: "crossing"; readonly toSignal: boolean; readonly text: string; readonly inside: boolean }
  | ReportRow;

export interface ReportRow {
  readonly is: "row";
  readonly seq: number;
  readonly layer: string;
  readonly signal: boolean;
  readonly bars: number;
  readonly text: string;
  /** What its numbers add, one text. */
  readonly notes: string;
  readonly caption: string | null;
  readonly inside: boolean;
  readonly gate: "enter" | "leave" | null;
}

export interface ReportSignal {
  readonly id: number;
  readonly signal: string;
  readonly thread: string;
  readonly outcome: string;
  /** Made to handled, ns; null when it was not handled. */
  readonly delay: number | null;
  /** In order of seq. */
  readonly hops: readonly ReportHop[];
}

export interface ReportHop {
  readonly name: string;
  readonly seq: number;
  /** ns. */
  readonly time: number;
  readonly layer: string;
}

/** Stretches of time of the threads, as columns. */
export interface ReportLanes {
  /** ns. */
  readonly from: number;
  readonly to: number;
  /** Stretches of time that the slices are of; between them there is more that is not here. */
  readonly covered: readonly (readonly [begin: number, end: number])[];
  /** What `name` and `left` are numbers of. */
  readonly names: readonly string[];
  readonly slices: readonly ReportSlices[];
  readonly arrows: readonly ReportArrow[];
}

export const SLICE_KINDS = ["call", "handler", "upcall", "enclave"] as const;
export type SliceKind = (typeof SLICE_KINDS)[number];

/** Those of one kind on one thread, in order of their begin. */
export interface ReportSlices {
  readonly kind: SliceKind;
  /** Position in `threads`. */
  readonly thread: number;
  readonly seq: readonly number[];
  /** ns. */
  readonly begin: readonly number[];
  readonly end: readonly number[];
  readonly name: readonly number[];
  /** How it ended: a result, or that it did not. */
  readonly left: readonly number[];
}

/** From where a signal was made to the handler that ran for it. */
export interface ReportArrow {
  readonly signal: number;
  readonly begin: number;
  readonly from: number;
  readonly end: number;
  readonly to: number;
}

export interface ReportQuality {
  readonly name: string;
  readonly count: number;
  readonly severity: string;
  readonly advice: string;
}
