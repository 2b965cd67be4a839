/** Differences between the calls of a thread in two runs. */

import { E, resultText } from "../../engine/index.ts";
import type { Side, Weight } from "./difference.ts";
import { partingPlace } from "./divergence.ts";
import { nearlySame, weightOfLack } from "./lacking.ts";
import { HANDLER, type Observed, OPEN, outputsOf, RETURNED, SIGINFO_PID, SIGINFO_SIGNAL } from "./observation.ts";
import { IGNORED } from "./pairing.ts";
import { absent, sides, type ThreadPair, type ThreadSide } from "./thread-pair.ts";
import { endsByTime, otherTime } from "./time-outs.ts";
import { callName, labelOf, lineOf } from "./tokens.ts";
import { becameOf, durationText, outputText, whatIs } from "./words.ts";

/** Compares all calls of the pair of threads; handlers' runs are compared before (runs.ts). */
export function compareCalls(pair: ThreadPair): void {
  for (const item of pair.a.half.byThread[pair.a.thread] ?? []) {
    if (pair.a.half.of.items.kind.at(item) === HANDLER) continue;
    const other = pair.a.half.partner[item] as number;
    if (other < 0) continue;
    if (compareEnds(pair, item, other)) compareResults(pair, item, other);
    if (hasReader(pair, item, other)) compareOutputs(pair, item, other, () => "output");
  }
  for (const ofA of [true, false]) tellOneSided(pair, ofA);
}

/** Of a call in which both threads were killed nobody sees what it wrote. */
function hasReader({ a, b }: ThreadPair, itemA: number, itemB: number): boolean {
  const dies = ({ half: { of }, thread }: ThreadSide, item: number): boolean =>
    of.items.how.at(item) === OPEN && of.ends.threads[thread]?.how === "killed";
  return !(dies(a, itemA) && dies(b, itemB));
}

/** Calls that only one run makes. Calls inside a handler's run that only one run has are part of that difference. */
function tellOneSided(pair: ThreadPair, ofA: boolean): void {
  const own = ofA ? pair.a : pair.b;
  const other = ofA ? pair.b : pair.a;
  const { of, partner, column } = own.half;
  const { items } = of;
  (own.half.byThread[own.thread] ?? []).forEach((item, i) => {
    const parent = items.parent.at(item);
    const isLone = items.kind.at(item) !== HANDLER && (partner[item] as number) < 0 && column[item] !== IGNORED;
    if (!isLone || (parent >= 0 && (partner[parent] as number) < 0)) return;
    const side = { seq: items.seq.at(item), text: becameOf(of, item), result: resultOf(of, item) };
    pair.found({
      kind: "call",
      weight: lackOf(own, other, item, i),
      thread: pair.name,
      what: whatIs(of, item),
      line: lineOf(of, item),
      ...sides(ofA, side, absent("is not called"), items.seq.at(item), cameTo(other, own.common.otherSeq[i] as number)),
    });
  });
}

/** The weight of an item that the other run lacks; `i` is its position in its thread. */
export function lackOf(own: ThreadSide, other: ThreadSide, item: number, i: number): Weight {
  const { items } = own.half.of;
  // Both went on after its place.
  if (items.seq.at(item) < own.common.lastSeq) return "differs";
  return weightOfLack(other.horizon, own.common.otherTime[i] as number, items.time.at(item) - (own.common.ownTime[i] as number));
}

const resultOf = ({ items }: Observed, item: number): number | null => (items.how.at(item) === RETURNED ? items.result.at(item) : null);

/** Compares how an item was left; true when it returned in both runs. */
export function compareEnds(pair: ThreadPair, itemA: number, itemB: number): boolean {
  const a = pair.a.half.of;
  const b = pair.b.half.of;
  const howA = a.items.how.at(itemA);
  const howB = b.items.how.at(itemB);
  if (howA === howB) return howA === RETURNED;
  if (howB === OPEN && howA === RETURNED && saidByLog(b, itemB, a.items.result.at(itemA))) return false;
  if (howA === OPEN && howB === RETURNED && saidByLog(a, itemA, b.items.result.at(itemB))) return false;
  const common = {
    thread: pair.name,
    what: whatIs(a, itemA),
    line: lineOf(a, itemA),
    one: { seq: a.items.seq.at(itemA), text: becameOf(a, itemA), result: resultOf(a, itemA) },
    other: { seq: b.items.seq.at(itemB), text: becameOf(b, itemB), result: resultOf(b, itemB) },
    order: [placeOf(a, itemA), placeOf(b, itemB)] as const,
  };
  if (howA !== OPEN && howB !== OPEN) pair.found({ kind: "left", weight: "differs", ...common });
  else {
    const [open, over] = howA === OPEN ? [pair.a, pair.b] : [pair.b, pair.a];
    const [item, other] = howA === OPEN ? [itemA, itemB] : [itemB, itemA];
    const { items } = over.half.of;
    const took = items.endTime.at(other) - items.time.at(other);
    const weight = weightOfLack(open.horizon, open.half.of.items.time.at(item), took);
    pair.found({ kind: "never-returns", weight, ...common });
  }
  return false;
}

/** Where a thread came to that went on from `seq`, the last moment that both runs have: to its death, if it died in what began there. */
function cameTo({ half: { of }, thread }: ThreadSide, seq: number): number {
  const item = of.ends.threads[thread]?.item ?? -1;
  return item >= 0 && of.items.seq.at(item) === seq ? placeOf(of, item) : seq;
}

