/** Takes the model from row to row. */

import type { Block } from "../../engine/index.ts";
import { EFFECTS } from "./effects.ts";
import { closeGates } from "./gates.ts";
import { BEGINS_THREAD, CLOSES, OPENS, TELLS_DEPTH } from "./kinds.ts";
import type { ThreadModel } from "./model.ts";
import { closeDownTo, closeInnermost, leaveDeeper, openScope } from "./opening.ts";
import { HOW, NONE, type ScopeType } from "./scopes.ts";
import { addThread, dropThread } from "./threads.ts";

/** The next row. A thread that it ends stays readable until the row after. */
export function takeRow(m: ThreadModel, block: Block, row: number): void {
  const kind = block.kind[row] as number;
  const thread = block.thread[row] as number;
  if (m.block !== block) m.block = block;
  m.row = row;
  m.seq = block.seq0 + row;
  m.time = block.time[row] as number;
  m.kind = kind;
  m.site = block.site[row] as number;
  m.signal = block.signal[row] as number;
  m.value = block.value[row] as number;
  m.extra = block.extra[row] as number;
  m.detail = block.detail[row] as number;
  m.depth = m.tellsDepth ? (block.depth[row] as number) : Number.NaN;
  if (m.leaving !== NONE) letGo(m);
  if (m.closing.length > 0) closeGates(m.closing);
  if (thread !== m.thread || m.slot === NONE) turnTo(m, thread, kind);
  m.closed = NONE;
  const opens = OPENS[kind] as ScopeType | typeof NONE;
  const closes = CLOSES[kind] as ScopeType | typeof NONE;
  if (opens !== NONE) openScope(m, opens);
  else if (closes !== NONE) closeInnermost(m, closes);
  else if (m.tellsDepth && TELLS_DEPTH[kind] === 1) leaveDeeper(m, m.depth, false);
  EFFECTS[kind]?.(m);
}

function letGo(m: ThreadModel): void {
  for (const watcher of m.threadWatchers) watcher(m.leaving);
  dropThread(m.threads, m.leaving);
  m.leaving = NONE;
  m.slot = NONE;
}

function turnTo(m: ThreadModel, thread: number, kind: number): void {
  m.thread = thread;
  const known = m.threads.slots.get(thread);
  m.slot = known ?? (BEGINS_THREAD[kind] === 1 ? addThread(m.threads, thread, m.seq) : NONE);
}

/** No row follows. `isOver`: nobody is left who could do anything. What is open can still be asked for. */
export function endTrace(m: ThreadModel, seq: number, time: number, isOver: boolean): void {
  if (m.leaving !== NONE) letGo(m);
  m.seq = seq;
  m.time = time;
  m.isOver = isOver;
}

/** What is open ends now. */
export function finishTrace(m: ThreadModel): void {
  if (m.leaving !== NONE) letGo(m);
  for (const [thread, slot] of m.threads.slots) {
    m.thread = thread;
    m.slot = slot;
    closeDownTo(m, NONE, HOW.TRACE_OVER);
  }
}
