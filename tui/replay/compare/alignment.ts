/** Two runs of a scenario aligned by what the application did; `alongside.ts` looks places up in it. */

import { setImmediate as turn } from "node:timers/promises";
import { pairUp, type SeenCalls, type SeenPair, watchCalls } from "../../../analyzer/index.ts";
import type { World } from "../session.ts";
import { siteNumbers } from "./divergence.ts";

/** Calls of traces longer than this are not laid side by side: it would take a pass over all of it. */
const COMPARED_ROWS = 3_000_000;

const areCompared = (world: World, other: World): boolean => Math.max(world.rows.count, other.rows.count) <= COMPARED_ROWS;

/** What a whole run went through. */
interface Passed {
  readonly calls: SeenCalls;
  /** 1 at each site that has a row. */
  readonly sites: Uint8Array;
}

const passed = new WeakMap<World, Passed>();
/** What a damaged trace said: each redraw would read all of it again. */
const failed = new WeakMap<World, unknown>();

/** Finds the calls and handlers of the whole trace, by place, and its sites. Yields the rows of each block it has passed. */
function* findPassed(world: World): Generator<number, Passed> {
  const known = passed.get(world);
  if (known !== undefined) return known;
  if (failed.has(world)) throw failed.get(world);
  const calls = watchCalls(world.trace);
  const sites = new Uint8Array(world.trace.sites.length);
  try {
    for (const block of world.trace.rows()) {
      calls.put(block);
      for (let i = 0; i < block.n; i += 1) sites[block.site[i] as number] = 1;
      yield block.n;
    }
  } catch (error) {
    failed.set(world, error);
    throw error;
  }
  const all = { calls, sites };
  passed.set(world, all);
  return all;
}

function passedBy(world: World): Passed {
  const steps = findPassed(world);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** Lays the two runs side by side before they are shown, lets timers and signals in meanwhile. False when `signal` was aborted. */
export async function alignGently(world: World, signal: AbortSignal, onProgress: (done: number, total: number) => void): Promise<boolean> {
  const worlds = world.other === null || !areCompared(world, world.other) ? [] : [world, world.other];
  const total = worlds.reduce((sum, { rows }) => sum + rows.count, 0);
  let done = 0;
  for (const one of worlds) {
    for (const rows of findPassed(one)) {
      onProgress((done += rows), total);
      await turn();
      if (signal.aborted) return false;
    }
  }
  return true;
}

const paired = new WeakMap<World, readonly SeenPair[]>();

/** In order of this trace; what only the other one has comes at its seq there. */
export function pairsOf(world: World): readonly SeenPair[] {
  const known = paired.get(world);
  if (known !== undefined) return known;
  if (world.other === null || !areCompared(world, world.other)) return [];
  const one = passedBy(world).calls;
  const other = passedBy(world.other).calls;
  const whole = [world, world.other].every(({ trace }) => trace.transitions.end?.reason === "finished") && !one.full && !other.full;
  const all = pairUp(one.seen, other.seen, whole);
  paired.set(world, all);
  return all;
}

/** Sites of each run that the other never comes to. */
export interface OnlySites {
  readonly here: ReadonlySet<number>;
  readonly there: ReadonlySet<number>;
}

const only = new WeakMap<World, OnlySites>();

export function onlySites(world: World, other: World): OnlySites {
  const known = only.get(world);
  if (known !== undefined) return known;
  if (!areCompared(world, other)) return { here: new Set(), there: new Set() };
  const { here, there } = siteNumbers(world, other);
  const ours = passedBy(world).sites;
  const theirs = passedBy(other).sites;
  const both = { here: missing(ours, here, theirs, there), there: missing(theirs, there, ours, here) };
  only.set(world, both);
  return both;
}

/** Sites that are passed in one run, and not in the other. */
function missing(passed: Uint8Array, numbers: Int32Array, others: Uint8Array, otherNumbers: Int32Array): Set<number> {
  const there = new Set(otherNumbers.filter((_, site) => others[site] === 1));
  return new Set([...numbers.keys()].filter((site) => passed[site] === 1 && !there.has(numbers[site] as number)));
}
