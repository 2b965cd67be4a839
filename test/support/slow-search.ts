/**
 * The search of engine/search/ once more, slowly and without its machinery: each state is a copy, and two states are one when all that
 * decides about their future reads the same. For tests.
 */

import { NO_PINS } from "../../engine/cpu.ts";
import { NEVER, type Run } from "../../engine/index.ts";
import type { Layout } from "../../engine/search/layout.ts";
import { machineLayout } from "../../engine/search/machine-layout.ts";
import { NOWHERE } from "./run-scenario.ts";

/** A clock as the future sees it: never, none, over, or so far away. */
function clockOf(time: number, now: number): string {
  if (time >= NEVER) return "never";
  if (time < 0) return "none";
  return time <= now ? "over" : `in ${time - now}`;
}

/** What of a state decides about its future, as text. */
function essence(layout: Layout, x: unknown, now: number): string {
  if (layout === "history" || layout === "identity" || layout === "running") return "";
  if (layout === "clock") return clockOf(x as number, now);
  if (layout === "essential") return JSON.stringify(x);
  if (x === null || x === undefined) return "nothing";
  if (layout.what === "list") return `[${(x as readonly unknown[]).map((y) => essence(layout.of, y, now)).join(",")}]`;
  const entries = Object.entries(x);
  if (layout.what === "table") return `{${entries.map(([key, y]) => `${key}:${essence(layout.of, y, now)}`).sort()}}`;
  const other = layout.what === "record" ? layout.others : "essential";
  return `{${entries.map(([key, y]) => `${key}:${essence(layout.fields[key] ?? other, y, now)}`).sort()}}`;
}

export interface SlowlySearched {
  readonly states: number;
  readonly transitions: number;
}

/** Every state in which the signals of the run's scenario can have arrived, from its start on. */
export function slowSearch(from: Run): SlowlySearched {
  const start = from.clone();
  start.cpu.pins = NO_PINS;
  for (const plan of start.machine.plans) plan.next = NEVER;
  const textOf = (run: Run): string => essence(machineLayout(run.cpu.wiring.stack.layout), run.machine, run.machine.now);
  const seen = new Set([textOf(start)]);
  const open = [start];
  let transitions = 0;
  for (let run = open.pop(); run !== undefined; run = open.pop()) {
    for (let signal = -1; signal < run.cpu.scenario.signals.length; signal += 1) {
      const next = run.clone();
      const plan = next.machine.plans[signal];
      if (signal >= 0 && plan?.fired !== 0) continue;
      if (plan !== undefined) {
        plan.fired = 1;
        next.machine.due.push(signal);
      }
      const going = next.run(1, NOWHERE);
      next.flush(NOWHERE);
      transitions += 1;
      const text = textOf(next);
      if (!going || seen.has(text)) continue;
      seen.add(text);
      open.push(next);
    }
  }
  return { states: seen.size, transitions };
}
