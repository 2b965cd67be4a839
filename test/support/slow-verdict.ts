/**
 * The verdict once more, slowly and plainly, to check the fast one: its own reading of all rows, as objects. Which call is which is not
 * guessed again (there may be several best answers) but checked: partners are alike, in order, and as many as can be.
 */

import type { Ran, Row } from "./run-scenario.ts";
import { differingOutputs, GRACE_NS, otherTimeOut, sameResult } from "./slow-same.ts";
import { type Item, last, type Moment, type ThreadEnd, type Told, threadKeys } from "./slow-telling.ts";

const SLOWER = 20;
const NEAR_NS = 200e3;
const INTERRUPTED = -4;

type Pair = readonly [one: Item, other: Item];

/** What is wrong with the partners that the verdict chose, and the differences that follow from them: "kind weight seq|seq". */
export function slowVerdict(
  a: Told,
  b: Told,
  partners: readonly (readonly [number, number])[],
): { wrong: string[]; differences: string[] } {
  const wrong: string[] = [];
  const differences: string[] = [];
  const keysA = threadKeys(a.ran);
  const keysB = threadKeys(b.ran);
  const threads = keysA.flatMap((key, one) => (key !== "" && keysB.includes(key) ? [[one, keysB.indexOf(key)] as const] : []));
  const itemAt = (of: Told): Map<number, Item> => new Map([...of.items.values()].flat().map((item) => [item.row.seq, item]));
  const [atA, atB] = [itemAt(a), itemAt(b)];
  const pairs = partners.map(([one, other]): Pair => [atA.get(one) as Item, atB.get(other) as Item]);
  const partnerOf = new Map<Item, Item>(pairs.flatMap(([one, other]) => [[one, other] as const, [other, one] as const]));
  const samePids = new Map(threads.flatMap(([one, other]) => pidsOf(a.ran, b.ran, one, other)));
  const learned = new Map<number, number>(samePids);

  const endsAlike = (one: number, other: number): boolean => {
    const [x, y] = [processOf(a, one), processOf(b, other)];
    return x?.how === y?.how || (!isOver(x?.how) && !isOver(y?.how));
  };

  const all: ThreadPair[] = threads.map(([one, other]) => {
    const mine = pairs.filter(([item]) => item.row.thread === one).sort((x, y) => x[0].row.seq - y[0].row.seq);
    wrong.push(...checked(a.items.get(one) ?? [], b.items.get(other) ?? [], mine, partnerOf));
    return {
      pairs: mine,
      a: { of: a, thread: one, items: a.items.get(one) ?? [], horizon: horizon(a, one, endsAlike(one, other)) },
      b: { of: b, thread: other, items: b.items.get(other) ?? [], horizon: horizon(b, other, endsAlike(one, other)) },
      moments: momentsOf(mine, a.births.get(one), b.births.get(other)),
      endsAlike: endsAlike(one, other),
    };
  });
  for (const pair of all) differences.push(...threadDifferences(pair, partnerOf, learned));
  differences.push(...endDifferences(a, b, all));
  differences.push(...loneThreads(a, b, keysA, keysB, all, true), ...loneThreads(b, a, keysB, keysA, all, false));
  return { wrong, differences: differences.sort() };
}

const isOver = (how: string | undefined): boolean => how !== "stuck" && how !== "going on";
const processOf = (of: Told, thread: number): { how: string; time: number } | undefined =>
  of.processes.get(of.ran.threads[thread]?.pid ?? -1);

function pidsOf(a: Ran, b: Ran, one: number, other: number): [number, number][] {
  const [x, y] = [a.threads[one], b.threads[other]];
  return x === undefined || y === undefined
    ? []
    : [
        [x.tid, y.tid],
        [x.pid, y.pid],
      ];
}

interface Half {
  readonly of: Told;
  readonly thread: number;
  readonly items: readonly Item[];
  readonly horizon: number;
}

interface ThreadPair {
  readonly pairs: readonly Pair[];
  readonly a: Half;
  readonly b: Half;
  /** What both have, by the order of each run. */
  readonly moments: { readonly a: readonly Both[]; readonly b: readonly Both[] };
  readonly endsAlike: boolean;
}

