/** Two runs side by side, call by call and handler by handler; and what Linux alone would have answered. */

import { boot, expectedResults, type Run, type Scenario, type StackName } from "../engine/index.ts";
import type { Natives } from "../recorder/index.ts";
import { callKey, outcome, type SeenCalls, watchCalls } from "./calls.ts";

const SLICE_ROWS = 16_384;
/** The oracle and a counterfactual may take another number of transitions for the same time; this much at most. */
const ORACLE_ROWS = 2_000_000;
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
  /** Both runs came to their end. */
  readonly ended: boolean;
}

/** Runs both: `before` for at most `rows` transitions, `after` until it ends or the same virtual time has passed. */
export function compareRuns(before: Run, after: Run, options: { rows: number; signal?: AbortSignal }): Comparison {
  const one = watchCalls(before);
  const endedBefore = finish(before, one, options.rows, Number.POSITIVE_INFINITY, options.signal);
  const other = watchCalls(after);
  const until = endedBefore ? Number.POSITIVE_INFINITY : one.time;
  const endedAfter = finish(after, other, options.rows * MORE_ROWS + SLICE_ROWS, until, options.signal);
  const ended = endedBefore && endedAfter;
  const differences: CallDifference[] = [];
  let compared = 0;
  for (const [key, was] of one.seen) {
    const is = other.seen.get(key);
    if (is !== undefined) compared += 1;
    // Where a run was cut, what is missing says nothing.
    if (is === undefined ? ended : was.result !== is.result && (ended || (was.result !== null && is.result !== null)))
      differences.push({ seq: was.seq, thread: was.thread, call: was.what, before: outcome(was), after: outcome(is) });
  }
  if (ended)
    for (const [key, is] of other.seen)
      if (!one.seen.has(key))
        differences.push({ seq: is.seq, thread: is.thread, call: is.what, before: outcome(undefined), after: outcome(is) });
  return { differences, compared, ended };
}

/** True when the run came to its end. It says so only when asked for one transition more. */
function finish(run: Run, sink: SeenCalls, rows: number, untilNs: number, signal: AbortSignal | undefined): boolean {
  for (let left = rows + 1; left > 0; left -= SLICE_ROWS) {
    const more = run.run(Math.min(left, SLICE_ROWS), sink);
    run.flush(sink);
    if (!more) return true;
    if (sink.time >= untilNs || signal?.aborted === true) return false;
  }
  return false;
}

/**
 * What the program got, or would have got, on Linux without a library OS: from the log it came from, else from a run of the
 * scenario on `native-linux` (its first ORACLE_ROWS transitions). None for a native run itself.
 */
export function nativeResults(
  scenario: Scenario,
  stack: StackName,
  names: { readonly seed: number; readonly sites: Run["sites"]; readonly threads: Readonly<Run["threads"]> },
): Natives | undefined {
  const expected = expectedResults(scenario);
  if (expected.size > 0) return ({ site, nr }) => expected.get(names.sites[site]?.flow ?? "")?.[nr] ?? null;
  if (stack === "native-linux") return undefined;
  let oracle: SeenCalls | null = null;
  return (call) => {
    oracle ??= nativeRun(scenario, names.seed);
    return oracle.seen.get(callKey(names.threads[call.thread]?.name ?? "", call))?.result ?? null;
  };
}

function nativeRun(scenario: Scenario, seed: number): SeenCalls {
  const run = boot({ stack: "native-linux", scenario, seed });
  const calls = watchCalls(run);
  finish(run, calls, ORACLE_ROWS, Number.POSITIVE_INFINITY, undefined);
  return calls;
}
