/** Commands that go somewhere in the trace. */

import { query } from "../../recorder/index.ts";
import { nextDifference } from "./aligning.ts";
import type { Context } from "./context.ts";
import { jumpTarget, type MoveName, signalAt, wanted } from "./moves.ts";

import type { Direction } from "./rows.ts";
import { loadRoad } from "./world.ts";

const MAX_SQL_ROWS = 1000;

/** Moves of one thread keep to it; the others take the thread they arrive at. */
const KEEPS_THREAD: ReadonlySet<MoveName> = new Set(["step", "over", "out", "syscall", "entry"]);

const NOTHING: Readonly<Record<Direction, string>> = { 1: "nothing further on", [-1]: "nothing before" };

/** One look is quick; a long one goes on in the background, tells how far it is, and can be stopped. */
export async function move(c: Context, name: MoveName, direction: Direction): Promise<void> {
  const s = c.state();
  const { rows, trace } = c.world;
  const want = wanted(name, s, rows, trace);
  let from = s.seq;
  let stop: AbortSignal | null = null;
  for (;;) {
    const found = rows.find(from, direction, want);
    if (found === null) {
      if (stop === null || !stop.aborted) c.dispatch({ type: "say", message: NOTHING[direction] });
      if (s.playing !== 0) c.dispatch({ type: "play", direction: 0 });
      return;
    }
    if ("seq" in found) return arrive(c, found.seq, KEEPS_THREAD.has(name) ? s.thread : null);
    stop ??= c.task();
    from = found.goOnAt;
    c.dispatch({ type: "say", message: `looking: at ${Math.floor((100 * from) / rows.count)} % (Esc stops)`, busy: true });
    await new Promise((resolve) => setImmediate(resolve));
    if (stop.aborted) return;
  }
}

/** Stand at `seq`, and look at its thread unless another is asked for. */
export function arrive(c: Context, seq: number, thread: number | null, message = ""): void {
  const row = c.world.rows.at(seq);
  if (row === null) return c.dispatch({ type: "say", message: `there is no seq ${seq}` });
  c.dispatch({ type: "go", seq, thread: thread ?? row.thread, message });
}

export function edge(c: Context, direction: Direction): void {
  arrive(c, direction === 1 ? c.world.rows.count - 1 : 0, null);
}

export function jump(c: Context, text: string): void {
  const target = jumpTarget(text, c.world.rows);
  if ("error" in target) return c.dispatch({ type: "say", message: target.error });
  arrive(c, target.seq, null);
}

export function bookmark(c: Context, direction: Direction): void {
  const { bookmarks, seq } = c.state();
  const found = direction === 1 ? bookmarks.find((one) => one > seq) : bookmarks.findLast((one) => one < seq);
  if (found === undefined)
    return c.dispatch({ type: "say", message: bookmarks.length === 0 ? "no bookmarks: m sets one" : NOTHING[direction] });
  arrive(c, found, null);
}

export function thread(c: Context, direction: Direction): void {
  const { threads } = c.world.trace;
  const next = (c.state().thread + direction + threads.length) % Math.max(1, threads.length);
  c.dispatch({ type: "thread", thread: next });
}

/** Next or last finding, at its first evidence. */
export function finding(c: Context, direction: Direction): void {
  const { findings, finding: at, looking } = c.state();
  const next = at === null ? (direction === 1 ? 0 : findings.length - 1) : at + direction;
  const found = findings[next];
  if (found === undefined) {
    const none = looking ? "the rules are still looking" : "no findings";
    return c.dispatch({ type: "say", message: findings.length === 0 ? none : NOTHING[direction] });
  }
  c.dispatch({ type: "finding", finding: next, evidence: 0 });
  c.dispatch({ type: "pane", pane: "findings" });
  arrive(c, found.evidence[0]?.seq ?? found.firstSeq, null, found.title);
}

/** Next piece of evidence of the finding; false at the end of the story. */
export function evidence(c: Context, direction: Direction): boolean {
  const { findings, finding: index, evidence: at } = c.state();
  const found = index === null ? undefined : findings[index];
  if (found === undefined) {
    finding(c, 1);
    return findings.length > 0;
  }
  const next = found.evidence[at + direction];
  if (next === undefined) {
    const end = `the story ends here. Why it matters, and how it was mended: eintr explain ${found.rule}`;
    c.dispatch({ type: "say", message: direction === 1 ? end : "the story begins here" });
    return false;
  }
  c.dispatch({ type: "finding", finding: index, evidence: at + direction });
  arrive(c, next.seq, null, next.caption);
  return true;
}

/** Follow the signal of this row, or the nearest before it on the thread; again: follow none. */
export function follow(c: Context): void {
  const s = c.state();
  if (s.signal !== null) return c.dispatch({ type: "follow", signal: null });
  const { rows, trace } = c.world;
  const isHop = wanted("signal", { ...s, signal: null }, rows, trace);
  const here = rows.block(s.seq);
  let seq = here !== null && signalAt(here.block, here.row) > 0 ? s.seq : -1;
  for (const direction of [-1, 1] as const) {
    const found = seq >= 0 ? null : rows.find(s.seq, direction, isHop);
    if (found !== null && "seq" in found) seq = found.seq;
  }
  const signal = seq < 0 ? 0 : (rows.at(seq)?.extra ?? 0);
  if (signal <= 0) return c.dispatch({ type: "say", message: "no signal near here" });
  c.dispatch({ type: "follow", signal });
  c.dispatch({ type: "pane", pane: "signal" });
  const road = loadRoad(trace, signal);
  if (road !== null) c.dispatch({ type: "road", road });
}

/** Run a query in the background; its result fills the pane. */
export async function sql(c: Context, text: string): Promise<void> {
  if (text.trim() === "") return;
  const stop = c.task();
  c.dispatch({ type: "say", message: "asking (Esc stops)", busy: true });
  try {
    const result = await query(c.world.trace.db, text, { limit: MAX_SQL_ROWS, signal: stop });
    const rows = [];
    for await (const chunk of result.chunks()) rows.push(...chunk);
    if (stop.aborted) return;
    c.dispatch({ type: "sql", result: { sql: text, columns: result.columns, rows, truncated: result.truncated } });
    c.dispatch({ type: "say", message: rows.length === 0 ? "no rows" : "" });
  } catch (error) {
    if (!stop.aborted) c.dispatch({ type: "say", message: error instanceof Error ? error.message : String(error) });
  }
}

/** From the selected row of a result to the transition it names. */
export function jumpToRow(c: Context): void {
  const { sql: result, sqlRow } = c.state();
  if (result === null) return;
  const column = ["seq", "first_seq", "generated"].map((name) => result.columns.indexOf(name)).find((at) => at >= 0);
  const seq = column === undefined ? Number.NaN : Number(result.rows[sqlRow]?.[column]);
  if (!Number.isSafeInteger(seq)) return c.dispatch({ type: "say", message: "this row has no column seq to jump to" });
  arrive(c, seq, null);
}

export function difference(c: Context, direction: Direction): void {
  if (c.world.other === null) return c.dispatch({ type: "say", message: "nothing to compare with: start with --fix ID or --stack NAME" });
  const found = nextDifference(c.world, c.state().seq, direction);
  if (found === null) return c.dispatch({ type: "say", message: `no difference ${direction === 1 ? "further on" : "before"}` });
  c.dispatch({ type: "pane", pane: "compare" });
  arrive(c, found.seq, found.thread, found.text);
}
