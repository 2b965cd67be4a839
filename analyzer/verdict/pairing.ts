/** Lays two observed runs side by side: call by call and handler's run by handler's run, thread by thread. */

import { align } from "./align.ts";
import { HANDLER, type Observed } from "./observation.ts";
import { matchThreads, type ThreadMatch } from "./threads.ts";
import { tokensOf } from "./tokens.ts";

/** One run's half. Indexed by item. */
export interface Half {
  readonly of: Observed;
  /** The same item of the other run; -1 none. */
  readonly partner: Int32Array;
  /** Column of a call among those of its level, both runs' together. Calls that are the same have the same. */
  readonly column: Int32Array;
  /** By thread number: the thread's items in order. */
  readonly byThread: readonly Int32Array[];
}

export interface Pairing {
  readonly a: Half;
  readonly b: Half;
  readonly threads: ThreadMatch;
}

/** Column of a call that is not looked at. */
export const IGNORED = -2;

/** `ignore`: names of calls that are not looked at. Yields after each thread. */
export function* pair(a: Observed, b: Observed, ignore: ReadonlySet<string> = new Set()): Generator<void, Pairing> {
  const threads = matchThreads(a, b);
  const tokens = tokensOf(a, b);
  const halfOf = (of: Observed, token: (item: number) => number): Half & { token: (item: number) => number } => {
    const count = of.items.kind.length;
    return { of, partner: new Int32Array(count).fill(-1), column: new Int32Array(count).fill(-1), byThread: itemsByThread(of), token };
  };
  const half = { a: halfOf(a, tokens.a), b: halfOf(b, tokens.b) };
  for (const [one, other] of threads.partner.entries()) {
    if (other < 0) continue;
    pairThread(half.a, one, half.b, other, tokens.isIgnored(ignore));
    yield;
  }
  return { ...half, threads };
}

/** In order. Counted first: lists that grow take twice as much. */
function itemsByThread({ items, threads }: Observed): Int32Array[] {
  const { thread } = items;
  const counts = new Int32Array(threads.length);
  for (let item = 0; item < thread.length; item += 1) counts[thread.at(item)] = (counts[thread.at(item)] ?? 0) + 1;
  const lists = Array.from(counts, (count) => new Int32Array(count));
  counts.fill(0);
  for (let item = 0; item < thread.length; item += 1) {
    const of = thread.at(item);
    const list = lists[of];
    if (list === undefined) continue;
    const at = counts[of] as number;
    list[at] = item;
    counts[of] = at + 1;
  }
  return lists;
}

type Tokened = Half & { readonly token: (item: number) => number };

function pairThread(a: Tokened, threadA: number, b: Tokened, threadB: number, ignored: (token: number) => boolean): void {
  const levelsA = levelsOf(a, threadA, ignored);
  const levelsB = levelsOf(b, threadB, ignored);
  pairLevel(a, levelsA.calls.get(-1) ?? [], b, levelsB.calls.get(-1) ?? []);
  for (const [signal, runsA] of levelsA.runs) pairRuns(a, runsA, b, levelsB.runs.get(signal) ?? []);
  for (const [parent, calls] of levelsA.calls) {
    const other = parent < 0 ? -1 : (a.partner[parent] as number);
    if (other >= 0) pairLevel(a, calls, b, levelsB.calls.get(other) ?? []);
  }
}

interface Levels {
  /** By the handler's run they are in (-1: outside any). */
  readonly calls: ReadonlyMap<number, number[]>;
  /** Handlers' runs by signal. */
  readonly runs: ReadonlyMap<number, number[]>;
}

function levelsOf({ of, byThread, column, token }: Tokened, thread: number, ignored: (token: number) => boolean): Levels {
  const { kind, parent, signal } = of.items;
  const calls = new Map<number, number[]>();
  const runs = new Map<number, number[]>();
  const add = (map: Map<number, number[]>, key: number, item: number): void => {
    const list = map.get(key);
    if (list === undefined) map.set(key, [item]);
    else list.push(item);
  };
  for (const item of byThread[thread] ?? []) {
    if (kind.at(item) === HANDLER) add(runs, signal.at(item), item);
    else if (ignored(token(item))) column[item] = IGNORED;
    else add(calls, parent.at(item), item);
  }
  return { calls, runs };
}

/** Calls of one level: the thread outside handlers, or two runs of a handler. */
function pairLevel(a: Tokened, callsA: readonly number[], b: Tokened, callsB: readonly number[]): void {
  const found = align(Int32Array.from(callsA, a.token), Int32Array.from(callsB, b.token));
  let column = 0;
  let j = 0;
  callsA.forEach((item, i) => {
    const other = found[i] as number;
    for (; other >= 0 && j < other; j += 1) b.column[callsB[j] as number] = column++;
    if (other >= 0) {
      const itemB = callsB[other] as number;
      a.partner[item] = itemB;
      b.partner[itemB] = item;
      b.column[itemB] = column;
      j = other + 1;
    }
    a.column[item] = column++;
  });
  for (; j < callsB.length; j += 1) b.column[callsB[j] as number] = column++;
}

/** Runs of one signal's handler: first those at the same place, then the others between them, in order. */
function pairRuns(a: Half, runsA: readonly number[], b: Half, runsB: readonly number[]): void {
  let i = 0;
  let j = 0;
  let doneA = 0;
  let doneB = 0;
  const between = (endA: number, endB: number): void => {
    for (; doneA < endA && doneB < endB; doneA += 1, doneB += 1) join(a, runsA[doneA] as number, b, runsB[doneB] as number);
  };
  while (i < runsA.length && j < runsB.length) {
    const placeA = outerPlace(a, runsA[i] as number);
    const placeB = outerPlace(b, runsB[j] as number);
    if (placeA < placeB) i += 1;
    else if (placeA > placeB) j += 1;
    else {
      between(i, j);
      join(a, runsA[i] as number, b, runsB[j] as number);
      doneA = i += 1;
      doneB = j += 1;
    }
  }
  between(runsA.length, runsB.length);
}

function join(a: Half, itemA: number, b: Half, itemB: number): void {
  a.partner[itemA] = itemB;
  b.partner[itemB] = itemA;
}

/** Where a handler's run is among the calls of its level: 2c + 1 in the call of column c, 2c + 2 between it and the next, 0 before any. */
export function placeIn({ of, column }: Half, run: number): number {
  const { before, inside } = of.items;
  let call = before.at(run);
  let isInside = inside.at(run) === 1;
  for (; call >= 0 && column[call] === IGNORED; call = before.at(call)) isInside = false;
  if (call < 0) return 0;
  const at = column[call] as number;
  return isInside ? 2 * at + 1 : 2 * at + 2;
}

/** The same for the outermost handler's run it is in. */
export function outerPlace(half: Half, run: number): number {
  let outer = run;
  for (let up = half.of.items.parent.at(outer); up >= 0; up = half.of.items.parent.at(outer)) outer = up;
  return placeIn(half, outer);
}
