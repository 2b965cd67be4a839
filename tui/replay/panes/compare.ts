/** Two runs of a scenario side by side, aligned by what the application did. */

import type { DifferenceKind, SidePair } from "../../../analyzer/index.ts";
import type { Site } from "../../../engine/index.ts";
import { fit, safe } from "../../present/safe.ts";
import { plain } from "../../present/style.ts";
import { wrapCells } from "../../present/two-column.ts";
import { withUnits } from "../../present/units.ts";
import { alignedUpTo, areOfOneGeneration, pairsOf } from "../compare/alignment.ts";
import { type Choice, choicesOf } from "../compare/choices.ts";
import { threadOf } from "../compare/divergence.ts";
import { divergenceOf, firstOfDifferences, pairAt } from "../compare/position.ts";
import { otherName, type ReplaySession, stackOf } from "../session.ts";
import type { ReplayState } from "../state.ts";
import { type Pane, windowFrom } from "./pane.ts";

/** Of the outcome in one of the runs, where there is room: "does not happen" and a gap at least. */
const OUTCOME = { least: 17, most: 40 } as const;
const outcomeCells = (width: number): number => Math.max(OUTCOME.least, Math.min(OUTCOME.most, Math.floor((width - BEFORE) / 4)));
/** Of the call: what came of it stands near enough to be read as one line. */
const clampedCall = (room: number): number => Math.max(8, Math.min(60, room));
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
    if (all.length === 0) return [paint.dim(safe("no calls to lay side by side", width))];
    const at = pairAt(session, s.seq);
    const column = nameOfOther(session, other);
    // In a small pane the lines above have to do: the screen's first one, and the one between the timelines.
    const names = height < HIGH ? [] : wrapCells(safe(`${namesOf(session, other, column)}${partText(session)}`), width);
    const told = someLines(parting(session, s, other, all, at), width, height < HIGH ? 2 : 6);
    const room = Math.max(1, height - 1 - names.length - told.length);
    const from = windowFrom(at, room, all.length);
    const outcome = outcomeCells(width);
    const call = clampedCall(width - BEFORE - 2 * outcome);
    const calls = callLines(all.slice(from, from + room), at - from, { call, outcome }, room);
    const head = `${fit("       seq  thread     call", BEFORE + call)}${fit("this run", outcome)}${fit(safe(column, outcome - 1), outcome)}`;
    return [
      ...names.map(paint.dim),
      paint.strong(fit(safe(head, width), width)),
      ...calls.flatMap((lines, i) => {
        const style = from + i === at ? paint.here : all[from + i]?.difference != null ? paint.warn : plain;
        return lines.map((line) => style(fit(safe(line, width), width)));
      }),
      ...told.map(paint.warn),
    ];
  },
};

/** What stands in the two columns. */
function namesOf(session: ReplaySession, other: ReplaySession, column: string): string {
  const { scenario } = session.trace.info;
  if (scenario !== other.trace.info.scenario)
    return `this run: ${scenario} on ${stackOf(session)}; ${column}: ${otherName(session, other)}`;
  const name = stackOf(other);
  return `this run: ${stackOf(session)}; ${column === name ? "beside it" : column}: ${name}`;
}

/** Long runs are aligned at their begin only: it is said, with who does more. */
function partText(session: ReplaySession): string {
  const end = alignedUpTo(session);
  return end === null ? "" : `; aligned up to seq ${end.toLocaleString("en")} only: eintr diff compares all of two traces`;
}

/** What the other run is called at its column. */
function nameOfOther({ trace }: ReplaySession, other: ReplaySession): string {
  const { scenario, stack, fixes } = other.trace.info;
  if (scenario !== trace.info.scenario) return "the other";
  if (stack !== trace.info.stack) return stack;
  const isMended = fixes.length > trace.info.fixes.length && trace.info.fixes.every((fix) => fixes.includes(fix));
  return isMended ? "with the fix" : "the other";
}

/** The lines of each pair; calls are wrapped where all of it fits into `height`. */
function callLines(pairs: readonly SidePair[], at: number, cells: { call: number; outcome: number }, height: number): string[][] {
  const { call: width, outcome } = cells;
  const whats = pairs.map(({ what }) => safe(withUnits(what)));
  const wrapped = whats.map((what) => wrapCells(what, width - 1));
  const fits = wrapped.reduce((sum, lines) => sum + lines.length, 0) <= height;
  return pairs.map((pair, i) => {
    const place = String(pair.one?.seq ?? "-").padStart(7);
    const before = `${i === at ? ">" : " "}${pair.difference === null ? " " : "!"} ${place}  ${fit(safe(pair.thread, 9), 9)}  `;
    const [first = "", ...more] = fits ? (wrapped[i] ?? []) : [safe(whats[i] ?? "", width - 1)];
    return [
      `${before}${fit(first, width)}${fit(safe(told(pair, "one"), outcome - 1), outcome)}${safe(told(pair, "other"), outcome)}`,
      ...more.map((line) => `${" ".repeat(BEFORE)}${line}`),
    ];
  });
}