/** Seq that orders the item among causes: for an open one, the seq at which its thread died in it. */
export function placeOf(of: Observed, item: number): number {
  const { items } = of;
  if (items.how.at(item) !== OPEN) return items.end.at(item);
  const end = of.ends.threads[items.thread.at(item)];
  return end?.how === "killed" || end?.how === "died" ? end.seq : items.seq.at(item);
}

/** The log of the real program has this result although the run on Linux alone has another: the stack is not to blame. */
const saidByLog = ({ log }: Observed, item: number, result: number): boolean => log?.get(item) === result;

/** The log knows better than the emulated kernel. */
function expected(of: Observed, item: number, result: number): { text: string; result: number } {
  const said = of.log?.get(item) ?? result;
  return { text: resultText(said), result: said };
}

function compareResults(pair: ThreadPair, itemA: number, itemB: number): void {
  const a = pair.a.half.of;
  const b = pair.b.half.of;
  const one = a.items.result.at(itemA);
  const other = b.items.result.at(itemB);
  const name = callName(labelOf(a, itemA));
  if (one === other && endsByTime(name, one)) return compareTimeOuts(pair, itemA, itemB);
  if (pair.ids.sameResult(name, one, other) || saidByLog(a, itemA, other) || saidByLog(b, itemB, one)) return;
  // Interrupted by a signal that came elsewhere in the other run.
  const [inA, inB] = pair.displaced;
  const isTiming = (one === E.INTR && inA.has(itemA)) || (other === E.INTR && inB.has(itemB));
  pair.found({
    kind: "result",
    weight: isTiming ? "timing" : "differs",
    thread: pair.name,
    what: whatIs(a, itemA),
    line: lineOf(a, itemA),
    one: { seq: a.items.seq.at(itemA), ...expected(a, itemA, one) },
    other: { seq: b.items.seq.at(itemB), ...expected(b, itemB, other) },
    order: [partingPlace(pair.a, pair.b, itemA), partingPlace(pair.b, pair.a, itemB)],
  });
}

function compareTimeOuts(pair: ThreadPair, itemA: number, itemB: number): void {
  const a = pair.a.half.of;
  const b = pair.b.half.of;
  const waited = ({ items }: Observed, item: number): number => items.endTime.at(item) - items.time.at(item);
  const [one, other] = [waited(a, itemA), waited(b, itemB)];
  if (!otherTime(one, other)) return;
  const side = (of: Observed, item: number, ns: number): Side => ({
    seq: of.items.seq.at(item),
    text: `${becameOf(of, item)} after ${durationText(ns)}`,
    result: resultOf(of, item),
  });
  pair.found({
    kind: "time-out",
    weight: "differs",
    thread: pair.name,
    what: whatIs(a, itemA),
    line: lineOf(a, itemA),
    one: side(a, itemA, one),
    other: side(b, itemB, other),
    order: [a.items.end.at(itemA), b.items.end.at(itemB)],
  });
}

type Values = ReadonlyMap<number, readonly number[]>;

function valuesOf(of: Observed, item: number): Values {
  const values = new Map<number, number[]>();
  for (const { what, value } of outputsOf(of, item)) {
    const list = values.get(what);
    if (list === undefined) values.set(what, [value]);
    else list.push(value);
  }
  return values;
}

const NOTHING: readonly number[] = [];
/** Outputs that are remaining times: they depend on what transitions cost. */
const TIMES = new Set([2, 7]);

/** Compares what both wrote besides the result; `kindOf` says what sort of difference an output makes. */
export function compareOutputs(
  pair: ThreadPair,
  itemA: number,
  itemB: number,
  kindOf: (what: number) => "output" | "siginfo" | "mask",
): void {
  const a = pair.a.half.of;
  const b = pair.b.half.of;
  if (a.items.output.at(itemA) < 0 && b.items.output.at(itemB) < 0) return;
  // A call that failed in one run wrote nothing there: the difference of results says so already.
  const one = valuesOf(a, itemA);
  const other = valuesOf(b, itemB);
  if (one.size === 0 || other.size === 0) if (becameOf(a, itemA) !== becameOf(b, itemB)) return;
  for (const what of [...new Set([...one.keys(), ...other.keys()])].sort((x, y) => x - y)) {
    if (what >= SIGINFO_SIGNAL && (a.siginfos === 0 || b.siginfos === 0)) continue;
    const [x, y] = [one.get(what) ?? NOTHING, other.get(what) ?? NOTHING];
    if (x.length === y.length && x.every((value, i) => sameOutput(pair, what, value, y[i] as number))) continue;
    const text = (values: readonly number[]): string =>
      values.length === 0 ? "nothing" : values.map((v) => outputText(what, v)).join(", ");
    pair.found({
      kind: kindOf(what),
      weight: "differs",
      thread: pair.name,
      what: whatIs(a, itemA),
      line: lineOf(a, itemA),
      one: { seq: a.items.seq.at(itemA), text: text(x), result: null },
      other: { seq: b.items.seq.at(itemB), text: text(y), result: null },
      order: [outputSeq(a, itemA), outputSeq(b, itemB)],
    });
  }
}

/** A call's outputs show at its end, a handler's when it begins. */
function outputSeq({ items }: Observed, item: number): number {
  return items.kind.at(item) === HANDLER || items.end.at(item) < 0 ? items.seq.at(item) : items.end.at(item);
}

function sameOutput({ ids }: ThreadPair, what: number, one: number, other: number): boolean {
  if (what === SIGINFO_PID) return ids.sameProcess(one, other);
  return TIMES.has(what) ? nearlySame(one, other) : one === other;
}
