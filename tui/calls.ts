/** What the application saw: its calls and handlers, named so that two runs can be laid side by side. */

import { type Block, KIND, resultText, type Sink, type Source, signalName } from "../engine/index.ts";
import type { CallPlace } from "../recorder/index.ts";

/** Calls and handlers kept of one run; what comes later is not compared. */
const MAX_SEEN = 200_000;

export interface Seen {
  readonly seq: number;
  readonly thread: string;
  /** The call with its arguments, or "handler of SIGINT". */
  readonly what: string;
  readonly handler: boolean;
  /** Result of a call, 0 of a handler that was left; null while it lasts. */
  result: number | null;
  /** Where it was over; null while it lasts. */
  endSeq: number | null;
}

interface Level {
  readonly signal: number;
  readonly run: number;
  readonly depth: number;
  calls: number;
}
interface ThreadCalls {
  readonly levels: Level[];
  readonly runs: Map<number, number>;
  readonly open: { readonly seen: Seen; readonly depth: number }[];
}

export type PlaceOfCall = Pick<CallPlace, "signal" | "run" | "index">;

/** The same place in another run has the same key. An index of -1 is the handler itself. */
export const callKey = (thread: string, { signal, run, index }: PlaceOfCall): string => `${thread}\n${signal}\n${run}\n${index}`;

export interface SeenCalls extends Sink {
  readonly seen: ReadonlyMap<string, Seen>;
  /** Time of the last row, ns. */
  readonly time: number;
}

/** Takes the blocks of a run. */
export function watchCalls(names: Pick<Source, "sites" | "threads">): SeenCalls {
  const seen = new Map<string, Seen>();
  const threads: ThreadCalls[] = [];
  let time = 0;

  const keep = (key: string, one: Seen): void => {
    if (seen.size < MAX_SEEN) seen.set(key, one);
  };

  const call = (t: ThreadCalls, block: Block, row: number, thread: string): void => {
    const level = t.levels[t.levels.length - 1] as Level;
    const what = names.sites[block.site[row] as number]?.label ?? "a call";
    const one: Seen = { seq: block.seq0 + row, thread, what, handler: false, result: null, endSeq: null };
    keep(callKey(thread, { signal: level.signal, run: level.run, index: level.calls }), one);
    level.calls += 1;
    t.open.push({ seen: one, depth: block.depth[row] as number });
  };

  const enter = (t: ThreadCalls, block: Block, row: number, thread: string): void => {
    const signal = block.signal[row] as number;
    const run = (t.runs.get(signal) ?? 0) + 1;
    t.runs.set(signal, run);
    const depth = block.depth[row] as number;
    const one: Seen = {
      seq: block.seq0 + row,
      thread,
      what: `handler of ${signalName(signal)}`,
      handler: true,
      result: null,
      endSeq: null,
    };
    keep(callKey(thread, { signal, run, index: -1 }), one);
    t.levels.push({ signal, run, depth, calls: 0 });
    t.open.push({ seen: one, depth });
  };

  /** The newest that is of this sort is over; what was opened inside it never returns. */
  const leave = (t: ThreadCalls, handler: boolean, result: number, seq: number): boolean => {
    const at = t.open.findLastIndex((one) => one.seen.handler === handler);
    if (at < 0) return false;
    const over = t.open.splice(at);
    if (over[0] !== undefined) Object.assign(over[0].seen, { result, endSeq: seq });
    // A call may be over while handlers inside it were never left: by exec, say.
    for (const { seen } of over) if (seen.handler && t.levels.length > 1) t.levels.pop();
    return true;
  };

  const jump = (t: ThreadCalls, depth: number, seq: number): void => {
    let left = leave(t, true, 0, seq);
    while (left && t.levels.length > 1 && (t.levels[t.levels.length - 1]?.depth ?? -1) > depth) left = leave(t, true, 0, seq);
    while ((t.open[t.open.length - 1]?.depth ?? -1) >= depth) t.open.pop();
  };

  return {
    seen,
    get time() {
      return time;
    },
    put(block) {
      if (block.n > 0) time = block.time[block.n - 1] as number;
      for (let row = 0; row < block.n; row += 1) {
        const kind = block.kind[row] as number;
        if (!WATCHED.has(kind)) continue;
        const id = block.thread[row] as number;
        const thread = names.threads[id]?.name ?? `thread ${id}`;
        const t = (threads[id] ??= { levels: [{ signal: 0, run: 0, depth: 0, calls: 0 }], runs: new Map(), open: [] });
        if (kind === KIND["app.call"]) call(t, block, row, thread);
        else if (kind === KIND["app.return"]) leave(t, false, block.value[row] as number, block.seq0 + row);
        else if (kind === KIND["app.handler.enter"]) enter(t, block, row, thread);
        else if (kind === KIND["app.handler.return"]) leave(t, true, 0, block.seq0 + row);
        else jump(t, block.depth[row] as number, block.seq0 + row);
      }
    },
  };
}

const WATCHED: ReadonlySet<number> = new Set([
  KIND["app.call"],
  KIND["app.return"],
  KIND["app.handler.enter"],
  KIND["app.handler.return"],
  KIND["app.handler.longjmp"],
]);

/** What became of a call or handler; undefined: a run does not have it. */
export function outcome(seen: Seen | undefined): string {
  if (seen === undefined) return "does not happen";
  if (seen.handler) return seen.result === null ? "never returns" : "runs";
  return seen.result === null ? "never returns" : resultText(seen.result);
}