/** Differences that are not in what became of a call: their own texts tell them. */
const TOLD_BY_ITSELF: ReadonlySet<string> = new Set<DifferenceKind>([
  "output",
  "siginfo",
  "mask",
  "handler-place",
  "handler-order",
  "time-out",
]);

/** What came of it in one of the runs. Where a run was cut, what is missing says nothing of it. */
function told({ difference, isCut, ...items }: SidePair, side: "one" | "other"): string {
  const item = items[side];
  if (item === null) return isCut ? "not recorded" : "does not happen";
  return difference !== null && TOLD_BY_ITSELF.has(difference.kind) ? difference[side].text : item.text;
}

function someLines(text: string, width: number, most: number): string[] {
  if (text === "") return [];
  const lines = wrapCells(safe(text), width);
  return lines.length <= most ? lines : [...lines.slice(0, most - 1), safe(lines.slice(most - 1).join(" "), width)];
}

/** The divergence of the nearest differing call up to the cursor, or else of the first one. */
function divergence(session: ReplaySession, other: ReplaySession, all: readonly SidePair[], at: number): string {
  const pair = all.findLast(({ difference }, i) => difference !== null && i <= at) ?? all.find(({ difference }) => difference !== null);
  // Between generations every step has another name: where they part says nothing.
  const parted = pair === undefined || !areOfOneGeneration(session, other) ? null : divergenceOf(session, pair);
  if (parted === null) return "";
  const { last, next } = parted;
  const steps = [siteAt(session, next.here), siteAt(other, next.there)] as const;
  const [here, there] = steps[0]?.label === steps[1]?.label ? steps.map(placeOf) : steps.map((site) => withUnits(site?.label ?? ""));
  const lastThere = last.there === last.here ? "" : ` (there ${last.there})`;
  return `the runs diverge after seq ${last.here}${lastThere}; here: ${here}; there: ${there}`;
}

const siteAt = (of: ReplaySession, seq: number): Site | undefined => of.trace.sites[of.rows.at(seq)?.site ?? -1];

/** The same step of another function, or in the other context. */
const placeOf = (site: Site | undefined): string =>
  site === undefined
    ? ""
    : `${withUnits(site.label)} in ${site.flow}, ${site.context === "signal" ? "in signal context" : "in the normal context"}`;

/** What there is to say of where the two runs part. */
function parting(session: ReplaySession, s: ReplayState, other: ReplaySession, all: readonly SidePair[], at: number): string {
  const told = divergence(session, other, all, at) || missingThread(session, s, other);
  if (told !== "" || firstOfDifferences(session) !== null) return told;
  const upTo = alignedUpTo(session);
  return `no difference${upTo === null ? "" : ` up to seq ${upTo.toLocaleString("en")}`}: the application sees the same in both runs`;
}

/** Why there is one timeline only. */
function missingThread({ trace }: ReplaySession, { thread }: ReplayState, other: ReplaySession): string {
  const name = trace.threads[thread]?.name ?? "";
  return threadOf(other, name) >= 0 ? "" : `the other run has no thread ${name}: t takes another`;
}

const WAYS: Readonly<Record<Choice["what"], string>> = { fix: "with the fix", stack: "on the stack", trace: "beside trace" };

/** What there is to compare with, to choose from. */
function choices(session: ReplaySession, s: ReplayState, width: number, height: number): string[] {
  const { paint } = session;
  const all = choicesOf(session, s.findings);
  const canRun = all.some(({ what }) => what !== "trace");
  const how = canRun
    ? "Enter runs it so, and shows the two runs side by side; @ takes the name of a stack, a fix or a trace folder"
    : all.length > 0
      ? "this trace cannot be run again; Enter lays it beside another one, @ takes the folder of any other"
      : "this trace cannot be run again: @ takes the folder of another trace to compare it with";
  const head = wrapCells(how, width).map(paint.dim);
  const isCut = all.length > height - head.length;
  const room = Math.max(1, height - head.length - (isCut ? 1 : 0));
  const from = windowFrom(s.picked.choice, room, all.length);
  const lines = all.slice(from, from + room).map(({ what, name, text }, i) => {
    const chosen = from + i === s.picked.choice;
    const line = fit(safe(`${chosen ? ">" : " "} ${WAYS[what]}  ${name}  ${text}`, width), width);
    return chosen ? paint.strong(line) : line;
  });
  return [...head, ...lines, ...(isCut ? [paint.dim(safe(`  ${s.picked.choice + 1} of ${all.length}: . and , choose`, width))] : [])];
}
