/** Two runs of a scenario aligned by what the application did. */

import { setImmediate as turn } from "node:timers/promises";
import { pairUp, type SeenPair } from "../../analyzer/index.ts";
import { outcome, type Seen, type SeenCalls, watchCalls } from "../../recorder/index.ts";
import { type Both, type Parting, roadFrom, siteNumbers, threadOf } from "./roads.ts";
import type { ReplayState } from "./state.ts";
import type { World } from "./world.ts";

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

/** Finds the calls and handlers of the whole trace, by place, and its sites. Yields the rows of each block it has passed. */
function* findPassed(world: World): Generator<number, Passed> {
  const known = passed.get(world);
  if (known !== undefined) return known;
  const calls = watchCalls(world.trace);
  const sites = new Uint8Array(world.trace.sites.length);
  for (const block of world.trace.rows()) {
    calls.put(block);
    for (let i = 0; i < block.n; i += 1) sites[block.site[i] as number] = 1;
    yield block.n;
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

export interface Aligned {
  readonly seq: number;
  readonly thread: number;
  /** This run is on a road of its own: the other one waits. */
  readonly waits: boolean;
}

/**
 * Where the other run is when this one stands at `seq`, null when it does not have the thread: at the same begin or end of a call or handler of the thread, and from
 * there as far as both make the same steps.
 */
export function alignedSeq(world: World, s: ReplayState): Aligned | null {
  const { other } = world;
  if (other === null) return null;
  const name = world.trace.threads[s.thread]?.name ?? "";
  const thread = threadOf(other, name);
  if (thread < 0) return null;
  const from = lastMeeting(world, name, s.seq);
  const { here, there, all, parting } = roadFrom(world, other, name, from);
  const at = here.findLastIndex((seq) => seq <= s.seq);
  const waits = parting !== null && all.findLast((seq) => seq <= s.seq) !== here[at];
  return { seq: there[at] ?? from.there, thread, waits };
}

function lastMeeting(world: World, thread: string, seq: number): Both {
  let best: Both | null = null;
  for (const { one, other } of pairsOf(world)) {
    if (one === undefined || other === undefined || one.thread !== thread) continue;
    for (const [here, there] of [
      [one.seq, other.seq],
      [one.endSeq, other.endSeq],
    ] as const)
      if (here !== null && there !== null && here <= seq && here > (best?.here ?? -1)) best = { here, there };
  }
  return best ?? { here: 0, there: 0 };
}

/** Where the roads of a call or handler part first; null when they do not, or far on. */
export function partingOf(world: World, { one, other: there }: SeenPair): Parting | null {
  if (world.other === null || one === undefined || there === undefined) return null;
  const { parting } = roadFrom(world, world.other, one.thread, { here: one.seq, there: there.seq });
  return parting === null || parting.next.here > (one.endSeq ?? Number.POSITIVE_INFINITY) ? null : parting;
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

/** The next (1) or last (-1) place where the two runs differ for the application. */
export function nextDifference(world: World, seq: number, direction: 1 | -1): { seq: number; thread: number; text: string } | null {
  const differing = pairsOf(world).filter(({ one, differs }) => one !== undefined && differs);
  const found = direction === 1 ? differing.find(({ one }) => place(one) > seq) : differing.findLast(({ one }) => place(one) < seq);
  if (found?.one === undefined) return null;
  const thread = world.trace.threads.findIndex((one) => one.name === found.one?.thread);
  const text = `${found.one.what}: ${outcome(found.one)} here, ${outcome(found.other)} there`;
  return { seq: place(found.one), thread: Math.max(0, thread), text };
}

/** Where the difference shows: at the end of the call, when it has one. */
const place = (seen: Seen | undefined): number => seen?.endSeq ?? seen?.seq ?? 0;
