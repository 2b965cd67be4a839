/** Long work in pieces: node has one thread, and Ctrl-C is to be heard. */

import { setImmediate as turn } from "node:timers/promises";

/**
 * Does the work, and lets timers and signals in where it yields. Null when `signal` was aborted: the work was left there, and has cleaned
 * up (its `finally`). Without a signal the answer is never null.
 */
export async function inTurns<T>(work: Generator<void, T, void>, signal?: AbortSignal): Promise<T | null> {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    await turn();
    if (signal?.aborted !== true) continue;
    work.return(undefined as never);
    return null;
  }
}
