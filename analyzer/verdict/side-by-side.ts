/** Two observed runs side by side: each call and each run of a handler beside its partner, with what the application saw otherwise there. */

import { resultText } from "../../engine/index.ts";
import { inTurns } from "../../recorder/index.ts";
import { compare, type Ignored } from "./compare.ts";
import type { Difference } from "./difference.ts";
import type { Differences } from "./found.ts";
import { DROPPED, HANDLER, JUMPED, type Observed, RETURNED } from "./observation.ts";
import type { Half } from "./pairing.ts";
import { isDetail } from "./verdict.ts";
import { whatIs } from "./words.ts";

/** A call or handler's run in one of the runs. */
export interface SideItem {
  readonly seq: number;
  /** Null while it lasts at the end of the run. */
  readonly endSeq: number | null;
  /** What became of it, short: "-EINTR", "runs", "never returns". */
  readonly text: string;
}

/** Something that happened in one run or in both. */
export interface SidePair {
  /** Name of the thread, and what it is: "read(pipe, 64)", "handler of SIGINT", "process main". */
  readonly thread: string;
  readonly what: string;
  readonly one: SideItem | null;
  readonly other: SideItem | null;
  /** What the application saw otherwise there, the gravest; null where it saw the same, or nothing can be said. */
  readonly difference: Difference | null;
  /** One of the runs was over before it: what is missing says nothing. */
  readonly isCut: boolean;
}

/** In the order of the first run; what only the other one has stands where it would have been. Null when `signal` was aborted. */
export async function sideBySide(one: Observed, other: Observed, ignored: Ignored = {}, signal?: AbortSignal): Promise<SidePair[] | null> {
  const compared = await compare(one, other, ignored, signal);
  if (compared === null) return null;
  return inTurns(pairsOf(compared.pairing, compared.differences), signal);
}

interface Placed {
  /** Seq in the first run, or of what stands before it there. */
  readonly at: number;
  /** Seq in the other run, for what only that one has; -1 for what the first one has. */
  readonly after: number;
  readonly pair: SidePair;
}

/** Yields after each thread. */
function* pairsOf({ a, b }: { readonly a: Half; readonly b: Half }, differences: Differences): Generator<void, SidePair[]> {
  const told = toldOf(differences);
  yield;
  const placed: Placed[] = [];
  const add = (thread: string, itemA: number, itemB: number, before: number): void => {
    const one = itemA < 0 ? null : itemOf(a.of, itemA);
    const other = itemB < 0 ? null : itemOf(b.of, itemB);
    const of = one === null ? told.there.get(other?.seq ?? -1) : told.here.get(one.seq);
    const what = itemA < 0 ? whatIs(b.of, itemB) : whatIs(a.of, itemA);
    const lacking = one === null ? a.of : b.of;
    const isCut = (one === null || other === null) && of === undefined && lacking.ends.run !== "finished";
    const pair = { thread, what, one, other, difference: of?.difference ?? null, isCut: isCut || of?.isCut === true };
    placed.push({ at: one?.seq ?? before, after: one === null ? (other?.seq ?? 0) : -1, pair });
  };
  for (const [thread, items] of a.byThread.entries()) {
    const name = a.of.threads[thread]?.name ?? "";
    for (const item of items) add(name, item, a.partner[item] as number, 0);
    yield;
  }
  for (const [thread, items] of b.byThread.entries()) {
    const name = b.of.threads[thread]?.name ?? "";
    let before = -1;
    for (const item of items) {
      const partner = b.partner[item] as number;
      if (partner >= 0) before = a.of.items.seq.at(partner);
      else add(name, -1, item, before);
    }
    yield;
  }
  for (const difference of told.ends) {
    const { one, other, thread, what } = difference;
    const side = ({ seq, text }: Difference["one"]): SideItem | null => (seq === null ? null : { seq, endSeq: null, text });
    const pair = { thread, what, one: side(one), other: side(other), difference, isCut: false };
    placed.push({ at: one.seq ?? a.of.rows, after: one.seq === null ? (other.seq ?? 0) : -1, pair });
  }
  placed.sort((x, y) => x.at - y.at || x.after - y.after);
  return placed.map(({ pair }) => pair);
}

interface Told {
  readonly difference: Difference | null;
  readonly isCut: boolean;
}

/** By the seq where it begins in the first run, or in the other run where the first one lacks it; ends of threads and processes apart. */
interface AllTold {
  readonly here: Map<number, Told>;
  readonly there: Map<number, Told>;
  readonly ends: Difference[];
}

const END_KINDS: ReadonlySet<Difference["kind"]> = new Set(["thread", "thread-end", "process-end"]);

function toldOf(differences: Differences): AllTold {
  const all: AllTold = { here: new Map(), there: new Map(), ends: [] };
  for (const difference of differences) {
    const { kind, weight, one, other } = difference;
    if (END_KINDS.has(kind)) {
      if (weight === "differs") all.ends.push(difference);
      continue;
    }
    const [map, seq] = one.seq === null ? [all.there, other.seq] : [all.here, one.seq];
    if (seq === null) continue;
    const known = map.get(seq);
    const gravest = weight !== "differs" ? (known?.difference ?? null) : graver(known?.difference ?? null, difference);
    map.set(seq, { difference: gravest, isCut: (known?.isCut ?? false) || weight === "cut" });
  }
  return all;
}

/** They come in causal order: the first one, but that details are told only where there is nothing else. */
const graver = (known: Difference | null, next: Difference): Difference =>
  known === null || (isDetail(known) && !isDetail(next)) ? next : known;

function itemOf(of: Observed, item: number): SideItem {
  const { seq, end } = of.items;
  const last = end.at(item);
  return { seq: seq.at(item), endSeq: last < 0 ? null : last, text: shortly(of, item) };
}

function shortly({ items, ends }: Observed, item: number): string {
  switch (items.how.at(item)) {
    case RETURNED:
      return items.kind.at(item) === HANDLER ? "runs" : resultText(items.result.at(item));
    case JUMPED:
      return "siglongjmp";
    case DROPPED:
      return "dropped";
    default: {
      const how = ends.threads[items.thread.at(item)]?.how;
      return how === "waiting" || how === "running" ? "not over" : "never returns";
    }
  }
}
