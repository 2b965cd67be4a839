/**
 * A depth-first search over the places at which signals arrive: at each state of the run the next transition is made, or one of the
 * scenario's signals comes that has not come yet. States are known by their hash; the way back is the journal's. The search itself keeps
 * a few numbers for each transition of the way it is on.
 */

import type { Sink } from "../block.ts";
import { NO_PINS } from "../cpu.ts";
import type { Run } from "../run.ts";
import { NEVER } from "../time.ts";
import { hashHigh, hashLow, setHash } from "./hash.ts";
import { mark } from "./journal.ts";
import { backTo, observeRun } from "./observed-run.ts";
import { flipClocks } from "./parts.ts";
import { newSeen } from "./seen.ts";

export interface ArrivalSearch {
  /** A run at its start. Signals of its scenario arrive wherever the search says, whatever `when` says. */
  readonly run: Run;
  /** States at most; the search says that it was not exhausted when it comes to them. */
  readonly states?: number;
  /** Called for each transition, with the block whose last row it is. */
  readonly sink?: Sink;
}

export interface Searched {
  readonly states: number;
  readonly transitions: number;
  /** Ways to their end. */
  readonly ends: number;
  /** Transitions of the longest way. */
  readonly depth: number;
  /** All states were seen. */
  readonly exhausted: boolean;
}

const NOWHERE: Sink = { put: () => {} };
const FIRST_DEPTH = 1 << 12;

/** Signals come when the search says: no place and no time is theirs. */
function freeArrivals(run: Run): void {
  const { cpu } = run;
  cpu.pins = NO_PINS;
  for (const plan of cpu.m.plans) plan.next = NEVER;
}

/** What the way keeps of a state: the fields of a `Moment`. */
const KEPT = 7;

/** Where to go back to, by depth. */
function newWay() {
  let kept = new Float64Array(KEPT * FIRST_DEPTH);
  const there = { at: 0, seq: 0, idle: 0, now: 0, low: 0, high: 0, decisions: 0 };
  return {
    set(run: Run, depth: number): void {
      const i = KEPT * depth;
      if (i >= kept.length) {
        const longer = new Float64Array(2 * kept.length);
        longer.set(kept);
        kept = longer;
      }
      const { m, decisions } = run.cpu;
      kept[i] = mark();
      kept[i + 1] = m.seq;
      kept[i + 2] = m.idle;
      kept[i + 3] = m.now;
      kept[i + 4] = hashLow();
      kept[i + 5] = hashHigh();
      kept[i + 6] = decisions.length;
    },
    back(run: Run, depth: number): void {
      const i = KEPT * depth;
      there.at = kept[i] as number;
      there.seq = kept[i + 1] as number;
      there.idle = kept[i + 2] as number;
      there.now = kept[i + 3] as number;
      there.low = kept[i + 4] as number;
      there.high = kept[i + 5] as number;
      there.decisions = kept[i + 6] as number;
      backTo(run, there);
    },
  };
}

export function searchArrivals({ run: from, states = Number.POSITIVE_INFINITY, sink = NOWHERE }: ArrivalSearch): Searched {
  const run = observeRun(from);
  freeArrivals(run);
  const { cpu } = run;
  const signals = cpu.scenario.signals.length;
  const seen = newSeen();
  const way = newWay();
  /** By depth, what is tried next: 0 the next transition, n the arrival of signal n - 1. */
  const tries: number[] = [];
  let transitions = 0;
  let ends = 0;
  let longest = 0;

  /** The state is one that was not seen; distances of clocks belong to it, but not to the hash that is kept up. */
  const isNew = (): boolean => {
    const low = hashLow();
    const high = hashHigh();
    flipClocks(cpu.m.now);
    const added = seen.add(hashLow(), hashHigh());
    setHash(low, high);
    return added;
  };
  const arrive = (signal: number): boolean => {
    const plan = cpu.m.plans[signal];
    if (plan === undefined || plan.fired > 0) return false;
    plan.fired = 1;
    cpu.m.due.push(signal);
    return true;
  };
  const enter = (depth: number): void => {
    way.set(run, depth);
    tries[depth] = 0;
    if (depth > longest) longest = depth;
  };

  /** The state is another one than the last transition has left. */
  let moved = true;
  isNew();
  enter(0);
  for (let depth = 0; depth >= 0 && seen.size < states; ) {
    const tried = tries[depth] as number;
    if (tried > signals) {
      depth -= 1;
      if (depth >= 0) way.back(run, depth);
      moved = true;
      continue;
    }
    tries[depth] = tried + 1;
    if (tried > 0 && !arrive(tried - 1)) continue;
    const going = run.run(1, sink, moved || tried > 0);
    run.flush(sink);
    transitions += 1;
    if (!going) ends += 1;
    moved = !(going && isNew());
    if (moved) way.back(run, depth);
    else {
      depth += 1;
      enter(depth);
    }
  }
  return { states: seen.size, transitions, ends, depth: longest, exhausted: seen.size < states };
}
