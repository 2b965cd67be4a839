/** Stepping: let the earliest of threads, plans and timers go on, until a limit, the end or a deadlock. */

import { applies, enterSleep, planWhen, reachSite } from "./app/pins.ts";
import { schedule } from "./app/plans.ts";
import { type Ending, type Known, type Sink, type Source, STATE_COLUMNS, type StateColumn } from "./block.ts";
import type { Chooser } from "./choice.ts";
import type { Recorded, Scheduler } from "./choosers.ts";
import { Cpu, inEnclave, inUserMode } from "./cpu.ts";
import { E } from "./errno.ts";
import { BrokenLaw } from "./errors.ts";
import type { FixName } from "./fixes.ts";
import type { Program } from "./flow.ts";
import { OUTSIDE } from "./host/outside.ts";
import { deliverable } from "./host/pending.ts";
import { deliver, nothingDelivered } from "./host/signal.ts";
import { timeOut } from "./host/sleep.ts";
import { checkInvariants } from "./invariant.ts";
import type { OptionName } from "./options.ts";
import { childChanged, fire, nextOfPlan, nextOutside, nextTimer, strayed, targetOf, timerExpired } from "./outside-world.ts";
import { Ready, timeOf } from "./ready.ts";
import type { Scenario } from "./scenario/schema.ts";
import { copyState } from "./search/copy.ts";
import { machineLayout } from "./search/machine-layout.ts";
import { aex, NSSA } from "./sgx/leaf.ts";
import { isSynchronous } from "./signals.ts";
import { STACKS, type StackName } from "./stack/index.ts";
import { copyOf, type HostSignal, keyOf, type Machine, type Thread } from "./state.ts";
import { endThread } from "./threads.ts";
import { NEVER } from "./time.ts";
import { type Decision, KIND } from "./transition.ts";

/** Turns of the loop without a row until `run` lets its caller look around: some milliseconds. */
const IDLE_TURNS = 16_384;
/** Rows made between two looks at the laws; a look takes the longer the more threads there are, and there were. */
const CHECK_ROWS = 65_536;
const CHECK_ROWS_A_THREAD = 64;

