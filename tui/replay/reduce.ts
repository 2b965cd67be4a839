/** What can happen to the state of the replay, and what becomes of it then: the only place where it changes. */

import type { Line } from "./input/line-edit.ts";
import { lineOf } from "./input/line-edit.ts";
import type { LanesView } from "./lanes/view.ts";
import type { Grip, Sizes } from "./screen/sizes.ts";
import type { SignalPath, StoredFinding } from "./session.ts";
import {
  type Condition,
  isIdleLine,
  type Matches,
  type Overlay,
  type Picked,
  type Prompt,
  type ReplayState,
  SPEEDS,
  type SqlResult,
} from "./state.ts";

export type Action =
  | { readonly type: "go"; readonly seq: number; readonly thread: number; readonly message?: string }
  | { readonly type: "thread"; readonly thread: number }
  | { readonly type: "pane"; readonly pane: string }
  | { readonly type: "scroll"; readonly by: number }
  | { readonly type: "resize"; readonly width: number; readonly height: number }
  | { readonly type: "sizes"; readonly sizes: Sizes }
  | { readonly type: "grip"; readonly grip: Grip | null }
  | { readonly type: "lanes"; readonly lanes: LanesView; readonly held?: number | null }
  | { readonly type: "counted" }
  | { readonly type: "compared" }
  | { readonly type: "ignored"; readonly ignored: string }
  | { readonly type: "touched" }
  | { readonly type: "overlay"; readonly overlay: Overlay | null }
  | { readonly type: "fold" }
  | { readonly type: "merge" }
  | { readonly type: "play"; readonly direction: -1 | 0 | 1; readonly what?: ReplayState["playWhat"] }
  | { readonly type: "speed"; readonly by: 1 | -1 }
  | { readonly type: "prompt"; readonly prompt: Prompt | null; readonly typed?: string }
  | { readonly type: "type"; readonly line: Line; readonly historyIndex?: number }
  | { readonly type: "entered"; readonly prompt: Prompt; readonly text: string }
  | { readonly type: "search"; readonly text: string }
  | { readonly type: "matches"; readonly matches: Matches }
  | { readonly type: "hide"; readonly hide: string }
  | { readonly type: "follow"; readonly signal: number | null }
  | { readonly type: "signalPath"; readonly signalPath: SignalPath }
  | { readonly type: "settled" }
  /** `opened`: where to stand now, for who has not pressed a key yet. */
  | { readonly type: "found"; readonly findings: readonly StoredFinding[] | null; readonly opened?: Partial<ReplayState> }
  | { readonly type: "finding"; readonly finding: number | null; readonly evidence: number }
  | { readonly type: "walkthroughOver" }
  | { readonly type: "bookmark"; readonly seq: number }
  | { readonly type: "note"; readonly seq: number; readonly text: string }
  | { readonly type: "conditions"; readonly conditions: readonly Condition[] }
  | { readonly type: "picked"; readonly picked: Partial<Picked> }
  | { readonly type: "sql"; readonly result: SqlResult | null }
  | { readonly type: "sqlColumn"; readonly by: 1 | -1 }
  | { readonly type: "chart" }
  | { readonly type: "sqlRow"; readonly row: number }
  | { readonly type: "busy"; readonly busy: boolean }
  | { readonly type: "say"; readonly message: string };

