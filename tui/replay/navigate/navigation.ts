/** Commands that go somewhere in the trace. */

import { setImmediate as turn } from "node:timers/promises";
import { HOPS } from "../../../engine/index.ts";
import { type Cell, query } from "../../../recorder/index.ts";
import { alignedUpTo } from "../compare/alignment.ts";
import { nextDifference } from "../compare/position.ts";
import type { Context } from "../context.ts";
import { loadSignalPath } from "../session.ts";
import type { SqlResult } from "../state.ts";
import { differenceFrom } from "./differences.ts";
import { depthAtCursor, jumpTarget, type Move, predicateFor, shallower } from "./predicates.ts";
import type { Direction, RowPredicate } from "./rows.ts";

const MAX_SQL_ROWS = 1000;

/** Moves of one thread keep to it; the others take the thread they goTo at. */
const KEEPS_THREAD: ReadonlySet<Move> = new Set(["step", "over", "out", "syscall", "entry"]);

export const NOTHING: Readonly<Record<Direction, string>> = { 1: "nothing further on", [-1]: "nothing before" };

export function move(c: Context, name: Move, direction: Direction): Promise<void> {
  const s = c.state();
  return findRow(c, s.seq, direction, predicateFor(name, s, c.session), (found) => {
    if (found !== null) return goTo(c, found, KEEPS_THREAD.has(name) ? s.thread : null);
    c.dispatch({ type: "say", message: name === "out" ? "no enclosing function returns before the trace ends" : NOTHING[direction] });
    if (s.playing !== 0) c.dispatch({ type: "play", direction: 0 });
  });
}

/** Go to the call of the current function; from a call to the enclosing one. */
export function toCaller(c: Context): Promise<void> {
  const s = c.state();
  const { rows } = c.session;
  const callOf = (depth: number): Promise<void> =>
    findRow(c, s.seq, -1, shallower(s.thread, depth), (before) => {
      if (before === null) return c.dispatch({ type: "say", message: "this is the outermost function" });
      // The call itself counts as inside: it is the row after the last one outside.
      return findRow(c, before, 1, predicateFor("step", s, c.session), (call) =>
        call !== null && call < s.seq ? goTo(c, call, s.thread) : callOf(depth - 1),
      );
    });
  const depth = depthAtCursor(s, rows);
  return Number.isFinite(depth) ? callOf(depth) : move(c, "step", -1);
}

/**
 * The nearest row after or before `from` that the predicate takes, or null, is told to `then`. One look is quick and over when this returns,
 * as keys that come in one piece want it; a long one goes on in the background, tells how far it is, and can be stopped.
 */
export async function findRow(
  c: Context,
  from: number,
  direction: Direction,
  want: RowPredicate,
  then: (seq: number | null) => void | Promise<void>,
): Promise<void> {
  const { rows } = c.session;
  let found = rows.find(from, direction, want);
  if (found === null || "seq" in found) return then(found?.seq ?? null);
  await c.task(async (stop) => {
    while (found !== null && "goOnAt" in found) {
      const at = found.goOnAt;
      c.dispatch({ type: "say", message: `looking: at ${Math.floor((100 * at) / rows.count)} % (Esc stops)` });
      await turn();
      if (stop.aborted) return;
      found = rows.find(at, direction, want);
    }
    await then(found?.seq ?? null);
  });
}

/** Move the cursor to `seq`, and the timeline to its thread unless `thread` is given. */
export function goTo(c: Context, seq: number, thread: number | null, message = ""): void {
  const row = c.session.rows.at(seq);
  if (row === null) return c.dispatch({ type: "say", message: `there is no seq ${seq}` });
  c.dispatch({ type: "go", seq, thread: thread ?? row.thread, message });
}

export function edge(c: Context, direction: Direction): void {
  goTo(c, direction === 1 ? c.session.rows.count - 1 : 0, null);
}

export function jump(c: Context, text: string): void {
  const target = jumpTarget(text, c.session.rows);
  if ("error" in target) return c.dispatch({ type: "say", message: target.error });
  goTo(c, target.seq, null);
}

export function thread(c: Context, direction: Direction): void {
  const { threads } = c.session.trace;
  if (threads.length < 2) return c.dispatch({ type: "say", message: "there is only one thread" });
  const next = (c.state().thread + direction + threads.length) % threads.length;
  c.dispatch({ type: "thread", thread: next });
}