export interface RunOptions {
  readonly stack: StackName;
  readonly scenario: Scenario;
  readonly fixes?: readonly FixName[];
  /** Options of the stack's manifest, beside those of the scenario. */
  readonly options?: readonly OptionName[];
  readonly scheduler?: Scheduler;
  /** Who answers choice points, instead of the scheduler. */
  readonly chooser?: Chooser;
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
  ) {
    this.threadsSeen = cpu.m.threads.length;
  }

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
    return this.cpu.decisions;
  }

  /** Decisions to follow that no choice point met so far: they changed nothing. */
  get unanswered(): readonly Decision[] {
    const { chooser } = this.cpu;
    return isRecorded(chooser) ? chooser.unanswered() : [];
  }

  get absent(): readonly StateColumn[] {
    const { columns } = STACKS[this.options.stack];
    return STATE_COLUMNS.filter((name) => name !== "depth" && columns[name] === null);
  }

  get ending(): Ending | null {
    return this.cpu.m.ended;
  }

  get machine(): Machine {
    return this.cpu.m;
  }

  /** The machine as JSON text, and how much of the run's lists it knows: `boot` goes on from it. */
  keyframe(): string {
    const { m, threads, texts, decisions } = this.cpu;
    const lists: Known = { threads: threads.length, texts: texts.length, decisions: decisions.length };
    return JSON.stringify({ ...copyOf(m), lists });
  }

  /** The same run at the same place, sharing nothing. */
  clone(): Run {
    const { cpu } = this;
    const copy = new Cpu(
      copyState(machineLayout(cpu.wiring.stack.layout), cpu.m),
      cpu.program,
      cpu.scenario,
      cpu.chooser.fork(),
      cpu.wiring,
    );
    copy.pins = cpu.pins;
    copy.know(cpu);
    return new Run(this.options, copy);
  }

  /** `changed`: the state may have been, since the last call; who knows that it was not spares a look at all threads. */
  run(rows: number, sink: Sink, changed = true): boolean {
    const c = this.cpu;
    const { m } = c;
    const until = m.seq + rows;
    const idleUntil = m.idle + IDLE_TURNS;
    if (changed) c.dirty = true;
    while (m.seq < until && m.ended === null && m.idle < idleUntil) {
      const before = m.seq;
      this.advance(until);
      if (m.seq === before && m.ended === null) m.idle += 1;
      if (c.room === 0) this.flush(sink);
    }
    if (m.ended !== null) this.checkLaws();
    return m.ended === null;
  }

  /** Plans of the scenario that were still to come when nobody was left whom they could have reached; 0 while the run goes on. */
  get plansLeft(): number {
    const { m } = this.cpu;
    return m.ended === "finished" ? m.plans.filter((plan) => plan.next < NEVER).length : 0;
  }

  /**
   * Plans for a call or a handler that the run, which is over, never came to: signals, then arrivals, by their numbers. Not those for a
   * `site`, which have other names on other stacks.
   */
  get plansMissed(): readonly number[] {
    const c = this.cpu;
    if (c.m.ended !== "finished") return [];
    const isMissed = (plan: number): boolean => {
      const when = planWhen(c, plan);
      return when?.thread !== undefined && when.site === undefined && applies(c, plan, this.options.stack);
    };
    return c.m.plans.flatMap(({ fired }, plan) => (fired === 0 && isMissed(plan) ? [plan] : []));
  }

  flush(sink: Sink): void {
    const { block, m } = this.cpu;
    if (block === null) return;
    if (this.cpu.room === 0 && m.seq - this.checkedAt >= CHECK_ROWS + CHECK_ROWS_A_THREAD * m.live.length + m.threads.length)
      this.checkLaws();
    if (block.n > 0) sink.put(block);
    block.n = 0;
    block.seq0 = m.seq;
  }

  private checkedAt = 0;

  /** Threads that could go on, plans and timers that are to come, and nobody looks at them. */
  private overlooked(): string[] {
    const c = this.cpu;
    const outside =
      c.dirty || this.ready.outside === nextOutside(c) ? [] : ["what comes next from outside has changed, and nobody has said so"];
    const awake = new Set(c.awake);
    const lost = c.m.live.filter((id) => !awake.has(id) && c.m.threads[id] && timeOf(c.thread(id)) < NEVER);
    return [...outside, ...lost.map((id) => `thread ${c.thread(id).name} may go on, and is not among those that are looked at`)];
  }

  /** The laws are looked at in every run, now and then and at its end: rarely enough not to be felt. Throws BrokenLaw. */
  private checkLaws(): void {
    const { m, chooser, scenario } = this.cpu;
    this.checkedAt = m.seq;
    const laws = [...checkInvariants(this.cpu), ...this.overlooked()];
    if (laws.length === 0) return;
    const { stack, fixes = [], options = [], seed = scenario.seed } = this.options;
    throw new BrokenLaw({
      stack,
      fixes,
      options,
      scheduler: chooser.name,
      seed,
      seq: m.seq,
      laws,
      decisions: [...this.decisions],
      scenario,
    });
  }

  /** Let the earliest of threads, plans and timers go on; threads take steps as long as nothing else is earlier. */
  private advance(until: number): void {
    const c = this.cpu;
    const m = c.m;
    if (c.dirty) {
      if (m.strays.length > 0 || m.changes.length > 0 || m.due.length > 0) return this.happened();
      this.ready.look(c);
      c.dirty = false;
    }
    const t = this.earliest();
    const outsideAt = this.ready.outside;
    if (t === null && (outsideAt >= NEVER || this.nobodyLeft())) return this.end(this.someoneRuns() ? "time-limit" : "finished");
    if (t?.internal && outsideAt >= NEVER && this.onlyIdling()) return this.end("finished");
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
    const horizon = !c.chooser.ordersThreads ? Math.min(this.ready.horizon, outsideAt, c.scenario.limit.time) : -1;
    const last = Math.min(until, c.scenario.limit.transitions - m.idle, m.seq + c.room);
    do this.stepThread(t);
    while (!c.dirty && t.time < horizon && m.seq < last);
    if (t.state === "run") this.ready.hasStepped(t);
    else c.dirty = true;
  }

  /** What was reached or has ended comes before anything else. */
  private happened(): void {
    const { cpu } = this;
    const { m } = cpu;
    cpu.dirty = true;
    const stray = m.strays.shift();
    if (stray !== undefined) return strayed(cpu, stray, m.now);
    const change = m.changes.shift();
    const due = change === undefined ? m.due.shift() : undefined;
    if (change !== undefined) childChanged(cpu, change, m.now);
    if (due !== undefined) fire(cpu, due, m.now);
  }

  private end(why: Ending): void {
    this.cpu.m.ended = why;
  }

  private readonly ready = new Ready();

  /** The thread whose next step is earliest; chance may pick another that could run. */
  private earliest(): Thread | null {
    const c = this.cpu;
    const best = this.ready.earliest();
    const { running } = this.ready;
    if (!c.chooser.ordersThreads || running < 2 || best?.state !== "run") return best;
    // The one that steps may be another than the earliest.
    c.dirty = true;
    const choice = c.choose("thread", running);
    if (choice === 0) return best;
    const others = c.awake.map((id) => c.thread(id)).filter((t) => t.state === "run" && t !== best && (!c.process(t).stopped || t.dying));
    return others[choice - 1] ?? best;
  }

  /** One transition of this thread: nearly always its next step. */
  private stepThread(t: Thread): void {
    const c = this.cpu;
    if (t.dying || t.check || c.scenario.interrupts > 0) return this.stepOrInterrupt(t);
    c.step(t);
    if (c.dirty || c.pins.sites !== null) this.afterStep(t);
  }

  /** Its end, an asynchronous exit, a delivery, or its next step. */
  private stepOrInterrupt(t: Thread): void {
    const c = this.cpu;
    c.now = Math.max(t.time, c.m.now);
    if (t.dying) return this.gone(t);
    const looks = t.check && inUserMode(c, t);
    const pending = looks ? deliverable(c, t) : null;
    if (pending !== null && pending.at > c.now) {
      // The log's kernel did not let the thread on for as long.
      t.time = pending.at;
      c.dirty = true;
      return;
    }
    const arrives = pending !== null && this.arrivesNow(t, pending);
    const interrupted = !arrives && this.isInterrupted(t);
    if (looks && pending === null) {
      // What it was woken for was ignored, or another thread has taken it: the call starts again, as if nothing had been.
      t.check = false;
      nothingDelivered(c, t);
    }
    if ((arrives || interrupted) && inEnclave(t)) aex(c, t, arrives ? pending : null);
    else if (arrives) deliver(c, t, pending);
    else c.step(t);
    this.afterStep(t);
  }

  /** What the thread's own instruction raised comes at that instruction; and the kernel's restart code in RAX is for the delivery. */
  private arrivesNow(t: Thread, { signal }: HostSignal): boolean {
    return t.rax <= E.RESTARTSYS || isSynchronous(signal) || this.cpu.choose("arrive", 2) === 0;
  }

  /** A timer interrupt or page fault ends enclave execution here. */
  private isInterrupted(t: Thread): boolean {
    const c = this.cpu;
    return c.scenario.interrupts > 0 && inEnclave(t) && t.sgx.cssa < NSSA && c.choose("interrupt", 2) === 1;
  }

  /** Plans of the scenario that wait for a place: this thread, or one that it has made, may have come to it. */
  private afterStep(t: Thread): void {
    const c = this.cpu;
    if (t.state === "blocked") enterSleep(c, t);
    if (c.pins.sites === null) return;
    for (; this.threadsSeen < c.m.threads.length; this.threadsSeen += 1) {
      const made = c.m.threads[this.threadsSeen];
      if (made) reachSite(c, made);
    }
    if (t.state !== "dead") reachSite(c, t);
  }

  private threadsSeen: number;

  private gone(t: Thread): void {
    const c = this.cpu;
    c.begin(t, KIND["thread.exit"]);
    c.signal = c.process(t).end.signal;
    c.value = 1;
    c.happen(t, OUTSIDE.gone, KIND["thread.exit"], 0);
    endThread(c, t);
  }

  /** A thread runs, but its next step is beyond all time: it computes for ever. */
  private someoneRuns(): boolean {
    const c = this.cpu;
    return c.m.live.some((id) => c.thread(id).state === "run" && !c.process(c.thread(id)).stopped);
  }

  /**
   * All wait for ever but LibOS helpers that turn with nothing to do (2.19: the async helper looks every millisecond and never ends): the
   * same states come round, and nobody is left who could change them.
   */
  private onlyIdling(): boolean {
    const c = this.cpu;
    return c.m.live.every((id) => {
      const t = c.thread(id);
      if (t.state !== "blocked") return false;
      return timeOf(t) >= NEVER || (t.internal && c.wiring.stack.idles(c.process(t), t));
    });
  }

  /** No thread goes on by itself, no timer runs, and no plan that is still to come reaches anybody. */
  private nobodyLeft(): boolean {
    const { m } = this.cpu;
    if (m.known.some((id) => nextTimer(m.processes[id]) < NEVER)) return false;
    return !this.cpu.pins.timed.some((plan) => nextOfPlan(m, plan) < NEVER && this.reaches(plan));
  }

  /** Whether a plan would meet whom it is for: the signal's target, or a thread that waits for the object. */
  private reaches(plan: number): boolean {
    const c = this.cpu;
    const { signals, arrivals } = c.scenario;
    if (plan < signals.length) return targetOf(c, plan).p !== null;
    const object = c.m.objectsByName[keyOf(arrivals[plan - signals.length]?.to ?? "")];
    return object !== undefined && c.m.live.some((id) => c.thread(id).wait?.objects.includes(object) ?? false);
  }

  /** Something comes from outside any thread: a plan's time, or a process's real timer. */
  private outside(at: number): void {
    const { m } = this.cpu;
    this.cpu.dirty = true;
    for (const id of m.known) {
      const p = m.processes[id];
      if (p && nextTimer(p) === at) return timerExpired(this.cpu, p, at);
    }
    const plan = this.cpu.pins.timed.find((one) => nextOfPlan(m, one) === at);
    if (plan === undefined) throw new Error(`seq ${m.seq}: what was to come at ${at} ns is gone, and who took it away did not say so`);
    schedule(this.cpu, plan, at);
    fire(this.cpu, plan, at);
  }
}

const isRecorded = (chooser: Chooser): chooser is Recorded => "unanswered" in chooser;
