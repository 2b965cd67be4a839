/** The last rows of a run, and whether a thread goes round in them: the same steps again and again. */

import { type Block, KIND } from "../../engine/index.ts";

const ROWS = 32_768;
/** A thread goes round when it made the same steps so often, in at least so many rows. */
const ROUNDS = 4;
const ROUND_ROWS = 64;
/** So many rounds in so many rows without sleep are a livelock, whatever other threads do. */
const HOPELESS_ROUNDS = 100;
const HOPELESS_ROWS = 10_000;

export interface Round {
  /** Steps of one round. */
  readonly steps: number;
  /** Number of complete rounds seen, at least. */
  readonly times: number;
  /** It sleeps in each round: it waits for something, by looking again and again. */
  readonly sleeps: boolean;
  /** It never sleeps, and has gone round so often that nothing will come of it. */
  readonly hopeless: boolean;
}

export interface Tail {
  put(block: Block): void;
  /** The round a thread makes at the end of the run, after its row `since`; null when it makes none. */
  roundOf(thread: number, since: number): Round | null;
}

/** `outside`: 1 at the sites whose rows are no steps of their thread. */
export function createTail(outside: Uint8Array): Tail {
  const threads = new Uint32Array(ROWS);
  const sites = new Uint32Array(ROWS);
  const kinds = new Uint8Array(ROWS);
  let rows = 0;

  /** The thread's rows after `since`, newest first. */
  const newestFirst = (thread: number, since: number): { sites: number[]; kinds: number[] } => {
    const found = { sites: [] as number[], kinds: [] as number[] };
    const first = Math.max(since + 1, rows - ROWS);
    for (let seq = rows - 1; seq >= first; seq -= 1) {
      const at = seq % ROWS;
      if (threads[at] !== thread || outside[sites[at] as number] === 1) continue;
      found.sites.push(sites[at] as number);
      found.kinds.push(kinds[at] as number);
    }
    return found;
  };

  return {
    put(block) {
      const skipped = Math.max(0, block.n - ROWS);
      for (let i = skipped; i < block.n; i += 1) {
        const at = (block.seq0 + i) % ROWS;
        threads[at] = block.thread[i] as number;
        sites[at] = block.site[i] as number;
        kinds[at] = block.kind[i] as number;
      }
      rows = block.seq0 + block.n;
    },
    roundOf(thread, since) {
      const all = newestFirst(thread, since);
      // The way into the round is older than its half.
      const length = all.sites.length >> 1;
      if (length < ROUND_ROWS) return null;
      const steps = smallestPeriod(all.sites, length);
      if (steps * ROUNDS > length) return null;
      const sleeps = all.kinds.slice(0, steps).includes(KIND["thread.block"]);
      const times = Math.floor(all.sites.length / steps);
      return { steps, times, sleeps, hopeless: !sleeps && times >= HOPELESS_ROUNDS && all.sites.length >= HOPELESS_ROWS };
    },
  };
}

/** Of the first `length` values: the smallest p with values[i] = values[i + p] (Knuth, Morris, Pratt: the failure function). */
function smallestPeriod(values: readonly number[], length: number): number {
  const border = new Uint32Array(length);
  for (let i = 1, k = 0; i < length; i += 1) {
    while (k > 0 && values[i] !== values[k]) k = border[k - 1] as number;
    if (values[i] === values[k]) k += 1;
    border[i] = k;
  }
  return length - (border[length - 1] as number);
}