interface Both {
  readonly own: Moment;
  readonly other: Moment;
}

/** Partners are alike, in order and as many as can be; calls of two levels are partners only where the levels are. */
function checked(a: readonly Item[], b: readonly Item[], pairs: readonly Pair[], partnerOf: ReadonlyMap<Item, Item>): string[] {
  const wrong: string[] = [];
  for (const [one, other] of pairs) {
    if (one.key !== other.key) wrong.push(`${one.row.seq} and ${other.row.seq} are not alike`);
    if (!one.handler && (one.parent === null ? null : partnerOf.get(one.parent)) !== other.parent) wrong.push(`${one.row.seq}: levels`);
  }
  const levels = [null, ...pairs.filter(([one]) => one.handler).map(([one]) => one)];
  for (const level of levels) {
    const own = a.filter(({ handler, parent }) => !handler && parent === level);
    const theirs = b.filter(({ handler, parent }) => !handler && parent === (level === null ? null : partnerOf.get(level)));
    const most = longestCommon(
      own.map(({ key }) => key),
      theirs.map(({ key }) => key),
    );
    const found = own.filter((item) => partnerOf.has(item));
    if (found.length !== most) wrong.push(`${found.length} partners instead of ${most} in level ${level?.row.seq ?? "outside"}`);
    wrong.push(...outOfOrder(found, partnerOf));
  }
  for (const key of new Set(a.filter(({ handler }) => handler).map((item) => item.key))) {
    const own = a.filter((item) => item.key === key);
    const theirs = b.filter((item) => item.key === key);
    wrong.push(
      ...outOfOrder(
        own.filter((item) => partnerOf.has(item)),
        partnerOf,
      ),
    );
    const cuts = [-1, ...own.flatMap((item, i) => (partnerOf.has(item) ? [i] : [])), own.length];
    cuts.slice(1).forEach((end, i) => {
      const begin = cuts[i] as number;
      const from = begin < 0 ? -1 : theirs.indexOf(partnerOf.get(own[begin] as Item) as Item);
      const to = end === own.length ? theirs.length : theirs.indexOf(partnerOf.get(own[end] as Item) as Item);
      if (end - begin > 1 && to - from > 1) wrong.push(`runs of ${key} that could be partners are left alone`);
    });
  }
  return wrong;
}

const outOfOrder = (list: readonly Item[], partnerOf: ReadonlyMap<Item, Item>): string[] =>
  list.flatMap((item, i) => {
    const before = list[i - 1];
    if (before === undefined) return [];
    return (partnerOf.get(before) as Item).row.seq < (partnerOf.get(item) as Item).row.seq ? [] : [`${item.row.seq} is out of order`];
  });

function longestCommon(a: readonly string[], b: readonly string[]): number {
  let row = new Array<number>(b.length + 1).fill(0);
  for (const x of a) {
    const next = [0];
    for (const [j, y] of b.entries()) next.push(x === y ? (row[j] as number) + 1 : Math.max(row[j + 1] as number, next[j] as number));
    row = next;
  }
  return row[b.length] as number;
}

function momentsOf(pairs: readonly Pair[], bornA: Moment | undefined, bornB: Moment | undefined): ThreadPair["moments"] {
  const both = pairs.flatMap(([one, other]): [Moment, Moment][] => [
    [one.row, other.row],
    ...(one.end !== null && other.end !== null ? [[one.end, other.end] as [Moment, Moment]] : []),
  ]);
  const forward = (list: readonly Both[], born: Moment | undefined): Both[] => {
    const kept: Both[] = [];
    let reached = born?.seq ?? -1;
    for (const one of [...list].sort((x, y) => x.own.seq - y.own.seq)) {
      if (one.other.seq < reached) continue;
      reached = one.other.seq;
      kept.push(one);
    }
    return kept;
  };
  return {
    a: forward(
      both.map(([own, other]) => ({ own, other })),
      bornB,
    ),
    b: forward(
      both.map(([other, own]) => ({ own, other })),
      bornA,
    ),
  };
}

function horizon(of: Told, thread: number, alike: boolean): number {
  const end = of.ends.get(thread);
  if (end === undefined) return Number.NEGATIVE_INFINITY;
  if (end.how === "cut" || end.how === "unborn") return of.time;
  return end.how === "killed" && alike && !end.byItself ? end.time : Number.POSITIVE_INFINITY;
}

