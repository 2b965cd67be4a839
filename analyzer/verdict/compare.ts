/** Compares two observed runs: all that an application could tell them apart by, first what caused the rest. */

import { inTurns } from "../../recorder/index.ts";
import { compareCalls } from "./calls.ts";
import type { PlacedDifference } from "./difference.ts";
import { compareProcesses, compareThreadEnds, endsAlike, processPairs } from "./endings.ts";
import { createFound, type Differences, type Found } from "./found.ts";
import { createIds } from "./ids.ts";
import { compareThreadLists } from "./lone-threads.ts";
import type { Observed } from "./observation.ts";
import { causalOrder } from "./order.ts";
import { type Half, type Pairing, pair } from "./pairing.ts";
import { compareRuns } from "./runs.ts";
import { type EndedPair, ended, threadPair } from "./thread-pair.ts";

/** Names of what a comparison leaves out. */
export interface Ignored {
  readonly calls?: ReadonlySet<string>;
  readonly threads?: ReadonlySet<string>;
  /** Kinds of differences. */
  readonly kinds?: ReadonlySet<string>;
}

export interface Compared {
  /** In causal order. */
  readonly differences: Differences;
  /** Of weight `cut`, and not among them: the first ones of each kind in each thread are. */
  readonly beyond: number;
  readonly pairing: Pairing;
  /** Calls and handlers' runs that both have. */
  readonly compared: number;
  /** By thread number of the first run: the seq where the comparison stops because the other run was cut; -1 if it does not stop. */
  readonly comparedTo: readonly number[];
}

/**
 * `compare(a, b)` has the differences of `compare(b, a)` with their sides swapped: which is which is settled by what they hold. Lets timers
 * and signals in after each thread. Null when `signal` was aborted.
 */
export const compare = (a: Observed, b: Observed, ignored: Ignored = {}, signal?: AbortSignal | undefined): Promise<Compared | null> =>
  inTurns(compareSteps(a, b, ignored), signal);

function* compareSteps(a: Observed, b: Observed, ignored: Ignored): Generator<void, Compared> {
  const isSwapped = isAfter(a, b);
  const pairing = yield* isSwapped ? pair(b, a, ignored.calls) : pair(a, b, ignored.calls);
  const { found, beyond } = yield* differencesOf(pairing, ignored);
  const differences = found.inOrder(causalOrder(found), isSwapped);
  yield;
  const one = isSwapped ? pairing.b : pairing.a;
  return {
    differences,
    beyond,
    pairing: isSwapped
      ? { a: pairing.b, b: pairing.a, threads: { partner: pairing.threads.back, back: pairing.threads.partner } }
      : pairing,
    compared: one.partner.reduce((sum, other) => sum + (other >= 0 ? 1 : 0), 0),
    comparedTo: comparedTo(one, differences),
  };
}

/** A run may go on for millions of calls behind the end of the other one: it is told where that begins, and how many they are. */
export const MOST_BEYOND = 1_000;

interface AllFound {
  readonly found: Found;
  readonly beyond: number;
}

/** Yields after each thread. */
function* differencesOf(pairing: Pairing, { threads: ignoredThreads, kinds }: Ignored): Generator<void, AllFound> {
  const { a, b } = pairing;
  const differences = createFound();
  const cut = new Map<string, number>();
  let beyond = 0;
  const found = (difference: PlacedDifference): void => {
    const { kind, thread, weight } = difference;
    if (kinds?.has(kind) === true || ignoredThreads?.has(thread) === true) return;
    if (weight === "cut") {
      const key = `${kind} ${thread}`;
      const before = cut.get(key) ?? 0;
      cut.set(key, before + 1);
      if (before >= MOST_BEYOND) {
        beyond += 1;
        return;
      }
    }
    differences.add(difference);
  };
  const ids = createIds(a.of, b.of, pairing.threads);
  const all: EndedPair[] = [];
  const processes = processPairs(pairing);
  for (const [thread, other] of pairing.threads.partner.entries()) {
    if (other < 0) continue;
    const process = processes.find((one) => one.a.threads.includes(thread) && one.b.threads.includes(other));
    const threads = threadPair(pairing, [thread, other], process !== undefined && endsAlike(process), { ids, found });
    compareRuns(threads);
    compareCalls(threads);
    all.push(ended(threads));
    yield;
  }
  for (const process of processes) {
    const members = all.filter(({ a: side }) => process.a.threads.includes(side.thread));
    compareProcesses(process, members, found);
    if (endsAlike(process)) members.forEach(compareThreadEnds);
  }
  compareThreadLists(pairing, all, found);
  return { found: differences, beyond };
}

/** An order of runs by what they hold, so that a comparison does not depend on which of two is named first. */
function isAfter(a: Observed, b: Observed): boolean {
  const keys = (of: Observed): (number | string)[] => [of.rows, of.time, of.items.kind.length, of.name, of.program];
  const x = keys(a);
  const y = keys(b);
  const at = x.findIndex((key, i) => key !== y[i]);
  if (at >= 0) return (x[at] as number | string) > (y[at] as number | string);
  for (const name of ["seq", "end", "site", "result", "how"] as const) {
    for (let item = 0; item < a.items.kind.length; item += 1) {
      const [p, q] = [a.items[name].at(item), b.items[name].at(item)];
      if (p !== q) return p > q;
    }
  }
  return false;
}

function comparedTo({ of }: Half, differences: Differences): number[] {
  const to = of.threads.map(() => -1);
  const byName = new Map(of.threads.map(({ name }, thread) => [name, thread]));
  for (const { kind, weight, thread, one } of differences) {
    const number = byName.get(thread);
    if (kind !== "call" || weight !== "cut" || one.seq === null || number === undefined) continue;
    to[number] = to[number] === -1 ? one.seq : Math.min(to[number] as number, one.seq);
  }
  return to;
}
