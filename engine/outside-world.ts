/** What happens to threads from outside their code: plans of the scenario, timers, ends and stops of children. Each makes one row. */

import { lastNamed } from "./app/plans.ts";
import type { Cpu } from "./cpu.ts";
import { fill } from "./host/calls.ts";
import { generate } from "./host/generate.ts";
import { OUTSIDE } from "./host/outside.ts";
import { changeInfo, exitInfo, hearsOfStops, reapsItself } from "./host/process-state.ts";
import { wake } from "./host/sleep.ts";
import { byKernel, SI, type SigInfo, sentBy, withValue } from "./siginfo.ts";
import { SIG } from "./signals.ts";
import { type HostTimer, type Machine, type Process, READY, type Stray, type Thread } from "./state.ts";
import { NEVER } from "./time.ts";
import { KIND } from "./transition.ts";

/** Next expiry of any of a process's timers. */
export function nextTimer(p: Process | null | undefined): number {
  if (!p) return NEVER;
  let at = p.timer;
  // By index: in a search these are lists of another class, which iterators are slow for.
  const { timers } = p;
  for (let i = 0; i < timers.length; i += 1) {
    const { next } = timers[i] as HostTimer;
    if (next < at) at = next;
  }
  return at;
}

export const nextOfPlan = (m: Machine, plan: number): number => m.plans[plan]?.next ?? NEVER;

/** When the next plan or timer comes. Whoever changes one of those says so (`Cpu.dirty`). */
export function nextOutside({ m, pins }: Cpu): number {
  let at = NEVER;
  for (const plan of pins.timed) {
    const next = nextOfPlan(m, plan);
    if (next < at) at = next;
  }
  const { known, processes } = m;
  for (let i = 0; i < known.length; i += 1) {
    const next = nextTimer(processes[known[i] as number]);
    if (next < at) at = next;
  }
  return at;
}

/** Whom the signal of a plan is for: a thread, or a process; both null when there is none of that name now. */
export function targetOf(c: Cpu, due: number): { p: Process | null; t: Thread | null } {
  const plan = c.scenario.signals[due];
  if (plan?.thread !== undefined) {
    const threads = c.m.live.map((id) => c.thread(id));
    const t = lastNamed(threads, plan.thread) ?? null;
    return { p: t && c.process(t), t };
  }
  const alive = c.processes().filter((known) => known.alive);
  return { p: lastNamed(alive, plan?.process ?? "main") ?? null, t: null };
}

/** A plan is due, or (below 0) a process ended. */
export function fire(c: Cpu, due: number, at: number): void {
  if (due < 0) return processEnded(c, -1 - due, at);
  const signals = c.scenario.signals;
  const plan = signals[due];
  if (plan) {
    const { p, t } = targetOf(c, due);
    // The sender lives in another pid namespace: it has no pid here.
    return generateOutside(c, OUTSIDE.arrives, at, p, t, sentBy(plan.signal, 0));
  }
  const arrival = c.scenario.arrivals[due - signals.length];
  if (arrival) dataArrives(c, c.object(arrival.to), arrival.bytes, at);
}

function dataArrives(c: Cpu, object: number, amount: number, at: number): void {
  const t = anyThread(c);
  if (!t) return;
  beginOutside(c, t, at, KIND.step);
  c.value = amount;
  fill(c, object, amount);
  c.happen(t, OUTSIDE.data, KIND.step, -1);
}

export function timerExpired(c: Cpu, p: Process, at: number): void {
  const timer = p.timer === at ? null : p.timers.find((known) => known.next === at);
  if (!timer) {
    p.timer = p.timerInterval > 0 ? at + p.timerInterval : NEVER;
    return generateOutside(c, OUTSIDE.timer, at, p, null, byKernel(SIG.ALRM));
  }
  timer.next = timer.interval > 0 ? at + timer.interval : NEVER;
  if (timer.object < 0) {
    const t = timer.thread < 0 ? null : (c.m.threads[timer.thread] ?? null);
    if (timer.thread >= 0 && !t) return;
    return generateOutside(c, OUTSIDE.timer, at, p, t, withValue(timer.signal, SI.TIMER, 0, timer.value));
  }
  dataArrives(c, timer.object, 1, at);
}

/** The row of a process's end, on its oldest thread; none of them is gone yet. */
function processEnded(c: Cpu, id: number, at: number): void {
  const p = c.m.processes[id];
  const t = c.m.threads[p?.threads[0] ?? -1];
  if (!p || !t) throw new Error(`process ${id} has ended, but is not known any more`);
  beginOutside(c, t, at, KIND["process.exit"]);
  c.signal = p.end.signal;
  c.value = p.end.status;
  c.extra = p.end.why;
  c.happen(t, OUTSIDE.ended, KIND["process.exit"], -1);
  c.wiring.stack.state.processEnded(c, p);
  // What its parent gets is a row of its own, and a turn makes one.
  c.m.changes.push({ process: id, what: "ended" });
}

function childEnded(c: Cpu, child: Process, parent: Process, at: number): void {
  // A library OS has its own children's records, and reads them from here.
  if (c.wiring.native && reapsItself(parent)) child.reaped = true;
  wakeParent(c, parent, at);
  generateOutside(c, OUTSIDE.childExit, at, parent, null, exitInfo(child));
}

/** __wake_up_parent: whoever is in wait4 looks again. */
function wakeParent(c: Cpu, parent: Process, at: number): void {
  for (const t of c.threadsOf(parent)) {
    if (t.state !== "blocked" || t.wait?.child !== -1) continue;
    c.now = Math.max(at, c.m.now);
    wake(c, t, READY);
  }
}

/** A child has ended, has stopped, or goes on. */
export function childChanged(c: Cpu, { process, what }: Machine["changes"][number], at: number): void {
  const child = c.m.processes[process];
  const parent = c.m.processes[child?.parent ?? -1];
  // A child of vfork under a LibOS is no process of the host: nobody tells its parent.
  if (!child || !parent?.alive || child.dummy) return;
  if (what === "ended") return childEnded(c, child, parent, at);
  wakeParent(c, parent, at);
  if (hearsOfStops(parent)) generateOutside(c, OUTSIDE.childExit, at, parent, null, changeInfo(child, what));
}

function generateOutside(c: Cpu, place: number, at: number, p: Process | null, thread: Thread | null, info: SigInfo): void {
  const row = thread ?? c.m.threads[p?.threads[0] ?? -1] ?? anyThread(c);
  if (!row) return;
  beginOutside(c, row, at, KIND["host.signal.generate"]);
  generate(c, p, thread, info);
  c.happen(row, place, c.kind, -1);
}

/** A row that is no step of its thread: the thread's own clock stays. */
function beginOutside(c: Cpu, t: Thread, at: number, kind: number): void {
  c.begin(t, kind);
  c.now = Math.max(at, c.m.now);
}

/** The row of a signal that was thrown away, or that the program took; at any thread when its own is gone by now. */
export function strayed(c: Cpu, { thread, signal, id, kind, value }: Stray, at: number): void {
  const t = c.m.threads[thread] ?? anyThread(c);
  if (!t) return;
  beginOutside(c, t, at, kind);
  c.signal = signal;
  c.value = value;
  c.extra = id;
  c.happen(t, kind === KIND["signal.take"] ? OUTSIDE.taken : OUTSIDE.stray, kind, -1);
}

function anyThread(c: Cpu): Thread | null {
  const id = c.m.live[0];
  return id === undefined ? null : c.thread(id);
}
