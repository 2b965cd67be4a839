/** When the plans of a scenario come: at times, at intervals, at random. Plans that wait for a place are in `pins.ts`. */

import type { Cpu } from "../cpu.ts";
import { NEVER } from "../time.ts";
import { planWhen } from "./pins.ts";

/** Time of a plan's first event, NEVER when it waits for a place. */
export function first(c: Cpu, plan: number): number {
  const when = planWhen(c, plan);
  if (!when) return NEVER;
  if (when.at !== undefined) return when.at;
  if (when.every !== undefined) return when.from ?? when.every;
  return when.rate === undefined ? NEVER : (when.from ?? 0) + interval(c, when.rate);
}

/** Random plans: uniform in 0..2/rate, drawn in thousandths. */
const interval = (c: Cpu, rate: number): number => Math.max(1, Math.round(((2e9 / rate) * c.choose("arrival", 1000)) / 1000));

/** A timed plan has come at `at`: when it comes again. A random plan asks before anything is changed. */
export function schedule(c: Cpu, plan: number, at: number): void {
  const state = c.m.plans[plan];
  if (!state) return;
  const next = nextAfter(c, plan, at, state.fired + 1);
  state.fired += 1;
  state.next = next;
}

/** `fired`: how often it has come then. */
function nextAfter(c: Cpu, plan: number, at: number, fired: number): number {
  const when = planWhen(c, plan);
  const spent = when?.times !== undefined && fired >= when.times;
  if (!when || spent || when.at !== undefined) return NEVER;
  if (when.every !== undefined) return at + when.every;
  return when.rate === undefined ? NEVER : at + interval(c, when.rate);
}

/** The latest that has a name: "server" means server, server#2, ... */
export const lastNamed = <T extends { name: string }>(list: readonly T[], name: string): T | undefined =>
  list.findLast((known) => known.name === name || known.name.startsWith(`${name}#`));