const lack = (until: number, since: number, took: number): string =>
  until - since > SLOWER * Math.max(0, took) + GRACE_NS ? "differs" : "cut";

/** How much it counts that the other run lacks what begins with this row. */
function lackOf(pair: ThreadPair, ofA: boolean, row: Row): string {
  const moments = ofA ? pair.moments.a : pair.moments.b;
  const [own, other] = ofA ? [pair.a, pair.b] : [pair.b, pair.a];
  if (row.seq < (last(moments)?.own.seq ?? -1)) return "differs";
  const before = moments.findLast((moment) => moment.own.seq < row.seq);
  const begin = { own: own.of.births.get(own.thread)?.time ?? 0, other: other.of.births.get(other.thread)?.time ?? 0 };
  return lack(other.horizon, before?.other.time ?? begin.other, row.time - (before?.own.time ?? begin.own));
}

function threadDifferences(pair: ThreadPair, partnerOf: ReadonlyMap<Item, Item>, pids: Map<number, number>): string[] {
  const found: string[] = [];
  const add = (kind: string, weight: string, one: Item | null, other: Item | null): void =>
    void found.push(`${kind} ${weight} ${one?.row.seq ?? "-"}|${other?.row.seq ?? "-"}`);
  const displaced = new Set<Item>();
  const displace = (run: Item): void => void (run.inside && run.before !== null && displaced.add(run.before));
  const place = placesOf(pair, partnerOf);

  const runs = pair.pairs.filter(([one]) => one.handler);
  const together: Pair[] = [];
  for (const [one, other] of runs) {
    const sameParent = one.parent === null ? other.parent === null : partnerOf.get(one.parent) === other.parent;
    if (sameParent && place(one) === place(other)) {
      together.push([one, other]);
    } else {
      const [sentA, sentB] = [sentPlace(pair.a, one, place), sentPlace(pair.b, other, place)];
      const elsewhere = sentA >= 0 && sentB >= 0 && sentA !== sentB;
      const timing = (sameParent && near(one, other, place)) || elsewhere;
      if (timing) for (const run of [one, other]) displace(run);
      add("handler-place", timing ? "timing" : "differs", one, other);
    }
  }
  const groups = new Set(together.map(([one]) => `${one.parent?.row.seq} ${place(one)}`));
  for (const group of groups) {
    const here = together.filter(([one]) => `${one.parent?.row.seq} ${place(one)}` === group);
    const there = [...here].sort(([, x], [, y]) => x.row.seq - y.row.seq);
    const at = here.findIndex((one, i) => one !== there[i]);
    if (at < 0) continue;
    const [first, early] = [here[at] as Pair, there[at] as Pair];
    const sent = [first[0].sent, early[0].sent, first[1].sent, early[1].sent];
    const swapped = first[0].sent < early[0].sent !== first[1].sent < early[1].sent;
    add("handler-order", sent.every((seq) => seq >= 0) && swapped ? "timing" : "differs", first[0], early[1]);
  }
  for (const ofA of [true, false]) {
    const [own, there] = ofA ? [pair.a, pair.b] : [pair.b, pair.a];
    for (const run of own.items.filter((item) => item.handler && !partnerOf.has(item))) {
      if (run.parent !== null && !partnerOf.has(run.parent)) continue;
      const only = run.arrival > (there.of.arrivals.get(run.row.signal) ?? 0);
      if (only) displace(run);
      add("handler", only ? "timing" : lackOf(pair, ofA, run.row), ofA ? run : null, ofA ? null : run);
    }
    for (const call of own.items.filter((item) => !item.handler && !partnerOf.has(item))) {
      if (call.parent !== null && !partnerOf.has(call.parent)) continue;
      add("call", lackOf(pair, ofA, call.row), ofA ? call : null, ofA ? null : call);
    }
  }
  const inOrder = [...runs, ...pair.pairs.filter(([one]) => !one.handler)];
  for (const [one, other] of inOrder) {
    const open = one.how === "open" ? one : other.how === "open" ? other : null;
    if (one.how !== other.how) {
      if (open === null) add("left", "differs", one, other);
      else {
        const over = open === one ? other : one;
        const until = (open === one ? pair.a : pair.b).horizon;
        add("never-returns", lack(until, open.row.time, (over.end?.time ?? 0) - over.row.time), one, other);
      }
    } else if (one.how === "returned" && !one.handler && !sameResult(one, other, pids)) {
      const timing = [one, other].some((item) => item.result === INTERRUPTED && displaced.has(item));
      add("result", timing ? "timing" : "differs", one, other);
    } else if (one.how === "returned" && !one.handler && otherTimeOut(one, other)) add("time-out", "differs", one, other);
    const known = pair.a.of.siginfos > 0 && pair.b.of.siginfos > 0;
    for (const what of differingOutputs(one, other, known, pids))
      add(one.handler ? (what >= 130 ? "mask" : "siginfo") : "output", "differs", one, other);
  }
  if (pair.endsAlike) found.push(...threadEnd(pair));
  return found;
}

