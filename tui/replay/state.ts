/** What the replay shows: plain data, changed in one place (`reduce.ts`). */

import type { Cell } from "../../recorder/index.ts";
import { type Line, lineOf } from "./input/line-edit.ts";
import { type LanesView, WHOLE_RUN } from "./lanes/view.ts";
import { DEFAULT_SIZES, type Grip, type Sizes } from "./screen/sizes.ts";
import { needsAnalysis, type ReplaySession, type SignalPath, type StoredFinding } from "./session.ts";

/** The prompt that takes typed keys. */
export type Prompt = "search" | "jump" | "sql" | "palette" | "condition" | "note" | "compare" | "ignore" | "hide";

/** Shown instead of timeline and pane until it is closed. */
export type Overlay = "help" | "why";

/** A condition to stop at, as it was written. */
export interface Condition {
  readonly text: string;
  readonly enabled: boolean;
  /** Times that it stopped. */
  readonly hits: number;
}

/** All rows that a search finds. */
export interface Matches {
  readonly text: string;
  /** Seqs in order, as far as they are kept. */
  readonly seqs: readonly number[];
  /** How many there are. */
  readonly count: number;
}

/** Rows of panes that are chosen. */
export interface Picked {
  /** `key` of the line of the state. */
  readonly state: string | null;
  /** Row of the pane stops. */
  readonly stop: number;
  /** Row of what there is to compare with. */
  readonly choice: number;
  /** Row of the recipes in SQL. */
  readonly recipe: number;
  /** Row of the palette; null: the first one, once something is typed. */
  readonly command: number | null;
}

export interface SqlResult {
  readonly sql: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  readonly truncated: boolean;
}

export interface ReplayState {
  readonly width: number;
  readonly height: number;
  /** The cursor: all panes show the state after this transition. */
  readonly seq: number;
  /** Thread of the timeline. */
  readonly thread: number;
  /** `id` of the pane that is shown. */
  readonly pane: string;
  readonly sizes: Sizes;
  /** The border that the mouse holds. */
  readonly grip: Grip | null;
  /** There is another run beside this one. */
  readonly compared: boolean;
  /** Differences between the two runs that are left out, as they were written; "" none. */
  readonly ignored: string;
  /** Threads of the trace. */
  readonly threads: number;
  readonly lanes: LanesView;
  /** Column of the screen at which the mouse holds the lanes; null when it does not. */
  readonly lanesHeld: number | null;
  /** Just opened: no key was pressed yet. */
  readonly fresh: boolean;
  /** Lines that the pane is scrolled down from where it would begin, negative for up; of the overlay the first line shown. */
  readonly scroll: number;
  readonly overlay: Overlay | null;
  /** The timeline has all threads, a column each. */
  readonly merged: boolean;
  /** Timeline without branches, returns and small functions. */
  readonly folded: boolean;
  /** Direction of playback; 0 when paused. */
  readonly playing: -1 | 0 | 1;
  /** What one step of playback moves to. */
  readonly playWhat: "step" | "signal" | "evidence";
  /** Steps a second, of plain steps. */
  readonly speed: number;
  readonly prompt: Prompt | null;
  readonly line: Line;
  /** Earlier entries of each prompt, the newest last. */
  readonly entered: Readonly<Record<Prompt, readonly string[]>>;
  /** History position: 0 is the line being edited, n the n-th most recent entry. */
  readonly historyIndex: number;
  readonly search: string;
  /** Where matches of the search are; null until they are counted. */
  readonly matches: Matches | null;
  /** The timeline leaves out rows where this condition holds; "" none. */
  readonly hide: string;
  /** Signal that is followed by its id; null for none. */
  readonly signal: number | null;
  /** The path of the followed signal; null until it is loaded. */
  readonly signalPath: SignalPath | null;
  /** Findings of the rules; empty while `looking`. */
  readonly findings: readonly StoredFinding[];
  readonly looking: boolean;
  /** The rules looked through the trace in this replay. */
  readonly looked: boolean;
  /** An error stopped the rules before the end of the trace: `findings` is incomplete. */
  readonly analysisFailed: boolean;
  /** Index of the active finding, and of its current evidence. */
  readonly finding: number | null;
  readonly evidence: number;
  /** The end of the walkthrough was reported at this evidence: the next Enter restarts it. */
  readonly walkthroughOver: boolean;
  readonly bookmarks: readonly number[];
  /** Notes of bookmarks, by seq. */
  readonly notes: Readonly<Record<number, string>>;
  readonly conditions: readonly Condition[];
  readonly picked: Picked;
  readonly sql: SqlResult | null;
  readonly sqlRow: number;
  /** First column of the result that is shown. */
  readonly sqlColumn: number;
  /** The result is drawn as bars. */
  readonly chart: boolean;
  /** False in the first frame: it does not wait for the machine to be put together. */
  readonly settled: boolean;
  /** Result of the last command, or what goes on; "" when there is nothing to say. */
  readonly message: string;
  /** Something goes on in the background; any key ends it. */
  readonly busy: boolean;
}

/** Steps a second that playback can have. */
export const SPEEDS = [1, 2, 5, 10, 30, 100, 300] as const;

/** Playback of a signal's path and of evidence is slower by these factors: their texts take time to read. */
const SLOWER: Readonly<Record<ReplayState["playWhat"], number>> = { step: 1, signal: 5, evidence: 10 };

export const stepsPerSecond = ({ speed, playWhat }: ReplayState): number => speed / SLOWER[playWhat];

export const initialState = (width: number, height: number): ReplayState => ({
  width,
  height,
  seq: 0,
  thread: 0,
  pane: "state",
  sizes: DEFAULT_SIZES,
  grip: null,
  compared: false,
  ignored: "",
  threads: 1,
  lanes: WHOLE_RUN,
  lanesHeld: null,
  fresh: false,
  scroll: 0,
  overlay: null,
  merged: false,
  folded: false,
  playing: 0,
  playWhat: "step",
  speed: 5,
  prompt: null,
  line: lineOf(""),
  entered: { search: [], jump: [], sql: [], palette: [], condition: [], note: [], compare: [], ignore: [], hide: [] },
  historyIndex: 0,
  search: "",
  matches: null,
  hide: "",
  signal: null,
  signalPath: null,
  findings: [],
  looking: false,
  looked: false,
  analysisFailed: false,
  finding: null,
  evidence: 0,
  walkthroughOver: false,
  bookmarks: [],
  notes: {},
  conditions: [],
  picked: { state: null, stop: 0, choice: 0, recipe: 0, command: null },
  sql: null,
  sqlRow: 0,
  sqlColumn: 0,
  chart: false,
  settled: true,
  message: "",
  busy: false,
});

/** The state in which a session starts. */
export const startState = (session: ReplaySession, width: number, height: number): ReplayState => ({
  ...initialState(width, height),
  threads: session.trace.threads.length,
  compared: session.other !== null,
  findings: session.stored ?? [],
  looking: needsAnalysis(session),
});

/**
 * The pane SQL opens with its line, for who goes on typing. As long as nothing is typed there the questions are chosen above it, and keys
 * that begin no statement do what they do elsewhere.
 */
export const isIdleLine = ({ prompt, line, pane, sql }: ReplayState): boolean =>
  prompt === "sql" && line.typed === "" && pane === "sql" && sql === null;

/** The finding whose evidence is walked through. */
export const activeFinding = ({ finding, findings }: ReplayState): StoredFinding | undefined =>
  finding === null ? undefined : findings[finding];
