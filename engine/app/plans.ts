/** When the plans of a scenario come: at times, at intervals, at random. Plans that wait for a place are in `pins.ts`. */

import { decide } from "../chance.ts";
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
const interval = (c: Cpu, rate: number): number => Math.max(1, Math.round(((2e9 / rate) * decide(c, "arrival", 1000)) / 1000));

/** A timed plan has come at `at`: when it comes again. */
export function schedule(c: Cpu, plan: number, at: number): void {
  const state = c.m.plans[plan];
  const when = planWhen(c, plan);
  if (!state || !when) return;
  state.fired += 1;
  const spent = when.times !== undefined && state.fired >= when.times;
  if (spent || when.at !== undefined) state.next = NEVER;
  else if (when.every !== undefined) state.next = at + when.every;
  else if (when.rate !== undefined) state.next = at + interval(c, when.rate);
}

/** The latest that has a name: "server" means server, server#2, ... */
export const lastNamed = <T extends { name: string }>(list: readonly T[], name: string): T | undefined =>
  list.findLast((known) => known.name === name || known.name.startsWith(`${name}#`));
