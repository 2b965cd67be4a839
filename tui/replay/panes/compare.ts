/** Two runs of a scenario side by side, aligned by what the application did. */

import { outcome, type Seen, type SeenPair } from "../../../analyzer/index.ts";
import { fit, safe } from "../../present/safe.ts";
import { plain } from "../../present/style.ts";
import { wrapCells } from "../../present/two-column.ts";
import { pairsOf } from "../compare/alignment.ts";
import { choicesOf } from "../compare/choices.ts";
import { divergenceOf, pairAt } from "../compare/position.ts";
import { type ReplaySession, stackOf } from "../session.ts";
import type { ReplayState } from "../state.ts";
import { type Pane, windowFrom } from "./pane.ts";

/** Of the outcome in one of the runs: "does not happen" and a gap. */
const OUTCOME = 17;
/** Before the call: marks, seq, thread. */
const BEFORE = 23;
/** Lines of a pane that has room for more than the list. */
const HIGH = 10;

export const comparePane: Pane<"compare"> = {
  id: "compare",
  title: "two runs, call by call; ! they differ; - +: steps of one run only",
  wide: true,
  lines(session, s, width, height) {
    const { paint, other } = session;
    if (other === null) return choices(session, s, width, height);
    const all = pairsOf(session);
    if (all.length === 0) return [paint.dim(safe("no calls, or the trace is too long to align", width))];
    const at = pairAt(session, s.seq);
    const column = nameOfOther(session, other);
    // In a small pane the lines above have to do: the screen's first one, and the one between the timelines.
    const names = height < HIGH ? [] : wrapCells(safe(`this run: ${stackOf(session)}; ${column}: ${stackOf(other)}`), width);
    const told = someLines(divergence(session, other, all, at), width, height < HIGH ? 2 : 6);
    const room = Math.max(1, height - 1 - names.length - told.length);
    const from = windowFrom(at, room, all.length);
    const call = Math.max(8, width - BEFORE - 2 * OUTCOME);
    const calls = callLines(all.slice(from, from + room), at - from, call, room);
    const head = `${fit("       seq  thread     call", BEFORE + call)}${fit("this run", OUTCOME)}${fit(safe(column, OUTCOME - 1), OUTCOME)}`;
    return [
      ...names.map(paint.dim),
      paint.strong(fit(safe(head, width), width)),
      ...calls.flatMap((lines, i) => {
        const style = from + i === at ? paint.here : all[from + i]?.differs === true ? paint.warn : plain;
        return lines.map((line) => style(fit(safe(line, width), width)));
      }),
      ...told.map(paint.warn),
    ];
  },
};

/** What the other run is called at its column. */
function nameOfOther({ trace }: ReplaySession, other: ReplaySession): string {
  const { stack, fixes } = other.trace.info;
  if (stack !== trace.info.stack) return stack;
  const isMended = fixes.length > trace.info.fixes.length && trace.info.fixes.every((fix) => fixes.includes(fix));
  return isMended ? "with the fix" : "the other";
}

/** The lines of each pair; calls are wrapped where all of it fits into `height`. */
function callLines(pairs: readonly SeenPair[], at: number, width: number, height: number): string[][] {
  const whats = pairs.map(({ one, other }) => safe((one ?? other)?.what ?? ""));
  const wrapped = whats.map((what) => wrapCells(what, width - 1));
  const fits = wrapped.reduce((sum, lines) => sum + lines.length, 0) <= height;
  return pairs.map((pair, i) => {
    const { one, other, differs } = pair;
    const place = String(one?.seq ?? "-").padStart(7);
    const thread = fit(safe((one ?? other)?.thread ?? "", 9), 9);
    const before = `${i === at ? ">" : " "}${differs ? "!" : " "} ${place}  ${thread}  `;
    const [first = "", ...more] = fits ? (wrapped[i] ?? []) : [safe(whats[i] ?? "", width - 1)];
    return [
      `${before}${fit(first, width)}${fit(told(pair, one), OUTCOME)}${told(pair, other)}`,
      ...more.map((line) => `${" ".repeat(BEFORE)}${line}`),
    ];
  });
}

/** What came of a call in one of the runs. Where a run was cut, what is missing says nothing of it. */
function told({ one, other, differs }: SeenPair, of: Seen | undefined): string {
  if (differs || outcome(one) === outcome(other)) return outcome(of);
  return of === undefined ? "not recorded" : of.result === null ? "cut before it" : outcome(of);
}

function someLines(text: string, width: number, most: number): string[] {
  if (text === "") return [];
  const lines = wrapCells(safe(text), width);
  return lines.length <= most ? lines : [...lines.slice(0, most - 1), safe(lines.slice(most - 1).join(" "), width)];
}

/** The divergence of the nearest differing call up to the cursor, or else of the first one. */
function divergence(session: ReplaySession, other: ReplaySession, all: readonly SeenPair[], at: number): string {
  const pair = all.findLast(({ differs }, i) => differs && i <= at) ?? all.find(({ differs }) => differs);
  const parted = pair === undefined ? null : divergenceOf(session, pair);
  if (parted === null) return "";
  const step = (of: ReplaySession, seq: number): string => of.trace.sites[of.rows.at(seq)?.site ?? -1]?.label ?? "";
  const { last, next } = parted;
  const there = last.there === last.here ? "" : ` (there ${last.there})`;
  return `the runs diverge after seq ${last.here}${there}; here: ${step(session, next.here)}; there: ${step(other, next.there)}`;
}

/** What there is to compare with, to choose from. */
function choices(session: ReplaySession, s: ReplayState, width: number, height: number): string[] {
  const { paint } = session;
  const all = choicesOf(session, s.findings);
  const how = "Enter runs it so, and shows the two runs side by side; @ takes the name of a fix, a stack or a trace folder";
  if (all.length === 0)
    return wrapCells("this trace cannot be run again: @ takes the folder of another trace to compare it with", width).map(paint.dim);
  const head = wrapCells(how, width).map(paint.dim);
  const room = Math.max(1, height - head.length);
  const from = windowFrom(s.picked.choice, room, all.length);
  const lines = all.slice(from, from + room).map(({ what, name, text }, i) => {
    const chosen = from + i === s.picked.choice;
    const line = fit(safe(`${chosen ? ">" : " "} ${what === "fix" ? "with the fix" : "on the stack"}  ${name}  ${text}`, width), width);
    return chosen ? paint.strong(line) : line;
  });
  return [...head, ...lines];
}
