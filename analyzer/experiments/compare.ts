/** Two runs side by side, call by call and handler by handler (design, section 7). */

import { setImmediate as turn } from "node:timers/promises";
import type { Ending, Run } from "../../engine/index.ts";
import { outcome, type Seen, type SeenCalls, watchCalls } from "../../recorder/index.ts";

const SLICE_ROWS = 16_384;
/** A counterfactual may take another number of transitions for the same time; so many times more at most. */
const MORE_ROWS = 10;

export interface CallDifference {
  /** In the run before; in the run after where the one before has no such call. */
  readonly seq: number;
  readonly thread: string;
  readonly call: string;
  readonly before: string;
  readonly after: string;
}

export interface Comparison {
  readonly differences: readonly CallDifference[];
  /** Calls and handler runs that both have. */
  readonly compared: number;
  /** Both runs came to their own end, and all that the application did was kept. */
  readonly whole: boolean;
}

/** Something the application did, in one run or both. */
export interface SeenPair {
  readonly key: string;
  readonly one: Seen | undefined;
  readonly other: Seen | undefined;
  /** The application saw something else. Where a run was cut, what is missing says nothing. */
  readonly differs: boolean;
}

/** In the order of `one`; what only `other` has comes at its seq there. `whole`: what is missing did not happen. */
export function pairUp(one: SeenCalls["seen"], other: SeenCalls["seen"], whole: boolean): SeenPair[] {
  const pairs = [...one].map(([key, was]): SeenPair => {
    const is = other.get(key);
    return { key, one: was, other: is, differs: whole ? outcome(was) !== outcome(is) : endedOtherwise(was, is) };
  });
  for (const [key, is] of other) if (!one.has(key)) pairs.push({ key, one: undefined, other: is, differs: whole });
  return pairs.sort((a, b) => seqOf(a) - seqOf(b));
}

const endedOtherwise = (was: Seen, is: Seen | undefined): boolean =>
  is !== undefined && was.result !== null && is.result !== null && was.result !== is.result;

const seqOf = ({ one, other }: SeenPair): number => one?.seq ?? other?.seq ?? 0;

export interface CompareOptions {
  /** At most so many transitions of `before`. */
  readonly rows: number;
  readonly signal?: AbortSignal;
  /** Told now and then; transitions of both runs so far. */
  readonly onProgress?: (rows: number) => void;
}

/**
 * Runs both: `before` for at most `rows` transitions, `after` until it ends or the same virtual time has passed. Lets timers and
 * signals in between. Null when `signal` was aborted.
 */
export async function compareRuns(before: Run, after: Run, options: CompareOptions): Promise<Comparison | null> {
  const one = watchCalls(before);
  const endedBefore = await finish(before, one, options.rows, Number.POSITIVE_INFINITY, options, 0);
  const other = watchCalls(after);
  const until = endedBefore === "finished" ? Number.POSITIVE_INFINITY : one.time;
  const endedAfter = await finish(after, other, options.rows * MORE_ROWS + SLICE_ROWS, until, options, options.rows);
  if (options.signal?.aborted === true) return null;
  const whole = endedBefore === "finished" && endedAfter === "finished" && !one.full && !other.full;
  const pairs = pairUp(one.seen, other.seen, whole);
  return {
    differences: pairs
      .filter((pair) => pair.differs)
      .map((pair) => ({ ...namesOf(pair), before: outcome(pair.one), after: outcome(pair.other) })),
    compared: pairs.filter((pair) => pair.one !== undefined && pair.other !== undefined).length,
    whole,
  };
}

const namesOf = (pair: SeenPair): Pick<CallDifference, "seq" | "thread" | "call"> => {
  const { seq = 0, thread = "", what = "" } = pair.one ?? pair.other ?? {};
  return { seq, thread, call: what };
};

/** Why the run is over; null when it was cut here. It says so only when asked for one transition more. */
async function finish(
  run: Run,
  sink: SeenCalls,
  rows: number,
  untilNs: number,
  { signal, onProgress }: CompareOptions,
  done: number,
): Promise<Ending | null> {
  for (let made = 0; made < rows + 1; made += SLICE_ROWS) {
    const more = run.run(Math.min(rows + 1 - made, SLICE_ROWS), sink);
    run.flush(sink);
    if (!more) return run.ending;
    onProgress?.(done + made);
    await turn();
    if (sink.time >= untilNs || signal?.aborted === true) return null;
  }
  return null;
}
