/** Stepping: let the earliest of threads, plans and timers go on, until a limit, the end or a deadlock. */

import { reachSite } from "./app/pins.ts";
import { lastNamed, schedule } from "./app/plans.ts";
import type { Ending, Sink, Source } from "./block.ts";
import { decide, type Scheduler } from "./chance.ts";
import { Cpu, inEnclave, inUserMode } from "./cpu.ts";
import { E } from "./errno.ts";
import { BrokenLaw } from "./errors.ts";
import type { FixName } from "./fixes.ts";
import type { Program } from "./flow.ts";
import { fill } from "./host/calls.ts";
import { deliverable, generate } from "./host/generate.ts";
import { OUTSIDE } from "./host/outside.ts";
import { changeInfo, exitInfo, hearsOfStops, reapsItself } from "./host/process-state.ts";
import { deliver, nothingDelivered } from "./host/signal.ts";
import { timeOut, wake } from "./host/sleep.ts";
import { checkInvariants } from "./invariant.ts";
import { portClosed } from "./libos/kill.ts";
import { NEVER, type Scenario, type StackName } from "./scenario/schema.ts";
import { aex, NSSA } from "./sgx/leaf.ts";
import { byKernel, SI, type SigInfo, sentBy, withValue } from "./siginfo.ts";
import { isSynchronous, SIG } from "./signals.ts";
import { copyTree, keyOf, type Machine, type Process, READY, type Thread } from "./state.ts";
import { endThread } from "./threads.ts";
import { type Decision, KIND } from "./transition.ts";

/** Turns of the loop without a row until `run` lets its caller look around: some milliseconds. */
const IDLE_TURNS = 16_384;
/** Rows made between two looks at the laws; a look takes the longer the more threads there are. */
const CHECK_ROWS = 32_768;
const CHECK_ROWS_A_THREAD = 64;

export interface RunOptions {
  readonly stack: StackName;
  readonly scenario: Scenario;
  readonly fixes?: readonly FixName[];
  readonly scheduler?: Scheduler;
  /** Overrides the scenario's seed. */
  readonly seed?: number;
  /** Decisions of an earlier run, for the `recorded` scheduler. */
  readonly decisions?: readonly Decision[];
}

/** One run of the engine: a source of transitions. */
export class Run implements Source {
  constructor(
    readonly options: RunOptions,
    readonly cpu: Cpu,
  ) {}

  get sites(): Program["sites"] {
    return this.cpu.program.sites;
  }

  get threads(): Cpu["threads"] {
    return this.cpu.threads;
  }

  get texts(): readonly string[] {
    return this.cpu.texts;
  }

  get decisions(): readonly Decision[] {
    return this.cpu.scheduler === "recorded" ? this.cpu.script : this.cpu.decisions;
  }

  /** Decisions to follow that no question met so far: they changed nothing. */
  get unanswered(): readonly Decision[] {
    return this.cpu.script.filter((decision) => !this.cpu.answered.has(decision));
  }

  get ending(): Ending | null {
    return this.cpu.m.ended;
  }

  get machine(): Machine {
    return this.cpu.m;
  }

  keyframe(): string {
    return JSON.stringify(this.cpu.m);
  }

  /** The same run at the same place, sharing nothing. */
  clone(): Run {
    const { cpu } = this;
    const copy = new Cpu(copyTree(cpu.m), cpu.program, cpu.scenario, cpu.scheduler, cpu.script, cpu.wiring);
    copy.pins = cpu.pins;
    copy.threads.push(...cpu.threads);
    for (const text of cpu.texts) copy.text(text);
    return new Run(this.options, copy);
  }

  run(rows: number, sink: Sink): boolean {
    const c = this.cpu;
    const { m } = c;
    const until = m.seq + rows;
    const idleUntil = m.idle + IDLE_TURNS;
    while (m.seq < until && m.ended === null && m.idle < idleUntil) {
      const before = m.seq;
      this.advance(until);
      if (m.seq === before && m.ended === null) m.idle += 1;
      if (c.full) this.flush(sink);
    }
    if (m.ended !== null) this.checkLaws();
    return m.ended === null;
  }

  /** Plans of the scenario that were still to come when nobody was left whom they could have reached; 0 while the run goes on. */
  get plansLeft(): number {
    const { m } = this.cpu;
    return m.ended === "finished" ? m.plans.filter((plan) => plan.next < NEVER).length : 0;
  }

