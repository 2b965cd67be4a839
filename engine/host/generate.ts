/**
 * Making a signal pending (kernel/signal.c: prepare_signal, complete_signal, sig_ignored, retarget_shared_pending). Plain functions: to
 * the emulated code each of these is atomic.
 */

import { nextStep, retry } from "../control.ts";
import { type Cpu, topFrame } from "../cpu.ts";
import { SI, type SigInfo } from "../siginfo.ts";
import { hasSignal, linuxDefault, SIG } from "../signals.ts";
import { type HostSignal, INTERRUPTED, type Process, type Thread } from "../state.ts";
import { NEVER } from "../time.ts";
import { KIND, WHY } from "../transition.ts";
import { hasSignalToTake, ignored } from "./pending.ts";
import { endProcess, resumeProcess } from "./process-state.ts";
import { wake, wakeWaiters } from "./sleep.ts";

/** `value` of host.signal.discard. */
const IGNORED = 0;
const CLEARED = 4;

/** Real-time signals queue, standard ones coalesce. */
const isRealTime = (signal: number): boolean => signal >= 32;

export const isStop = (signal: number): boolean => signal >= SIG.STOP && signal <= SIG.TTOU;

/** Blocked, or waited for by sigtimedwait, which only lifts the mask for its sleep. */
const keptFor = (t: Thread, signal: number): boolean =>
  hasSignal(t.hostMask, signal) || (t.realBlocked !== null && hasSignal(t.realBlocked, signal));

/** It sleeps, or has been woken and was not yet given a processor. */
function offProcessor(c: Cpu, t: Thread): boolean {
  if (t.state === "blocked") return true;
  return nextStep(c.program, topFrame(t))?.kind === KIND["thread.wake"];
}

/** wants_signal: not blocked, and either on a processor or without a signal to look after already. */
const wants = (c: Cpu, t: Thread, signal: number): boolean =>
  !t.dying && !hasSignal(t.hostMask, signal) && (signal === SIG.KILL || !hasSignalToTake(c, t) || !offProcessor(c, t));

/** Which thread took a signal on the kernel of a log, and when: it was not delivered before. */
export interface Taken {
  readonly taker: Thread;
  readonly at: number;
}

/** What a log's kernel did with a signal for a process. */
export function takenBy(c: Cpu, p: Process, takers: Readonly<Record<string, number>>): Taken | undefined {
  const taker = c.threadsOf(p).find((t) => Object.hasOwn(takers, t.name));
  return taker && { taker, at: takers[taker.name] ?? 0 };
}

/** complete_signal: the main thread if it wants the signal, else the next that does, from where the last search ended. */
function receiver(c: Cpu, p: Process, signal: number, taker?: Thread): Thread | null {
  if (taker && !taker.dying && !hasSignal(taker.hostMask, signal)) return taker;
  const threads = c.threadsOf(p);
  const leader = threads.find((t) => t.tid === p.pid);
  if (leader && wants(c, leader, signal)) return leader;
  const start = Math.max(
    0,
    threads.findIndex((t) => t.id === p.currTarget),
  );
  for (let i = 0; i < threads.length; i += 1) {
    const t = threads[(start + i) % threads.length] as Thread;
    if (!wants(c, t, signal)) continue;
    p.currTarget = t.id;
    return t;
  }
  return null;
}

/** A standard signal is pending once. A timer has one signal to send: expiring again it only counts (posix_timer_event). */
const coalesces = (pending: HostSignal, { signo, code, value }: SigInfo): boolean =>
  pending.signal === signo && (!isRealTime(signo) || (code === SI.TIMER && pending.info.code === SI.TIMER && pending.info.value === value));

/** A stop signal and SIGCONT clear each other, whether or not they are blocked or ignored. SIGCONT and SIGKILL end a stop. */
function prepare(c: Cpu, p: Process, signal: number): void {
  if (isStop(signal)) discardPending(c, p, (pending) => pending === SIG.CONT, CLEARED);
  if (signal === SIG.CONT) discardPending(c, p, isStop, CLEARED);
  if (p.stopped && (signal === SIG.CONT || signal === SIG.KILL)) resumeProcess(c, p, signal === SIG.CONT);
}

function discardPending(c: Cpu, p: Process, which: (signal: number) => boolean, why: number): void {
  const threads = c.threadsOf(p);
  for (const owner of [p, ...threads]) {
    const queue = owner.hostPending;
    for (let i = queue.length - 1; i >= 0; i -= 1) {
      const pending = queue[i] as HostSignal;
      if (!which(pending.signal)) continue;
      queue.splice(i, 1);
      c.stray(owner === p ? threads[0] : (owner as Thread), pending, KIND["host.signal.discard"], why);
    }
  }
}

