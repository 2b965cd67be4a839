/** Two runs of a scenario aligned by what the application did. */

import { setImmediate as turn } from "node:timers/promises";
import { pairUp, type SeenPair } from "../../analyzer/index.ts";
import { outcome, type Seen, type SeenCalls, watchCalls } from "../../recorder/index.ts";
import type { ReplayState } from "./state.ts";
import type { World } from "./world.ts";

/** Calls of traces longer than this are not laid side by side: it would take a pass over all of it. */
const COMPARED_ROWS = 3_000_000;

const calls = new WeakMap<World, SeenCalls>();

/** Finds the calls and handlers of the whole trace, by place. Yields the rows of each block it has passed. */
function* findCalls(world: World): Generator<number, SeenCalls> {
  const known = calls.get(world);
  if (known !== undefined) return known;
  const watch = watchCalls(world.trace);
  if (world.rows.count <= COMPARED_ROWS) {
    for (const block of world.trace.rows()) {
      watch.put(block);
      yield block.n;
    }
  }
  calls.set(world, watch);
  return watch;
}

function callsOf(world: World): SeenCalls {
  const steps = findCalls(world);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** Lays the two runs side by side before they are shown, lets timers and signals in meanwhile. False when `signal` was aborted. */
export async function alignGently(world: World, signal: AbortSignal, onProgress: (done: number, total: number) => void): Promise<boolean> {
  const worlds = world.other === null ? [] : [world, world.other];
  const total = worlds.reduce((sum, { rows }) => sum + rows.count, 0);
  let done = 0;
  for (const one of worlds) {
    for (const rows of findCalls(one)) {
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
  if (world.other === null) return [];
  const one = callsOf(world);
  const other = callsOf(world.other);
  const whole = [world, world.other].every(({ trace }) => trace.transitions.end?.reason === "finished") && !one.full && !other.full;
  const all = pairUp(one.seen, other.seen, whole);
  paired.set(world, all);
  return all;
}

/** Where the other run is when this one stands at `seq`: at the same begin or end of a call or handler of the thread. */
export function alignedSeq(world: World, s: ReplayState): { seq: number; thread: number } | null {
  const { other } = world;
  if (other === null) return null;
  const name = world.trace.threads[s.thread]?.name;
  const thread = Math.max(
    0,
    other.trace.threads.findIndex((one) => one.name === name),
  );
  let best = -1;
  let seq = 0;
  for (const { one, other: there } of pairsOf(world)) {
    if (one === undefined || there === undefined || one.thread !== name) continue;
    if (one.seq > best && one.seq <= s.seq) [best, seq] = [one.seq, there.seq];
    if (one.endSeq !== null && there.endSeq !== null && one.endSeq > best && one.endSeq <= s.seq) [best, seq] = [one.endSeq, there.endSeq];
  }
  return { seq, thread };
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
