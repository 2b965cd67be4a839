/**
 * Which of the application's calls and handlers is which: both are paired with their ends, per thread, and named by places that mean
 * the same in another run. The derived tables and the comparison of two runs are made from this one walk.
 */

import { type Block, KIND, KIND_COUNT } from "../../engine/index.ts";

/**
 * A call, or a handler's run, in words that mean the same in another run: handlers may run at other times, or less often, without
 * shifting the calls outside them.
 */
export interface CallPlace {
  readonly thread: number;
  readonly site: number;
  /** Number of the operation in its program; 0 for a handler. */
  readonly nr: number;
  /** Signal of the handler it is in (of the handler itself), 0 outside any. */
  readonly signal: number;
  /** Which run of a handler of this signal on the thread, from 1; 0 outside any. */
  readonly run: number;
  /** Position among the calls of that run, or of the thread outside handlers, from 0; HANDLER for the handler itself. */
  readonly index: number;
}

export const HANDLER = -1;

/** Why a call or handler is over. `dropped`: it never returns, what it was called from is over. */
export type Left = "returned" | "jumped" | "dropped";

export interface CallEvents<T> {
  /** Row `i` begins a call, or a handler (`place.index` is HANDLER). What is returned is given back at its end. */
  begin(block: Block, i: number, place: CallPlace): T;
  /** Row `i` ends it. `handler` as at its begin. */
  end(block: Block, i: number, item: T, how: Left, handler: boolean): void;
  /** Row `i` ends what never began: the rows may start in the middle of it. */
  unpaired(handler: boolean): void;
}

interface Open<T> {
  readonly item: T;
  readonly handler: boolean;
  /** Call depth of the thread after it had begun. */
  readonly depth: number;
}

/** The thread outside handlers, and each handler that runs. */
interface Level {
  readonly signal: number;
  readonly run: number;
  calls: number;
}

interface ThreadCalls<T> {
  readonly levels: Level[];
  readonly runs: Map<number, number>;
  readonly open: Open<T>[];
  /** Where in `open` the calls and the handlers are. */
  readonly calls: number[];
  readonly handlers: number[];
}

const CALL = KIND["app.call"];
const RETURN = KIND["app.return"];
const ENTER = KIND["app.handler.enter"];
const LEAVE = KIND["app.handler.return"];
const JUMP = KIND["app.handler.longjmp"];

/** By kind: 1 when the walk wants to see such rows. */
export const WALKED = new Uint8Array(KIND_COUNT);
for (const kind of [CALL, RETURN, ENTER, LEAVE, JUMP]) WALKED[kind] = 1;

export interface CallWalk {
  /** Row `i`, of a kind that is WALKED. Rows come in order. */
  take(block: Block, i: number): void;
  /** Row `i` is the last of its thread: what it had open never ends, and nothing of it is kept. */
  gone(block: Block, i: number): void;
}

export function createCallWalk<T>(events: CallEvents<T>): CallWalk {
  const threads = new Map<number, ThreadCalls<T>>();

  const threadOf = (thread: number): ThreadCalls<T> => {
    let t = threads.get(thread);
    if (t === undefined)
      threads.set(thread, (t = { levels: [{ signal: 0, run: 0, calls: 0 }], runs: new Map(), open: [], calls: [], handlers: [] }));
    return t;
  };

  const begin = (t: ThreadCalls<T>, block: Block, i: number, place: CallPlace): void => {
    const handler = place.index === HANDLER;
    (handler ? t.handlers : t.calls).push(t.open.length);
    t.open.push({ item: events.begin(block, i, place), handler, depth: block.depth[i] as number });
  };

  const call = (t: ThreadCalls<T>, block: Block, i: number, thread: number): void => {
    const level = t.levels[t.levels.length - 1] as Level;
    const index = level.calls;
    level.calls += 1;
    const { signal, run } = level;
    begin(t, block, i, { thread, site: block.site[i] as number, nr: block.value[i] as number, signal, run, index });
  };

  const enter = (t: ThreadCalls<T>, block: Block, i: number, thread: number): void => {
    const signal = block.signal[i] as number;
    const run = (t.runs.get(signal) ?? 0) + 1;
    t.runs.set(signal, run);
    begin(t, block, i, { thread, site: block.site[i] as number, nr: 0, signal, run, index: HANDLER });
    t.levels.push({ signal, run, calls: 0 });
  };

  /** The newest that is open is over. */
  const close = (t: ThreadCalls<T>, block: Block, i: number, how: Left): void => {
    const open = t.open.pop() as Open<T>;
    (open.handler ? t.handlers : t.calls).pop();
    if (open.handler && t.levels.length > 1) t.levels.pop();
    events.end(block, i, open.item, how, open.handler);
  };

  /** The newest of its sort is over, and with it all that was begun inside it. False when there is none. */
  const leave = (t: ThreadCalls<T>, block: Block, i: number, handler: boolean, how: Left): boolean => {
    const at = (handler ? t.handlers : t.calls).at(-1);
    if (at === undefined) return false;
    while (t.open.length > at + 1) close(t, block, i, "dropped");
    close(t, block, i, how);
    return true;
  };

  /** A jump leaves every handler above its target; the calls they or the jumped-over code had open never return. */
  const jump = (t: ThreadCalls<T>, block: Block, i: number): void => {
    const depth = block.depth[i] as number;
    if (!leave(t, block, i, true, "jumped")) events.unpaired(true);
    // A source that knows no depths: how far the jump goes is not known.
    if (depth === 0) return;
    while ((t.open[t.handlers.at(-1) ?? -1]?.depth ?? -1) > depth) leave(t, block, i, true, "jumped");
    while ((t.open.at(-1)?.depth ?? -1) >= depth) close(t, block, i, "dropped");
  };

  return {
    take(block, i) {
      const thread = block.thread[i] as number;
      const t = threadOf(thread);
      switch (block.kind[i]) {
        case CALL:
          return call(t, block, i, thread);
        case RETURN:
          if (!leave(t, block, i, false, "returned")) events.unpaired(false);
          return;
        case ENTER:
          return enter(t, block, i, thread);
        case LEAVE:
          if (!leave(t, block, i, true, "returned")) events.unpaired(true);
          return;
        case JUMP:
          return jump(t, block, i);
      }
    },
    gone(block, i) {
      const thread = block.thread[i] as number;
      const t = threads.get(thread);
      while (t !== undefined && t.open.length > 0) close(t, block, i, "dropped");
      threads.delete(thread);
    },
  };
}
