/** The choosers there are. A search or an experiment may bring its own. */

import { CHOICE_KINDS, type ChoiceKind, type Chooser, nth } from "./choice.ts";
import { below } from "./prng.ts";
import type { Chance } from "./state.ts";
import type { Decision } from "./transition.ts";

/** `scripted`: the scenario pins everything, chance is only in random plans. `seeded`: also threads and arrivals. `recorded`: as in an earlier run. */
export const SCHEDULERS = ["scripted", "seeded", "recorded"] as const;
export type Scheduler = (typeof SCHEDULERS)[number];

/** How often a seeded run departs from the default, in 1/1000. */
const SEEDED_PER_MILLE = { thread: 50, arrive: 250, stale: 100 } as const;

/** How likely an interrupt is at one step of enclave code, in 1/10^6, from interrupts per second: a step takes some 10 ns. */
const perMillion = (interrupts: number): number => (interrupts / 1e5) * 1000;

/** As the scenario says: what it leaves to chance comes from the seed, everything else is the default. `interrupts`: per second. */
export function scripted(interrupts: number): Chooser {
  const chooser: Chooser = {
    name: "scripted",
    ordersThreads: false,
    choose: (kind, n, { rng }) =>
      kind === "arrival" ? below(rng, n) : kind === "interrupt" && below(rng, 1_000_000) < perMillion(interrupts) ? 1 : 0,
    fork: () => chooser,
  };
  return chooser;
}

/** From the seed: also which thread is next, and whether a signal comes a step later. */
export function seeded(interrupts: number): Chooser {
  const asScripted = scripted(interrupts);
  const chooser: Chooser = {
    name: "seeded",
    ordersThreads: true,
    choose(kind, n, chance) {
      if (kind === "arrival" || kind === "interrupt") return asScripted.choose(kind, n, chance);
      return below(chance.rng, 1000) < SEEDED_PER_MILLE[kind] ? 1 + below(chance.rng, n - 1) : 0;
    },
    fork: () => chooser,
  };
  return chooser;
}

/** As decided before. A choice beyond the point's width is the last there is; decisions of points that are not met are passed over. */
export interface Recorded extends Chooser {
  /** Decisions that no point met so far: they changed nothing. */
  unanswered(): Decision[];
}

export function recorded(decisions: readonly Decision[]): Recorded {
  const bySeq = new Map<number, Decision[]>();
  for (const decision of decisions) {
    const there = bySeq.get(decision.seq);
    if (there === undefined) bySeq.set(decision.seq, [decision]);
    else there.push(decision);
  }
  return following(decisions, bySeq, new Set());
}

type BySeq = ReadonlyMap<number, readonly Decision[]>;

function following(decisions: readonly Decision[], bySeq: BySeq, answered: Set<Decision>): Recorded {
  /** The n-th decision of this kind and seq. */
  function decisionFor(kind: ChoiceKind, chance: Chance): Decision | undefined {
    let before = nth(chance, kind);
    return bySeq.get(chance.seq)?.find((decision) => {
      if (decision.point !== kind) return false;
      before -= 1;
      return before < 0;
    });
  }
  return {
    name: "recorded",
    ordersThreads: true,
    choose(kind, n, chance) {
      const decision = decisionFor(kind, chance);
      if (decision === undefined) return 0;
      answered.add(decision);
      return Math.min(Math.max(0, decision.choice), n - 1);
    },
    fork: () => following(decisions, bySeq, new Set(answered)),
    unanswered: () => decisions.filter((decision) => !answered.has(decision)),
  };
}

/** The chooser of that name. `decisions`: what `recorded` follows. */
export function chooserOf(scheduler: Scheduler, interrupts: number, decisions: readonly Decision[]): Chooser {
  return scheduler === "scripted" ? scripted(interrupts) : scheduler === "seeded" ? seeded(interrupts) : recorded(decisions);
}

/** All runs of a scenario, one after the other. */
export interface Exhaustive extends Chooser {
  /** Go on to the next run, from its start; false after the last one. */
  next(): boolean;
}

interface Digit {
  value: number;
  /** Largest value. */
  readonly bound: number;
}

export interface ExhaustiveOptions {
  /** The kinds of choice points that are tried; others have their default. All without it. */
  readonly kinds?: readonly ChoiceKind[];
  /** Choice points of a run that are tried, from its start; others have their default. */
  readonly most?: number;
}

/**
 * Every answer to every choice point: a counter whose digits are the answers of a run, each with the bound of its own point, because how
 * many points there are, and how wide, depends on the answers before (after TigerBeetle's exhaustigen). `next` adds one at the end.
 */
export const exhaustive = (options: ExhaustiveOptions = {}): Exhaustive => counting(options, [], 0);

function counting(options: ExhaustiveOptions, digits: Digit[], from: number): Exhaustive {
  const { kinds = CHOICE_KINDS, most = Number.POSITIVE_INFINITY } = options;
  let at = from;
  return {
    name: "exhaustive",
    ordersThreads: kinds.includes("thread"),
    choose(kind, n, { seq }) {
      if (at >= most || !kinds.includes(kind)) return 0;
      if (at === digits.length) digits.push({ value: 0, bound: n - 1 });
      const digit = digits[at++] as Digit;
      if (digit.bound !== n - 1) throw new Error(`seq ${seq}: a run with the same answers met another choice point than before`);
      return digit.value;
    },
    next() {
      at = 0;
      while (digits.length > 0 && (digits.at(-1) as Digit).value === digits.at(-1)?.bound) digits.pop();
      const last = digits.at(-1);
      if (last === undefined) return false;
      last.value += 1;
      return true;
    },
    fork: () =>
      counting(
        options,
        digits.map((digit) => ({ ...digit })),
        at,
      ),
  };
}
