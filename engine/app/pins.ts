/** Plans of a scenario that wait for a place: when a thread makes a call, enters a handler, reaches a site. */

import { nextStepNumber } from "../control.ts";
import { type Cpu, topFrame } from "../cpu.ts";
import type { When } from "../scenario/schema.ts";
import type { Thread } from "../state.ts";
import { NEVER } from "../time.ts";

/** Plans are numbered: the scenario's signals, then its arrivals. */
export const planWhen = (c: Cpu, plan: number): When | undefined =>
  plan < c.scenario.signals.length ? c.scenario.signals[plan]?.when : c.scenario.arrivals[plan - c.scenario.signals.length]?.when;

/** Does this plan apply to the stack that runs? */
export function applies(c: Cpu, plan: number, stack: string): boolean {
  const { signals, arrivals } = c.scenario;
  const stacks = (signals[plan] ?? arrivals[plan - signals.length])?.stacks;
  return !stacks || stacks.some((name) => name === stack);
}

function visit(c: Cpu, plan: number, nth: number | undefined): boolean {
  const state = c.m.plans[plan];
  if (!state || state.fired > 0) return false;
  state.visits += 1;
  return state.visits === (nth ?? 1);
}

/** A thread makes a system call; one that is not emulated is also known by its own name (`called`). Counts only calls of its own program, not of handlers. */
export function enterCall(c: Cpu, operation: string, called: string): void {
  const { app, name } = c.t;
  if (app.inHandler > 0) return callInHandler(c);
  app.calls += 1;
  const plans = c.pins.calls.get(name);
  if (plans === undefined) return;
  for (const plan of inOrder(plans.get(operation), called === operation ? undefined : plans.get(called), plans.get(app.calls))) {
    const when = planWhen(c, plan);
    if (!visit(c, plan, when?.nth)) continue;
    if (when?.phase === "before") due(c, plan);
    else app.pinned.push(plan);
  }
}

const NO_PLANS: readonly number[] = [];

/** A plan that was written earlier comes earlier. */
function inOrder(...lists: readonly (readonly number[] | undefined)[]): readonly number[] {
  const found = lists.filter((list) => list !== undefined);
  return found.length > 1 ? found.flat().sort((a, b) => a - b) : (found[0] ?? NO_PLANS);
}

export function enterHandler(c: Cpu, signal: number): void {
  const { app, name } = c.t;
  for (const plan of c.pins.handlers.get(name)?.get(signal) ?? NO_PLANS) {
    const when = planWhen(c, plan);
    if (!visit(c, plan, when?.nth)) continue;
    if (typeof when?.call === "number") app.armed.push({ plan, left: when.call, depth: app.inHandler });
    else due(c, plan);
  }
}

/** A handler makes a call that plans may wait for. */
function callInHandler(c: Cpu): void {
  const { app } = c.t;
  if (app.armed.length === 0) return;
  for (const armed of app.armed) {
    if (armed.depth !== app.inHandler) continue;
    armed.left -= 1;
    if (armed.left > 0) continue;
    if (planWhen(c, armed.plan)?.phase === "before") due(c, armed.plan);
    else app.pinned.push(armed.plan);
  }
  app.armed = app.armed.filter(({ left }) => left > 0);
}

/** The thread has just gone to sleep in a call that a plan waits for. */
export function enterSleep(c: Cpu, { app }: Thread): void {
  const plan = app.pinned.length > 0 ? app.pinned.shift() : undefined;
  if (plan !== undefined) due(c, plan);
}

/** The call a plan waits for never blocked: the plan's time is its return. */
export function leaveCall(c: Cpu): void {
  const { app } = c.t;
  while (app.pinned.length > 0 && (app.inHandler === 0 || planWhen(c, app.pinned[0] ?? -1)?.handler !== undefined)) enterSleep(c, c.t);
}

/** The step a thread will make next may be a pinned place. Asked after each of its steps, and when it is new. */
export function reachSite(c: Cpu, t: Thread): void {
  const { sites } = c.pins;
  if (sites === null) return;
  for (const plan of sites.get(nextStepNumber(c.program, topFrame(t))) ?? []) {
    const when = planWhen(c, plan);
    if (when?.thread === t.name && visit(c, plan, when.nth)) due(c, plan);
  }
}

function due(c: Cpu, plan: number): void {
  const state = c.m.plans[plan];
  if (state) {
    state.fired += 1;
    state.next = NEVER;
  }
  c.m.due.push(plan);
  c.dirty = true;
}