  flush(sink: Sink): void {
    const { block, m } = this.cpu;
    if (this.cpu.full && m.seq - this.checkedAt >= CHECK_ROWS + CHECK_ROWS_A_THREAD * m.live.length) this.checkLaws();
    if (block.n > 0) sink.put(block);
    block.n = 0;
    block.seq0 = m.seq;
  }

  private checkedAt = 0;

  /** The laws are looked at in every run, now and then and at its end: rarely enough not to be felt. Throws BrokenLaw. */
  private checkLaws(): void {
    const { m, program, scheduler, scenario } = this.cpu;
    this.checkedAt = m.seq;
    const laws = checkInvariants(m, program);
    if (laws.length === 0) return;
    const { stack, fixes = [], seed = scenario.seed } = this.options;
    throw new BrokenLaw({ stack, fixes, scheduler, seed, seq: m.seq, laws, decisions: [...this.decisions], scenario });
  }

  /** Let the earliest of threads, plans and timers go on; threads take steps as long as nothing else is earlier. */
  private advance(until: number): void {
    const c = this.cpu;
    const m = c.m;
    c.dirty = false;
    const change = m.changes.shift();
    if (change !== undefined) return this.childChanged(change, m.now);
    const due = m.due.shift();
    if (due !== undefined) return this.fire(due, m.now);
    const t = this.earliest();
    const outsideAt = this.nextOutside();
    if (t === null && (outsideAt >= NEVER || this.nobodyLeft())) return this.end(this.someoneRuns() ? "time-limit" : "finished");
    const at = t === null ? outsideAt : Math.min(timeOf(t), outsideAt);
    if (at > c.scenario.limit.time) return this.end("time-limit");
    // A turn without a row counts, too: plans may come for ever to a thread that is not there.
    if (m.seq + m.idle >= c.scenario.limit.transitions) return this.end("row-limit");
    if (outsideAt <= at) return this.outside(outsideAt);
    if (t === null) return;
    if (t.state === "blocked") {
      c.now = timeOf(t);
      timeOut(c, t);
    }
    const horizon = c.scheduler === "scripted" ? Math.min(this.horizon, outsideAt, c.scenario.limit.time) : -1;
    const last = Math.min(until, c.scenario.limit.transitions - m.idle);
    do this.stepThread(t);
    while (!c.dirty && t.state === "run" && t.time < horizon && m.seq < last && !c.full);
  }

  private end(why: Ending): void {
    this.cpu.m.ended = why;
  }

  /** Time of the second earliest thread, for the loop above. */
  private horizon = 0;

  /** The thread whose next step is earliest; chance may pick another that could run. */
  private earliest(): Thread | null {
    const c = this.cpu;
    let best: Thread | null = null;
    let bestTime = NEVER;
    this.horizon = NEVER;
    let runnable = 0;
    for (const id of c.m.live) {
      const t = c.thread(id);
      if (c.process(t).stopped && !t.dying) continue;
      const time = timeOf(t);
      if (t.state === "run") runnable += 1;
      if (time < bestTime) {
        this.horizon = bestTime;
        bestTime = time;
        best = t;
      } else if (time < this.horizon) this.horizon = time;
    }
    if (c.scheduler === "scripted" || runnable < 2 || best?.state !== "run") return best;
    const choice = decide(c, "thread", runnable);
    if (choice === 0) return best;
    const others = c.m.live.map((id) => c.thread(id)).filter((t) => t.state === "run" && t !== best && (!c.process(t).stopped || t.dying));
    return others[choice - 1] ?? best;
  }