/** The place of a handler's run: twice the position of the call before it among all calls of both runs, one more in it, two after it. */
function placesOf(pair: ThreadPair, partnerOf: ReadonlyMap<Item, Item>): (run: Item) => number {
  const columns = new Map<Item, number>();
  const levels = new Set(pair.a.items.map(({ parent }) => parent).concat(pair.b.items.map(({ parent }) => parent)));
  for (const level of levels) {
    const isA = level === null || pair.a.items.includes(level);
    const own = (isA ? pair.a : pair.b).items.filter((item) => !item.handler && item.parent === level);
    const twin = level === null ? null : partnerOf.get(level);
    if (!isA && twin !== undefined) continue;
    const theirs = isA && twin !== undefined ? pair.b.items.filter((item) => !item.handler && item.parent === twin) : [];
    let column = 0;
    let j = 0;
    for (const item of own) {
      const other = partnerOf.get(item);
      while (other !== undefined && theirs[j] !== other) columns.set(theirs[j++] as Item, column++);
      if (other !== undefined) columns.set(theirs[j++] as Item, column);
      columns.set(item, column++);
    }
    for (; j < theirs.length; j += 1) columns.set(theirs[j] as Item, column++);
  }
  const placeOf = (item: Item): number => (item.before === null ? 0 : 2 * (columns.get(item.before) as number) + (item.inside ? 1 : 2));
  return (item) => (item.handler ? placeOf(item) : 2 * (columns.get(item) as number));
}

/** Where the thread was, outside handlers, when the signal was sent. */
function sentPlace({ items }: Half, run: Item, place: (item: Item) => number): number {
  if (run.sent < 0) return -1;
  const call = items.findLast((item) => !item.handler && item.parent === null && item.row.seq <= run.sent);
  if (call === undefined) return 0;
  return place(call) + (call.end !== null && call.end.seq <= run.sent ? 2 : 1);
}

function near(one: Item, other: Item, place: (run: Item) => number): boolean {
  const [p, q] = [place(one), place(other)];
  if (Math.abs(p - q) !== 1) return false;
  const [run, step] = p % 2 === 1 ? [one, q - p] : [other, p - q];
  const call = run.before as Item;
  if (step < 0) return run.row.time - call.row.time <= NEAR_NS;
  return call.end !== null && call.end.time - (run.end ?? run.row).time <= NEAR_NS;
}

function threadEnd({ a, b, moments }: ThreadPair): string[] {
  const [x, y] = [a.of.ends.get(a.thread), b.of.ends.get(b.thread)];
  const sort = (how: ThreadEnd | undefined): string => (how === "exited" || how === "killed" || how === "died" ? how : "alive");
  if (x === undefined || y === undefined || sort(x.how) === sort(y.how)) return [];
  const seqs = `${sort(x.how) === "alive" ? "-" : x.seq}|${sort(y.how) === "alive" ? "-" : y.seq}`;
  // It was on its way out as the other one was, when its process ended.
  const leaves = ({ items }: Half): boolean =>
    items.findLast(({ handler, how }) => !handler && (how === "open" || how === "dropped"))?.row.place.label.startsWith("exit(") === true;
  if ((x.how === "killed" && y.how === "exited" && leaves(a)) || (y.how === "killed" && x.how === "exited" && leaves(b))) return [];
  if (x.how === "died" || y.how === "died") return [`thread-end differs ${seqs}`];
  const isA = x.how === "exited" || (x.how === "killed" && y.how !== "exited");
  const [own, other, end] = isA ? [a, b, x] : [b, a, y];
  const common = last(isA ? moments.a : moments.b);
  const since = common?.other.time ?? other.of.births.get(other.thread)?.time ?? 0;
  const took = end.time - (common?.own.time ?? own.of.births.get(own.thread)?.time ?? 0);
  return [`thread-end ${lack(other.horizon, since, took)} ${seqs}`];
}