export function reduce(s: ReplayState, a: Action): ReplayState {
  switch (a.type) {
    case "go":
      return { ...s, seq: a.seq, thread: a.thread, scroll: 0, walkthroughOver: false, message: a.message ?? "" };
    case "thread":
      return { ...s, thread: a.thread, scroll: 0 };
    case "pane":
      // What was said was about another pane.
      return withLine({ ...s, pane: a.pane, scroll: 0, message: a.pane === s.pane ? s.message : "" }, s);
    case "scroll":
      return { ...s, scroll: s.scroll + a.by };
    case "resize":
      return { ...s, width: a.width, height: a.height };
    case "sizes":
      return { ...s, sizes: a.sizes };
    case "grip":
      return { ...s, grip: a.grip };
    case "lanes":
      return { ...s, lanes: a.lanes, lanesHeld: a.held === undefined ? s.lanesHeld : a.held };
    case "compared":
      return withLine({ ...s, compared: true, ignored: "", pane: "compare", scroll: 0 }, s);
    case "ignored":
      return { ...s, ignored: a.ignored };
    case "counted":
      return { ...s };
    case "touched":
      return s.fresh ? { ...s, fresh: false } : s;
    case "overlay":
      return { ...s, overlay: a.overlay, scroll: 0, playing: 0 };
    case "fold":
      return { ...s, folded: !s.folded };
    case "merge":
      return { ...s, merged: !s.merged };
    case "play":
      return { ...s, playing: a.direction, playWhat: a.what ?? s.playWhat };
    case "speed": {
      const at = SPEEDS.indexOf(s.speed as (typeof SPEEDS)[number]);
      return { ...s, speed: SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, at + a.by))] ?? s.speed };
    }
    case "prompt":
      return {
        ...s,
        prompt: a.prompt,
        line: lineOf(a.typed ?? ""),
        historyIndex: 0,
        playing: 0,
        message: a.prompt === null ? s.message : "",
        picked: { ...s.picked, command: null },
      };
    case "type":
      return { ...s, line: a.line, historyIndex: a.historyIndex ?? s.historyIndex, picked: { ...s.picked, command: null } };
    case "entered":
      return { ...s, prompt: null, line: lineOf(""), entered: { ...s.entered, [a.prompt]: remembered(s.entered[a.prompt], a.text) } };
    case "search":
      return { ...s, search: a.text, matches: a.text === s.search ? s.matches : null };
    case "matches":
      return a.matches.text === s.search ? { ...s, matches: a.matches } : s;
    case "hide":
      return { ...s, hide: a.hide };
    case "follow":
      return { ...s, signal: a.signal, signalPath: null };
    case "signalPath":
      return a.signalPath.id === s.signal ? { ...s, signalPath: a.signalPath } : s;
    case "settled":
      return { ...s, settled: true };
    case "found":
      return {
        ...s,
        findings: a.findings ?? [],
        looking: false,
        looked: true,
        analysisFailed: a.findings === null,
        ...(s.fresh ? a.opened : {}),
      };
    case "finding":
      return { ...s, finding: a.finding, evidence: a.evidence, walkthroughOver: false };
    case "walkthroughOver":
      return { ...s, walkthroughOver: true };
    case "bookmark":
      return { ...s, bookmarks: toggled(s.bookmarks, a.seq), notes: without(s.notes, a.seq) };
    case "note":
      return {
        ...s,
        bookmarks: s.bookmarks.includes(a.seq) ? s.bookmarks : toggled(s.bookmarks, a.seq),
        notes: a.text === "" ? without(s.notes, a.seq) : { ...s.notes, [a.seq]: a.text },
      };
    case "conditions":
      return { ...s, conditions: a.conditions };
    case "picked":
      return { ...s, picked: { ...s.picked, ...a.picked } };
    case "sql":
      return withLine({ ...s, sql: a.result, sqlRow: 0, sqlColumn: 0, pane: "sql", scroll: 0 }, s);
    case "sqlColumn":
      return { ...s, sqlColumn: Math.max(0, Math.min((s.sql?.columns.length ?? 1) - 1, s.sqlColumn + a.by)) };
    case "chart":
      return { ...s, chart: !s.chart };
    case "sqlRow":
      return { ...s, sqlRow: Math.max(0, Math.min((s.sql?.rows.length ?? 1) - 1, a.row)) };
    case "busy":
      return { ...s, busy: a.busy };
    case "say":
      return { ...s, message: a.message };
  }
}

/** What is shown now, with the line of the questions open where they were opened, and closed where one left them. */
function withLine(now: ReplayState, before: ReplayState): ReplayState {
  if (now.pane === "sql" && now.sql === null && now.prompt === null)
    return { ...now, prompt: "sql", line: lineOf(""), historyIndex: 0, message: "" };
  return isIdleLine(before) && !isIdleLine(now) ? { ...now, prompt: null } : now;
}

const MAX_REMEMBERED = 100;

const remembered = (before: readonly string[], text: string): readonly string[] =>
  text.trim() === "" ? before : [...before.filter((one) => one !== text), text].slice(-MAX_REMEMBERED);

const without = (notes: Readonly<Record<number, string>>, seq: number): Readonly<Record<number, string>> =>
  Object.fromEntries(Object.entries(notes).filter(([at]) => Number(at) !== seq));

const toggled = (list: readonly number[], seq: number): number[] =>
  list.includes(seq) ? list.filter((one) => one !== seq) : [...list, seq].sort((a, b) => a - b);
