/** What the rows of a trace tell of its threads where there is no machine to look into: their calls and handlers, from the derived tables. */

import { resultText, type StateLine, signalName } from "../../../engine/index.ts";
import { withUnits } from "../../present/units.ts";
import { FIRST_HOP, type ReplaySession } from "../session.ts";

/** Calls and handlers before the cursor that are looked at: a thread that did nothing for longer is told as silent. */
const LOOKED_AT = 400;
/** Threads beside the chosen one that are told. */
const MOST_OTHERS = 20;

export function toldByRows(session: ReplaySession, seq: number, thread: number): StateLine[] {
  const { trace } = session;
  const calls = lastCalls(session, seq);
  const own = trace.threads[thread];
  const handlers = runningHandlers(session, seq, thread);
  const line = (key: string, text: string): StateLine => ({ key, text, isFrame: false });
  const others = trace.threads
    .map((_, id) => id)
    .filter((id) => id !== thread)
    .slice(0, MOST_OTHERS);
  return [
    line("thread", `${own?.name ?? `thread ${thread}`}  tid ${own?.tid ?? "?"}  process ${own?.pid ?? "?"}`),
    line("call", calls.get(thread) ?? "no call so far"),
    ...(handlers.length === 0 ? [line("handlers", "no handler runs")] : handlers.map((text, i) => line(`handler ${i}`, text))),
    line("pending", pendingText(session, seq)),
    ...others.map((id) => line(`other ${id}`, `${trace.threads[id]?.name ?? id}: ${calls.get(id) ?? "no call so far"}`)),
  ];
}

/** By thread: the call it is in, or its last one. */
function lastCalls({ trace }: ReplaySession, seq: number): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  const asked = trace.ask(
    `SELECT c.thread, c.seq, c.exit_seq, c.result, substr(s.label, 1, 200) FROM syscall c JOIN site s ON s.id = c.site
     WHERE c.seq <= ? ORDER BY c.seq DESC LIMIT ${LOOKED_AT}`,
    seq,
  );
  for (const [thread, begin, exit, result, label] of asked) {
    if (found.has(Number(thread))) continue;
    const isOver = exit !== null && Number(exit) <= seq;
    const came = result === null ? "" : ` = ${resultText(Number(result))}`;
    found.set(
      Number(thread),
      isOver
        ? `between calls; the last: ${withUnits(String(label))}${came}, seq ${begin} to ${exit}`
        : `in ${withUnits(String(label))} since seq ${begin}${exit === null ? "; it never returns" : ""}`,
    );
  }
  return found;
}

/** Innermost last. */
function runningHandlers({ trace }: ReplaySession, seq: number, thread: number): string[] {
  const asked = trace.ask(
    `SELECT seq, signal, left_seq FROM (SELECT * FROM handler WHERE seq <= ? ORDER BY seq DESC LIMIT ${LOOKED_AT})
     WHERE thread = ${Math.trunc(thread)} AND (left_seq IS NULL OR left_seq > ${Math.trunc(seq)}) ORDER BY seq`,
    seq,
  );
  return asked.map(([begin, signal]) => `the handler of ${signalName(Number(signal))} runs since seq ${begin}`);
}

/** Signals that were sent and have not come to their end. */
function pendingText({ trace }: ReplaySession, seq: number): string {
  const asked = trace.ask(
    `SELECT signal, sent FROM (SELECT signal, ${FIRST_HOP} AS sent, ended FROM signals WHERE ${FIRST_HOP} <= ? ORDER BY sent DESC LIMIT 20)
     WHERE ended IS NULL OR ended > ${Math.trunc(seq)}`,
    seq,
  );
  return asked.length === 0
    ? "signals on their way: none"
    : `signals on their way: ${asked.map(([signal, sent]) => `${signal ?? "?"} (seq ${sent})`).join(", ")}`;
}