  /** One transition of this thread: its end, an asynchronous exit, a delivery, or its next step. */
  private stepThread(t: Thread): void {
    const c = this.cpu;
    c.now = Math.max(t.time, c.m.now);
    if (t.dying) return this.gone(t);
    if (t.check && inUserMode(c, t)) {
      const pending = deliverable(c, t);
      if (pending === null) {
        // What it was woken for was ignored, or another thread has taken it: the call starts again, as if nothing had been.
        t.check = false;
        nothingDelivered(c, t);
      }
      // The log's kernel did not let the thread on for as long.
      else if (pending.at > c.now) {
        t.time = pending.at;
        c.dirty = true;
        return;
      }
      // What the thread's own instruction raised comes at that instruction; and the kernel's restart code in RAX is for the delivery.
      else if (t.rax <= E.RESTARTSYS || isSynchronous(pending.signal) || decide(c, "arrive", 2) === 0) {
        if (inEnclave(t)) aex(c, t);
        else deliver(c, t, pending);
        return this.afterStep(t);
      }
    }
    if (c.scenario.interrupts > 0 && inEnclave(t) && t.sgx.cssa < NSSA && decide(c, "interrupt", 2, c.scenario.interrupts / 1e5) === 1) {
      aex(c, t);
      return this.afterStep(t);
    }
    c.step(t);
    this.afterStep(t);
  }

  private afterStep(t: Thread): void {
    const c = this.cpu;
    if (t.state !== "dead") reachSite(c, t);
  }

  private gone(t: Thread): void {
    const c = this.cpu;
    c.begin(t, KIND["thread.exit"]);
    c.signal = c.process(t).end.signal;
    c.value = 1;
    c.happen(t, OUTSIDE.gone, KIND["thread.exit"], 0);
    endThread(c, t);
  }

  private nextOutside(): number {
    const m = this.cpu.m;
    let at = NEVER;
    for (const plan of m.plans) if (plan.next < at) at = plan.next;
    for (const id of m.known) at = Math.min(at, nextTimer(m.processes[id]));
    return at;
  }

  /** A thread runs, but its next step is beyond all time: it computes for ever. */
  private someoneRuns(): boolean {
    const c = this.cpu;
    return c.m.live.some((id) => c.thread(id).state === "run" && !c.process(c.thread(id)).stopped);
  }

  /** No thread goes on by itself, no timer runs, and no plan that is still to come reaches anybody. */
  private nobodyLeft(): boolean {
    const { m } = this.cpu;
    if (m.known.some((id) => nextTimer(m.processes[id]) < NEVER)) return false;
    return !m.plans.some((plan, i) => plan.next < NEVER && this.reaches(i));
  }

  /** Whether a plan would meet whom it is for: the signal's target, or a thread that waits for the object. */
  private reaches(plan: number): boolean {
    const c = this.cpu;
    const { signals, arrivals } = c.scenario;
    if (plan < signals.length) return this.targetOf(plan).p !== null;
    const object = c.m.objectsByName[keyOf(arrivals[plan - signals.length]?.to ?? "")];
    return object !== undefined && c.m.live.some((id) => c.thread(id).wait?.objects.includes(object) ?? false);
  }

  /** Something comes from outside any thread: a plan's time, or a process's real timer. */
  private outside(at: number): void {
    const { m } = this.cpu;
    const p = this.cpu.processes().find((known) => nextTimer(known) === at);
    if (p) return this.timerExpired(p, at);
    const plan = m.plans.findIndex((state) => state.next === at);
    schedule(this.cpu, plan, at);
    this.fire(plan, at);
  }

  private timerExpired(p: Process, at: number): void {
    const c = this.cpu;
    const timer = p.timer === at ? null : p.timers.find((known) => known.next === at);
    if (!timer) {
      p.timer = p.timerInterval > 0 ? at + p.timerInterval : NEVER;
      return this.generateOutside(OUTSIDE.timer, at, p, null, byKernel(SIG.ALRM));
    }
    timer.next = timer.interval > 0 ? at + timer.interval : NEVER;
    if (timer.object < 0) {
      const t = timer.thread < 0 ? null : (c.m.threads[timer.thread] ?? null);
      if (timer.thread >= 0 && !t) return;
      return this.generateOutside(OUTSIDE.timer, at, p, t, withValue(timer.signal, SI.TIMER, 0, timer.value));
    }
    this.dataArrives(timer.object, 1, at);
  }

  /** A plan is due, or (below 0) a process ended. */
  private fire(due: number, at: number): void {
    const c = this.cpu;
    if (due < 0) return this.processEnded(-1 - due, at);
    const signals = c.scenario.signals;
    const plan = signals[due];
    if (plan) {
      const { p, t } = this.targetOf(due);
      // The sender lives in another pid namespace: it has no pid here.
      return this.generateOutside(OUTSIDE.arrives, at, p, t, sentBy(plan.signal, 0));
    }
    const arrival = c.scenario.arrivals[due - signals.length];
    if (arrival) this.dataArrives(c.object(arrival.to), arrival.bytes, at);
  }