function endDifferences(a: Told, b: Told, all: readonly ThreadPair[]): string[] {
  const found: string[] = [];
  for (const pid of new Set(all.map((pair) => a.ran.threads[pair.a.thread]?.pid ?? -1))) {
    const members = all.filter((pair) => a.ran.threads[pair.a.thread]?.pid === pid);
    const first = members[0] as ThreadPair;
    if (first.endsAlike) continue;
    const [x, y] = [processOf(a, first.a.thread), processOf(b, first.b.thread)];
    let weight = "differs";
    const isCut = [x, y].some((end) => end?.how === "going on");
    if (isCut && (isOver(x?.how) || isOver(y?.how))) {
      const isA = isOver(x?.how);
      const over = isA ? x : y;
      const weights = members.map(({ a: sideA, b: sideB, moments }) => {
        const [own, other] = isA ? [sideA, sideB] : [sideB, sideA];
        const common = last(isA ? moments.a : moments.b);
        const since = common?.other.time ?? other.of.births.get(other.thread)?.time ?? 0;
        return lack(other.of.time, since, (over?.time ?? 0) - (common?.own.time ?? own.of.births.get(own.thread)?.time ?? 0));
      });
      weight = weights.every((one) => one === "differs") ? "differs" : "cut";
    }
    found.push(`process-end ${weight} ${exitSeq(a, first.a.thread)}|${exitSeq(b, first.b.thread)}`);
  }
  return found;
}

function exitSeq({ ran, processes, ends }: Told, thread: number): number | "-" {
  const pid = ran.threads[thread]?.pid;
  const row = ran.rows.findLast(({ what, thread: of }) => what === "process.exit" && ran.threads[of]?.pid === pid);
  if (row !== undefined) return row.seq;
  // Without a row of its end it is over with its last thread.
  const isOver = ["pal 0", "exit 0"].includes(processes.get(pid ?? -1)?.how ?? "");
  return isOver ? Math.max(...ran.threads.flatMap((one, i) => (one.pid === pid ? [ends.get(i)?.seq ?? -1] : []))) : "-";
}

/** Threads that one run alone has; the weight is checked only where the other run came to its own end. */
function loneThreads(
  own: Told,
  other: Told,
  mine: readonly string[],
  theirs: readonly string[],
  all: readonly ThreadPair[],
  ofA: boolean,
): string[] {
  return mine.flatMap((key, thread) => {
    const born = own.births.get(thread);
    if (key === "" || theirs.includes(key) || born === undefined) return [];
    const seqs = ofA ? `${born.seq}|-` : `-|${born.seq}`;
    if (other.finished) return [`thread differs ${seqs}`];
    const sides = all.map((pair) => ({
      moments: ofA ? pair.moments.a : pair.moments.b,
      own: ofA ? pair.a : pair.b,
      other: ofA ? pair.b : pair.a,
    }));
    const before = sides.filter(({ moments }) => (last(moments)?.own.seq ?? -1) <= born.seq);
    const candidates = before.length > 0 ? before : sides.slice(0, 1);
    const side = candidates.reduce((x, y) => ((last(y.moments)?.own.seq ?? -1) > (last(x.moments)?.own.seq ?? -1) ? y : x));
    const common = last(side.moments);
    if (before.length === 0) return [`thread differs ${seqs}`];
    const since = common?.other.time ?? side.other.of.births.get(side.other.thread)?.time ?? 0;
    const took = born.time - (common?.own.time ?? side.own.of.births.get(side.own.thread)?.time ?? 0);
    return [`thread ${lack(other.time, since, took)} ${seqs}`];
  });
}
