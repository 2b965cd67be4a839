/**
 * Choice points: what the state leaves open. Each says how many answers it has, and is asked before the turn of the loop has changed
 * anything. Every answer that is not the default (0) is kept as a decision (with the ones before it at the same place), so that a run
 * can be repeated from its decisions alone.
 */

import { type Chance, type Questions, setAt } from "./state.ts";
import type { Decision } from "./transition.ts";

/**
 * The kinds of choice points. `thread`: which of the threads that could run is next (0 = the one that is earliest)?
 * `arrive`: does a deliverable host signal reach the thread now (0) or one step later (1)?
 * `interrupt`: does a timer interrupt or page fault end enclave execution here (1)?
 * `arrival`: when does the next event of a random plan come, in 1/1000 of twice its mean interval?
 * `stale`: what does memory hold that the emulated code reads and nobody has written: what is usual (0), or something else?
 */
export const CHOICE_KINDS = ["thread", "arrive", "interrupt", "arrival", "stale"] as const;
export type ChoiceKind = (typeof CHOICE_KINDS)[number];

/** Who answers choice points: a policy, handed to the machine with the run's options. */
export interface Chooser {
  /** As a trace and a report name it. */
  readonly name: string;
  /** False: threads go on in the order of their clocks, and no `thread` point is met. */
  readonly ordersThreads: boolean;
  /**
   * An answer of 0..n-1, n at least 2. `chance` is the machine's: its `seq`, the generator a chooser may draw from, and how often it was
   * asked at this seq (`nth`). What a chooser keeps of its own is no part of a keyframe.
   */
  choose(kind: ChoiceKind, n: number, chance: Chance): number;
  /** The chooser of a copy of the run. */
  fork(): Chooser;
}

export const noQuestions = (): Questions => ({ seq: -1, asked: CHOICE_KINDS.map(() => 0), kept: CHOICE_KINDS.map(() => 0) });

/** How many points of this kind were met at this seq before the one that is asked now. */
export const nth = ({ questions }: Chance, kind: ChoiceKind): number => (questions.asked[CHOICE_KINDS.indexOf(kind)] ?? 0) - 1;

/** Ask the chooser; what it says, if it is not the default, becomes a decision of `decisions`. Throws when it is no answer. */
export function ask(chooser: Chooser, chance: Chance, decisions: Decision[], kind: ChoiceKind, n: number): number {
  if (n < 2) return 0;
  const q = chance.questions;
  const k = CHOICE_KINDS.indexOf(kind);
  if (q.seq !== chance.seq) startCounting(chance);
  const before = q.asked[k] as number;
  setAt(q.asked, k, before + 1);
  const choice = chooser.choose(kind, n, chance);
  if (!(Number.isInteger(choice) && choice >= 0 && choice < n))
    throw new RangeError(`seq ${chance.seq}: chooser ${chooser.name} answers ${choice} to ${kind}, of 0 to ${n - 1}`);
  if (choice !== 0) keep(q, decisions, k, { seq: chance.seq, point: kind, choice }, before);
  return choice;
}

function startCounting({ questions, seq }: Chance): void {
  questions.seq = seq;
  for (let k = 0; k < CHOICE_KINDS.length; k += 1) {
    if (questions.asked[k] !== 0) setAt(questions.asked, k, 0);
    if (questions.kept[k] !== 0) setAt(questions.kept, k, 0);
  }
}

/** Keep a choice as the n-th of its kind and seq: those before it that were the default are kept then, too. */
function keep({ kept }: Questions, decisions: Decision[], k: number, decision: Decision, before: number): void {
  for (let i = kept[k] as number; i < before; i += 1) decisions.push({ ...decision, choice: 0 });
  decisions.push(decision);
  setAt(kept, k, before + 1);
}