  private dataArrives(object: number, amount: number, at: number): void {
    const c = this.cpu;
    const t = this.anyThread();
    if (!t) return;
    this.beginOutside(t, at, KIND.step);
    c.value = amount;
    fill(c, object, amount);
    c.happen(t, OUTSIDE.data, KIND.step, -1);
  }

  /** Whom the signal of a plan is for: a thread, or a process; both null when there is none of that name now. */
  private targetOf(due: number): { p: Process | null; t: Thread | null } {
    const c = this.cpu;
    const plan = c.scenario.signals[due];
    if (plan?.thread !== undefined) {
      const threads = c.m.live.map((id) => c.thread(id));
      const t = lastNamed(threads, plan.thread) ?? null;
      return { p: t && c.process(t), t };
    }
    const alive = c.processes().filter((known) => known.alive);
    return { p: lastNamed(alive, plan?.process ?? "main") ?? null, t: null };
  }

  /** The row of a process's end, on its oldest thread; none of them is gone yet. */
  private processEnded(id: number, at: number): void {
    const c = this.cpu;
    const p = c.m.processes[id];
    const t = c.m.threads[p?.threads[0] ?? -1];
    if (!p || !t) throw new Error(`process ${id} has ended, but is not known any more`);
    this.beginOutside(t, at, KIND["process.exit"]);
    c.signal = p.end.signal;
    c.value = p.end.status;
    c.extra = p.end.why;
    c.happen(t, OUTSIDE.ended, KIND["process.exit"], -1);
    // What its parent gets is a row of its own, and a turn makes one.
    c.m.changes.push({ process: id, what: "ended" });
  }

  private childEnded(child: Process, parent: Process, at: number): void {
    const c = this.cpu;
    portClosed(c, parent, child);
    // A library OS has its own children's records, and reads them from here.
    if (c.wiring.native && reapsItself(parent)) child.reaped = true;
    this.wakeParent(parent, at);
    this.generateOutside(OUTSIDE.childExit, at, parent, null, exitInfo(child));
  }

  /** __wake_up_parent: whoever is in wait4 looks again. */
  private wakeParent(parent: Process, at: number): void {
    const c = this.cpu;
    for (const t of c.threadsOf(parent)) {
      if (t.state !== "blocked" || t.wait?.child !== -1) continue;
      c.now = Math.max(at, c.m.now);
      wake(c, t, READY);
    }
  }

  /** A child has ended, has stopped, or goes on. */
  private childChanged({ process, what }: Machine["changes"][number], at: number): void {
    const c = this.cpu;
    const child = c.m.processes[process];
    const parent = c.m.processes[child?.parent ?? -1];
    if (!child || !parent?.alive) return;
    if (what === "ended") return this.childEnded(child, parent, at);
    this.wakeParent(parent, at);
    if (hearsOfStops(parent)) this.generateOutside(OUTSIDE.childExit, at, parent, null, changeInfo(child, what));
  }

  private generateOutside(place: number, at: number, p: Process | null, thread: Thread | null, info: SigInfo): void {
    const c = this.cpu;
    const row = thread ?? c.m.threads[p?.threads[0] ?? -1] ?? this.anyThread();
    if (!row) return;
    this.beginOutside(row, at, KIND["host.signal.generate"]);
    generate(c, p, thread, info);
    c.happen(row, place, c.kind, -1);
  }

  /** A row that is no step of its thread: the thread's own clock stays. */
  private beginOutside(t: Thread, at: number, kind: number): void {
    const c = this.cpu;
    c.begin(t, kind);
    c.now = Math.max(at, c.m.now);
  }

  private anyThread(): Thread | null {
    const id = this.cpu.m.live[0];
    return id === undefined ? null : this.cpu.thread(id);
  }
}

/** Next expiry of any of a process's timers. */
function nextTimer(p: Process | null | undefined): number {
  if (!p) return NEVER;
  let at = p.timer;
  for (const timer of p.timers) at = Math.min(at, timer.next);
  return at;
}

const timeOf = (t: Thread): number => (t.state === "run" ? t.time : (t.wait?.deadline ?? NEVER));
