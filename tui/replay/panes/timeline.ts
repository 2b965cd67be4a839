/** The selected thread's timeline in the page's two columns, "now" pointed at, what is to come dimmed. */

import { type Transition, transitionAt } from "../../../engine/index.ts";
import { outermost } from "../../present/diagram.ts";
import { chooseRows } from "../../present/interval.ts";
import { safe } from "../../present/safe.ts";
import { type DrawnLine, drawRows, heading, MIN_WIDTH, type TwoColumnOptions } from "../../present/two-column.ts";
import { predicateOf } from "../navigate/condition.ts";
import type { Direction, RowPredicate, Rows } from "../navigate/rows.ts";
import type { ReplaySession } from "../session.ts";
import type { ReplayState } from "../state.ts";
import { marksOf } from "./marks.ts";

/** Blocks looked through for rows of the thread, each way: a thread that sleeps long has none near. */
const NEAR_BLOCKS = 6;
/** Where "now" stands: this share of the pane is above it. */
const ABOVE = 0.6;

/** Exactly `height` lines. `only`: what another run does not do. */
export function timelinePane(
  session: ReplaySession,
  s: ReplayState,
  width: number,
  height: number,
  only?: TwoColumnOptions["only"],
): DrawnLine[] {
  const body = height - 1;
  const { rows, depthBefore } = rowsAround(session, s.thread, s.seq, body, s.hide);
  const marks = marksOf(session, s, rows[0]?.seq ?? 0, rows.at(-1)?.seq ?? 0);
  const cursor = rows.findLast((row) => row.seq <= s.seq)?.seq ?? -1;
  const options: TwoColumnOptions = {
    sites: session.trace.sites,
    width: Math.max(width, MIN_WIDTH),
    paint: session.paint,
    ascii: session.ascii,
    sgx: session.sgx,
    absent: session.trace.absent,
    eventName: session.shown.events.name,
    lastSeq: session.rows.count - 1,
    gutter: session.trace.threads.length > 1,
    marks,
    cursor,
    ...(only === undefined ? {} : { only }),
  };
  const shown = chooseRows(rows, { all: !s.folded, depthBefore, marked: new Set([...marks.keys(), cursor]) });
  const lines = drawRows(shown, options);
  const at = lines.findIndex((line) => line.seq === cursor);
  // The row stood on is seen whole, its caption too.
  const end = lines.findLastIndex((line) => line.seq === cursor);
  const from = Math.max(0, Math.min(Math.max(at - Math.floor(body * ABOVE), Math.min(at, end - body + 1)), lines.length - body));
  const visible = lines.slice(from, from + body);
  const level = outermost(shown, session.trace.sites).normal;
  // The function of the outermost rows is on the screen: its callers are not.
  const hidden = Number.isFinite(level) ? Math.max(0, level - 1) : 0;
  const title = { text: heading(options, true, hidden)[0] ?? "", seq: -1 };
  const empty = Array.from({ length: Math.max(0, body - visible.length) }, () => ({ text: "", seq: -1 }));
  if (rows.length === 0)
    empty[0] = { text: session.paint.dim(safe("  this thread does nothing near here: t for another, < for the begin", width)), seq: -1 };
  return [title, ...visible, ...empty];
}

export function rowsAround(
  session: ReplaySession,
  thread: number,
  seq: number,
  count: number,
  hide = "",
): { rows: Transition[]; depthBefore: number | null } {
  const hidden = hide === "" ? null : predicateOf(session.trace, hide);
  const before = collect(session.rows, { thread, hidden }, seq, seq + 1, -1, count + 1).reverse();
  const after = collect(session.rows, { thread, hidden }, seq, seq, 1, count);
  const first = before.length > count ? before.shift() : undefined;
  return { rows: [...before, ...after], depthBefore: first?.depth ?? null };
}

interface Wanted {
  readonly thread: number;
  /** Rows that are left out; the one that is stood on never is. */
  readonly hidden: RowPredicate | null;
}

/** Up to `count` rows of the thread after or before `from`, for one who stands at `here`. */
function collect(rows: Rows, { thread, hidden }: Wanted, here: number, from: number, direction: Direction, count: number): Transition[] {
  const found: Transition[] = [];
  let seq = from + direction;
  for (let looked = 0; looked < NEAR_BLOCKS && found.length < count; looked += 1) {
    const place = neighbour(rows, seq, seq !== here);
    if (place === null) return found;
    const { block, row } = place;
    const threads = block.thread;
    const end = direction === 1 ? block.n : -1;
    for (let i = row; i !== end && found.length < count; i += direction) {
      if (threads[i] !== thread || (hidden?.(block, i) === true && block.seq0 + i !== here)) continue;
      found.push(transitionAt(block, i));
    }
    seq = direction === 1 ? block.seq0 + block.n : block.seq0 - 1;
  }
  return found;
}

/** A damaged block beside the one that is stood in only ends what is shown: a step into it says what is wrong. */
function neighbour(rows: Rows, seq: number, beside: boolean): ReturnType<Rows["block"]> {
  try {
    return rows.block(seq);
  } catch (error) {
    if (beside) return null;
    throw error;
  }
}
