/**
 * The one door for chance. Everything the state does not determine is asked here, and every answer that is not the
 * default (0) is kept as a decision (with the ones before it at the same place), so that a run can be repeated from its decisions alone.
 */

import type { Cpu } from "./cpu.ts";
import { below } from "./prng.ts";

/**
 * The questions. `thread`: which of the threads that could run is next (0 = the one that is earliest)?
 * `arrive`: does a deliverable host signal reach the thread now (0) or one step later (1)?
 * `interrupt`: does a timer interrupt or page fault end enclave execution here (1)?
 * `arrival`: when does the next event of a random plan come, in 1/1000 of twice its mean interval?
 */
export type Door = "thread" | "arrive" | "interrupt" | "arrival";

/** `scripted`: the scenario pins everything, chance is only in random plans. `seeded`: also threads and arrivals. `recorded`: as in an earlier run. */
export const SCHEDULERS = ["scripted", "seeded", "recorded"] as const;
export type Scheduler = (typeof SCHEDULERS)[number];

/** How often a seeded run departs from the default, in 1/1000. */
const SEEDED_PER_MILLE: Readonly<Record<"thread" | "arrive", number>> = { thread: 50, arrive: 250 };

/** Position of a door in `Questions.asked`. */
const DOORS: readonly Door[] = ["thread", "arrive", "interrupt", "arrival"];

/** Questions asked at one seq, by door: some ask more than once before the next transition. Part of the machine's state. */
export interface Questions {
  seq: number;
  /** Asked so far, and how many of them are among the decisions. */
  readonly asked: number[];
  readonly kept: number[];
}

export const noQuestions = (): Questions => ({ seq: -1, asked: [0, 0, 0, 0], kept: [0, 0, 0, 0] });

/** How many questions this door was asked at this seq before the one now. */
function countQuestion(c: Cpu, door: Door): number {
  const q = c.m.questions;
  if (q.seq !== c.m.seq) {
    q.seq = c.m.seq;
    q.asked.fill(0);
    q.kept.fill(0);
  }
  const d = DOORS.indexOf(door);
  const before = q.asked[d] as number;
  q.asked[d] = before + 1;
  return before;
}

/** Keep a choice as the n-th of its door and seq: those before it that were the default are kept then, too. */
function keep(c: Cpu, door: Door, nth: number, choice: number): void {
  const { kept } = c.m.questions;
  const d = DOORS.indexOf(door);
  for (let i = kept[d] as number; i < nth; i += 1) c.decisions.push({ seq: c.m.seq, door, choice: 0 });
  c.decisions.push({ seq: c.m.seq, door, choice });
  kept[d] = nth + 1;
}

/** Choose 0..n-1. `perMille` overrides how likely a non-zero answer is (for `interrupt`, whose rate the scenario sets). */
export function decide(c: Cpu, door: Door, n: number, perMille = 0): number {
  if (n < 2) return 0;
  const nth = countQuestion(c, door);
  if (c.scheduler === "recorded") return recorded(c, door, nth, n);
  const choice = draw(c, door, n, perMille);
  if (choice !== 0) keep(c, door, nth, choice);
  return choice;
}

function draw(c: Cpu, door: Door, n: number, perMille: number): number {
  const rng = c.m.rng;
  if (door === "arrival") return below(rng, n);
  if (door === "interrupt") return below(rng, 1_000_000) < perMille * 1000 ? 1 : 0;
  if (c.scheduler === "scripted") return 0;
  return below(rng, 1000) < SEEDED_PER_MILLE[door] ? 1 + below(rng, n - 1) : 0;
}

/** The n-th decision of this door and seq; those of places never reached are passed over. */
function recorded(c: Cpu, door: Door, nth: number, n: number): number {
  const list = c.script;
  let at = c.m.decisionCursor;
  while (at < list.length && (list[at]?.seq ?? 0) < c.m.seq) at += 1;
  c.m.decisionCursor = at;
  let before = nth;
  for (let i = at; i < list.length && list[i]?.seq === c.m.seq; i += 1) {
    const decision = list[i];
    if (decision?.door !== door) continue;
    if (before > 0) {
      before -= 1;
      continue;
    }
    c.answered.add(decision);
    return Math.min(Math.max(0, decision.choice), n - 1);
  }
  return 0;
}