/** Follow the signal of this row, or the nearest before it on the thread; again: follow none. */
export function follow(c: Context): void {
  const s = c.state();
  if (s.signal !== null) return c.dispatch({ type: "follow", signal: null });
  const { rows, trace, signalId } = c.session;
  const isHop = predicateFor("signal", { ...s, signal: null }, c.session);
  const here = rows.block(s.seq);
  let seq = here !== null && signalId(here.block, here.row) > 0 ? s.seq : -1;
  for (const direction of [-1, 1] as const) {
    const found = seq >= 0 ? null : rows.find(s.seq, direction, isHop);
    if (found !== null && "seq" in found) seq = found.seq;
  }
  const signal = seq < 0 ? 0 : (rows.at(seq)?.extra ?? 0);
  if (signal <= 0) return c.dispatch({ type: "say", message: "no signal near here" });
  c.dispatch({ type: "follow", signal });
  c.dispatch({ type: "pane", pane: "signal" });
  const signalPath = loadSignalPath(trace, signal);
  if (signalPath !== null) c.dispatch({ type: "signalPath", signalPath });
}

/** Run a query in the background; its result fills the pane. */
export async function sql(c: Context, text: string): Promise<void> {
  if (text.trim() === "") return;
  await c.task(async (stop) => {
    c.dispatch({ type: "say", message: "asking (Esc stops)" });
    try {
      const result = await query(c.session.trace.db, text, { limit: MAX_SQL_ROWS, signal: stop });
      const rows = [];
      for await (const chunk of result.chunks()) rows.push(...chunk);
      if (stop.aborted) return;
      c.dispatch({ type: "sql", result: { sql: text, columns: result.columns, rows, truncated: result.truncated } });
      c.dispatch({ type: "say", message: rows.length === 0 ? "no rows" : "" });
    } catch (error) {
      if (!stop.aborted) c.dispatch({ type: "say", message: error instanceof Error ? error.message : String(error) });
    }
  });
}

/** From the selected row of a result to the transition it names. */
export function jumpToRow(c: Context): void {
  const { sql: result, sqlRow } = c.state();
  const row = result?.rows[sqlRow];
  if (result === null || row === undefined) return c.dispatch({ type: "say", message: "no row to jump from: ; asks in SQL" });
  const columns = seqColumns(result);
  if (columns.length === 0) return c.dispatch({ type: "say", message: "this result has no column seq" });
  const column = columns.find((at) => isSeq(row[at]));
  const names = columns.map((at) => result.columns[at]);
  if (column === undefined) return c.dispatch({ type: "say", message: `this row has nothing to jump to in ${names.join(", ")}` });
  const name = result.columns[column];
  goTo(c, Number(row[column]), null, name === "seq" ? "" : `here is the row's ${name}`);
}

const isSeq = (cell: Cell | undefined): boolean =>
  (typeof cell === "number" || typeof cell === "bigint") && Number.isSafeInteger(Number(cell));

/** Columns that name a transition: seq itself, then those called after it, then the hops of a signal. */
function seqColumns({ columns }: SqlResult): number[] {
  const named = (is: (name: string) => boolean): number[] => columns.flatMap((name, at) => (is(name) ? [at] : []));
  // Elsewhere their names may mean anything.
  const hops = columns.includes("generated") ? HOPS : [];
  return [
    ...named((name) => name === "seq"),
    ...named((name) => name.endsWith("_seq")),
    ...hops.flatMap((hop) => named((name) => name === hop)),
  ];
}

/** The next (1) or last (-1) difference between the two runs; where there is one run only, from Linux alone. */
export function difference(c: Context, direction: Direction): void {
  const { seq } = c.state();
  if (c.session.other === null) return differenceFromLinux(c, direction);
  const found = nextDifference(c.session, seq, direction);
  if (found === null) {
    const isOther = nextDifference(c.session, seq, direction === 1 ? -1 : 1) !== null;
    const way = `${direction === 1 ? "further on" : "before"}${alignedUpTo(c.session) === null ? "" : " in what is aligned"}`;
    return c.dispatch({
      type: "say",
      message: `no difference ${way}${isOther ? `; ${direction === 1 ? "(" : ")"} goes to the others` : ""}`,
    });
  }
  c.dispatch({ type: "pane", pane: "compare" });
  goTo(c, found.seq, found.thread, found.text);
}

function differenceFromLinux(c: Context, direction: Direction): void {
  const { differences } = c.session;
  const { seq } = c.state();
  const found = differenceFrom(c.session, seq, direction);
  if (found !== undefined) return goTo(c, found.seq, null, found.text);
  const none =
    differences.first.length === 0
      ? "no difference from Linux alone is known"
      : `no difference from Linux alone ${direction === 1 ? "further on" : "before"}`;
  c.dispatch({ type: "say", message: `${none}; pane 7 has what else to compare with` });
}