/** A disposition that ignores the signal throws away what is pending of it, in every queue of the process (do_sigaction). */
export function flushIgnored(c: Cpu, p: Process, signal: number): void {
  if (ignored(p, signal)) discardPending(c, p, (pending) => pending === signal, IGNORED);
}

/**
 * Make a signal pending for a thread, or for a process when `thread` is null; both null: the target is gone. Fills in the transition's arguments
 * (the step that calls this is of kind host.signal.generate; a dropped signal turns it into host.signal.discard). `took`: what the
 * kernel of a log did with it; else this one chooses.
 */
export function generate(c: Cpu, p: Process | null, thread: Thread | null, info: SigInfo, id = c.newSignalId(), took?: Taken): void {
  const signal = info.signo;
  c.signal = signal;
  c.extra = id;
  if (!p?.alive || thread?.dying) return discard(c, 2);
  prepare(c, p, signal);
  const target = thread ?? receiver(c, p, signal, took?.taker);
  c.value = target?.id ?? -1;
  const asked = thread ?? c.threadsOf(p)[0];
  if (ignored(p, signal) && !(asked && keptFor(asked, signal))) return discard(c, 0);
  const queue = thread ? thread.hostPending : p.hostPending;
  if (queue.some((pending) => coalesces(pending, info))) return discard(c, 1);
  queue.push({ signal, id, info, at: took?.at ?? 0 });
  tellSignalfds(c, signal);
  if (target) signalWakeUp(c, p, target, signal);
}

function signalWakeUp(c: Cpu, p: Process, t: Thread, signal: number): void {
  t.check = true;
  c.dirty = true;
  if (hasSignal(t.hostMask, signal)) return;
  interruptCompute(c, t);
  if (t.state === "blocked" && (t.wait?.interruptible || isFatal(p, signal)) && (!p.stopped || signal === SIG.KILL))
    wake(c, t, INTERRUPTED);
}

/** It ends the process, whatever its threads wait for: such a sleep is killable (complete_signal, sig_fatal). */
const isFatal = (p: Process, signal: number): boolean => p.hostActions[signal] === undefined && linuxDefault(signal) === "terminate";

/** signalfd_notify: whoever sleeps on a signalfd looks for itself. */
function tellSignalfds(c: Cpu, signal: number): void {
  for (const object of c.m.signalfds) {
    const fd = c.m.objects[object]?.fd;
    if (fd?.what === "signalfd" && hasSignal(fd.mask, signal)) wakeWaiters(c, object);
  }
}

/** A long stretch of own instructions ends where the signal arrives; the rest follows after the handler. */
function interruptCompute(c: Cpu, t: Thread): void {
  // Who computes for ever has for ever left.
  const left = Math.min(t.app.computing - c.now, NEVER);
  const frame = topFrame(t);
  if (t.state !== "run" || left <= 0 || t.time !== t.app.computing || frame === undefined) return;
  retry(frame);
  frame.v.left = left;
  t.time = c.now;
  t.app.computing = 0;
}

export function discard(c: Cpu, why: number): void {
  c.kind = KIND["host.signal.discard"];
  c.value = why;
}

/**
 * An instruction of this thread faults (force_sig_info). Rule 5: a blocked or ignored synchronous signal kills the process, as does one
 * without a handler. Returns false then.
 */
export function generateFault(c: Cpu, t: Thread, info: SigInfo): boolean {
  const signal = info.signo;
  const p = c.process(t);
  const id = c.newSignalId();
  c.signal = signal;
  c.value = t.id;
  c.extra = id;
  if (hasSignal(t.hostMask, signal) || p.hostActions[signal] === undefined || ignored(p, signal)) {
    c.kind = KIND["host.signal.default"];
    c.value = 1;
    endProcess(c, p, { status: -signal, why: WHY.HOST, signal });
    return false;
  }
  t.hostPending.push({ signal, id, info, at: 0 });
  t.check = true;
  return true;
}

/**
 * A thread blocks more signals now, or is gone: what was pending for the process and on its way to that thread goes to another one
 * that does not block it (retarget_shared_pending in kernel/signal.c).
 */
export function retarget(c: Cpu, p: Process): void {
  for (const { signal } of p.hostPending) {
    const able = c.threadsOf(p).filter((t) => !t.dying && !hasSignal(t.hostMask, signal));
    const next = able[0];
    if (next === undefined || able.some((t) => t.check && t.state === "run")) continue;
    next.check = true;
    c.dirty = true;
    if (next.wait?.interruptible && !p.stopped && !ignored(p, signal)) wake(c, next, INTERRUPTED);
  }
}
