/** Differences between how threads and processes end in two runs. */

import type { PlacedDifference, Weight } from "./difference.ts";
import type { ProcessEnd, ThreadEnd } from "./ends.ts";
import { weightOfLack } from "./lacking.ts";
import type { Half, Pairing } from "./pairing.ts";
import type { EndedPair } from "./thread-pair.ts";
import { labelOf } from "./tokens.ts";
import { processText, threadText, whatIs } from "./words.ts";

/** A process in both runs. */
export interface ProcessPair {
  readonly a: ProcessEnd;
  readonly b: ProcessEnd;
}

/** Processes are the same when their first threads are. */
export function processPairs({ a, b, threads }: Pairing): ProcessPair[] {
  return a.of.ends.processes.flatMap((one) => {
    const other = b.of.ends.processes.find(({ thread }) => thread === threads.partner[one.thread]);
    return other === undefined ? [] : [{ a: one, b: other }];
  });
}

const hasEnded = ({ how }: ProcessEnd): boolean => how !== "stuck" && how !== "going-on";

/** If neither run's process ended, nothing more is known. */
export function endsAlike({ a, b }: ProcessPair): boolean {
  if (!hasEnded(a) && !hasEnded(b)) return true;
  return a.how === b.how && a.status === b.status;
}

/** `pairs` are the threads of the process that both runs have. */
export function compareProcesses(process: ProcessPair, pairs: readonly EndedPair[], found: (d: PlacedDifference) => void): void {
  const { a, b } = process;
  const [first] = pairs;
  if (first === undefined || endsAlike(process)) return;
  const halfA = first.a.half;
  const halfB = first.b.half;
  const [seqA, seqB] = [placeOfEnd(a, b, pairs, true), placeOfEnd(b, a, pairs, false)];
  found({
    kind: "process-end",
    weight: weightOfEnds(process, pairs),
    thread: first.name,
    what: `process ${first.name}${placeText(a, b, pairs)}`,
    line: null,
    one: { seq: hasEnded(a) ? a.seq : null, text: processText(a, halfA.of), result: null },
    other: { seq: hasEnded(b) ? b.seq : null, text: processText(b, halfB.of), result: null },
    order: [seqA, seqB],
  });
}

/** The failing thread of a process that ends by an accident, or never, in one run only. */
function leading(end: ProcessEnd, pairs: readonly EndedPair[], isA: boolean): EndedPair | undefined {
  const ends = pairs.map((pair) => ({ pair, end: endOf(isA ? pair.a.half : pair.b.half, isA ? pair.a.thread : pair.b.thread) }));
  return ends.find(({ end: of }) => of !== undefined && of.item >= 0 && Math.abs(of.seq - end.seq) <= 1)?.pair ?? ends[0]?.pair;
}

const endOf = ({ of }: Half, thread: number): ThreadEnd | undefined => of.ends.threads[thread];

/** Seq of the end. Without an end: of the last moment that both runs share. After an accident: where its thread was. */
function placeOfEnd(own: ProcessEnd, other: ProcessEnd, pairs: readonly EndedPair[], isA: boolean): number {
  if (isAccident(other) && !isAccident(own)) {
    const pair = leading(other, pairs, !isA);
    const side = pair === undefined ? undefined : isA ? pair.b : pair.a;
    if (side !== undefined) return side.common.lastOtherSeq;
  }
  if (hasEnded(own)) return own.seq;
  return Math.max(...pairs.map((pair) => (isA ? pair.b : pair.a).common.lastOtherSeq));
}

const isAccident = ({ how }: ProcessEnd): boolean =>
  how === "assertion" || how === "fault" || how === "pal" || how === "undefined" || how === "signal";

/** " in sigsuspend()" where the one that dies of an accident was. */
function placeText(a: ProcessEnd, b: ProcessEnd, pairs: readonly EndedPair[]): string {
  const isA = isAccident(a);
  if (!isA && !isAccident(b)) return "";
  const pair = leading(isA ? a : b, pairs, isA);
  if (pair === undefined) return "";
  const { half, thread } = isA ? pair.a : pair.b;
  const item = endOf(half, thread)?.item ?? -1;
  return item < 0 ? "" : ` in ${whatIs(half.of, item)}`;
}

function weightOfEnds({ a, b }: ProcessPair, pairs: readonly EndedPair[]): Weight {
  if ((hasEnded(a) && hasEnded(b)) || a.how === "stuck" || b.how === "stuck") return "differs";
  const [over, isA] = hasEnded(a) ? [a, true] : [b, false];
  const weights = pairs.map((pair) => {
    const own = isA ? pair.a : pair.b;
    const other = isA ? pair.b : pair.a;
    return weightOfLack(other.half.of.time, own.common.lastOtherTime, over.time - own.common.lastOwnTime);
  });
  return weights.every((weight) => weight === "differs") ? "differs" : "cut";
}

/** Differences between threads of processes that end alike: a thread that ends in one run only, or in another way. */
export function compareThreadEnds(pair: EndedPair): void {
  const a = endOf(pair.a.half, pair.a.thread);
  const b = endOf(pair.b.half, pair.b.thread);
  if (a === undefined || b === undefined || classOf(a) === classOf(b)) return;
  if (isLeaving(pair.a.half, a, b) || isLeaving(pair.b.half, b, a)) return;
  const weight = weightOfThreads(pair, a, b);
  if (weight === null) return;
  const over = (end: ThreadEnd): boolean => classOf(end) !== "alive";
  pair.found({
    kind: "thread-end",
    weight,
    thread: pair.name,
    what: `thread ${pair.name}`,
    line: null,
    one: { seq: over(a) ? a.seq : null, text: threadText(pair.a.half.of, a), result: null },
    other: { seq: over(b) ? b.seq : null, text: threadText(pair.b.half.of, b), result: null },
    order: [placeOfThreadEnd(a, b, pair.b), placeOfThreadEnd(b, a, pair.a)],
  });
}

/** Seq of the end. Of a thread that goes on (also where the other one dies in the PAL): of the last moment that both runs share. */
function placeOfThreadEnd(own: ThreadEnd, other: ThreadEnd, otherSide: EndedPair["a"]): number {
  const livesOn = classOf(own) === "alive" || (other.how === "died" && own.how !== "died");
  return livesOn ? otherSide.common.lastOtherSeq : own.seq;
}

/** It had called exit, as the other has: nobody sees how far it came before its process ended (a library OS keeps its first thread to the end). */
const isLeaving = ({ of }: Half, end: ThreadEnd, other: ThreadEnd): boolean =>
  end.how === "killed" && other.how === "exited" && end.item >= 0 && labelOf(of, end.item).startsWith("exit(");

const classOf = ({ how }: ThreadEnd): "exited" | "killed" | "died" | "alive" =>
  how === "exited" || how === "killed" || how === "died" ? how : "alive";

/** Null if there is nothing to report. */
function weightOfThreads(pair: EndedPair, a: ThreadEnd, b: ThreadEnd): Weight | null {
  if (a.how === "died" || b.how === "died") return "differs";
  // One thread ended by itself; the other was killed with its process or is still there.
  const isA = a.how === "exited" || (a.how === "killed" && b.how !== "exited");
  const own = isA ? pair.a : pair.b;
  const other = isA ? pair.b : pair.a;
  const took = (isA ? a : b).time - own.common.lastOwnTime;
  return weightOfLack(other.horizon, own.common.lastOtherTime, took);
}
