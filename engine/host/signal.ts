/**
 * The host kernel's part in a signal's life: generate, pend, deliver, sigreturn (reference, 1.2). Plain functions: to the
 * emulated code each of these is atomic.
 */

import { enterSleep } from "../app/pins.ts";
import { costOf } from "../costs.ts";
import { type Cpu, cut, running, skipFault, topFrame } from "../cpu.ts";
import { E } from "../errno.ts";
import { NEVER } from "../scenario/schema.ts";
import type { SigInfo } from "../siginfo.ts";
import { addSignal, copySet, hasSignal, isSynchronous, linuxDefault, SIG, SIGNAL_COUNT, union } from "../signals.ts";
import {
  type HostSignal,
  INTERRUPTED,
  type Process,
  type ProcessEnd,
  READY,
  SA_NODEFER,
  SA_RESETHAND,
  SA_RESTART,
  type Thread,
  TIMED_OUT,
  type Wait,
  type WakeCause,
} from "../state.ts";
import { KIND, WHY } from "../transition.ts";
import { OUTSIDE } from "./outside.ts";

/** Real-time signals queue, standard ones coalesce. */
const isRealTime = (signal: number): boolean => signal >= 32;

/** The signal would be thrown away on arrival. Blocked signals never are: the disposition may change before they are unblocked. */
function ignored(p: Process, signal: number): boolean {
  const action = p.hostActions[signal];
  return action ? action.flow < 0 : linuxDefault(signal) === "ignore";
}

/** Rule 4: the leader if it does not block the signal, else any thread that does not; null when all block it. */
function receiver(c: Cpu, p: Process, signal: number): Thread | null {
  return c.threadsOf(p).find((t) => !t.dying && !hasSignal(t.hostMask, signal)) ?? null;
}

/**
 * Make a signal pending for a thread, or for a process when `thread` is null; both null: the target is gone. Fills in the transition's arguments
 * (the step that calls this is of kind host.signal.generate; a dropped signal turns it into host.signal.discard).
 */
export function generate(c: Cpu, p: Process | null, thread: Thread | null, info: SigInfo, id = c.newSignalId()): void {
  const signal = info.signo;
  c.signal = signal;
  c.extra = id;
  if (!p?.alive || thread?.dying) return discard(c, 2);
  const target = thread ?? receiver(c, p, signal);
  c.value = target?.id ?? -1;
  if (signal === SIG.CONT && p.stopped) continueProcess(c, p);
  const blocked = target === null || hasSignal(target.hostMask, signal);
  if (!blocked && ignored(p, signal)) return discard(c, 0);
  const queue = thread ? thread.hostPending : p.hostPending;
  if (!isRealTime(signal) && queue.some((pending) => pending.signal === signal)) return discard(c, 1);
  queue.push({ signal, id, info });
  if (!target) return;
  target.check = true;
  c.dirty = true;
  if (!blocked) interruptCompute(c, target);
  if (!blocked && target.state === "blocked" && target.wait?.interruptible && (!p.stopped || signal === SIG.KILL))
    wake(c, target, INTERRUPTED);
}

/** A long stretch of own instructions ends where the signal arrives; the rest follows after the handler. */
function interruptCompute(c: Cpu, t: Thread): void {
  // Who computes for ever has for ever left.
  const left = Math.min(t.app.computing - c.now, NEVER);
  const frame = topFrame(t);
  if (t.state !== "run" || left <= 0 || t.time !== t.app.computing || frame === undefined) return;
  frame.pc -= 1;
  frame.v.left = left;
  t.time = c.now;
  t.app.computing = 0;
}

function discard(c: Cpu, why: number): void {
  c.kind = KIND["host.signal.discard"];
  c.value = why;
}

/**
 * An instruction of this thread faults. Rule 5: a blocked or ignored synchronous signal kills the process. Returns false then.
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
  t.hostPending.push({ signal, id, info });
  t.check = true;
  return true;
}

/** Rule 3: synchronous first, then the lowest number; the thread's own before the process's. Null when nothing may be delivered. */
export function deliverable(c: Cpu, t: Thread): HostSignal | null {
  const p = c.process(t);
  let best: HostSignal | null = null;
  for (const queue of [t.hostPending, p.hostPending]) {
    for (const pending of queue) {
      if (hasSignal(t.hostMask, pending.signal)) continue;
      if (best === null || rank(pending.signal) < rank(best.signal)) best = pending;
    }
  }
  return best;
}

const rank = (signal: number): number => (isSynchronous(signal) ? signal - SIGNAL_COUNT : signal);

/** Look for something deliverable before the thread's next step (after a mask change). */
export function recheck(c: Cpu, t: Thread): void {
  t.check = t.hostPending.length > 0 || c.process(t).hostPending.length > 0;
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

const DELIVER_NS = costOf("host.signal.deliver");

/** Take `pending` and do what its disposition says. One transition. */
export function deliver(c: Cpu, t: Thread, pending: HostSignal): void {
  const p = c.process(t);
  remove(t.hostPending, pending);
  remove(p.hostPending, pending);
  recheck(c, t);
  c.begin(t, KIND["host.signal.deliver"]);
  c.signal = pending.signal;
  c.extra = pending.id;
  const action = p.hostActions[pending.signal];
  if (action === undefined) return defaultAction(c, t, p, pending);
  if (action.flow < 0) {
    discard(c, 0);
    restoreMask(t);
    return c.happen(t, OUTSIDE.dropped, c.kind, 0);
  }
  restartOrInterrupt(t, (action.flags & SA_RESTART) !== 0);
  const mask = t.savedMask ?? t.hostMask;
  t.savedMask = null;
  const stack = running(t);
  stack.push({
    flow: c.wiring.restorer,
    pc: 0,
    v: {
      signal: pending.signal,
      id: pending.id,
      mask: copySet(mask),
      rax: t.rax,
      vectors: t.app.vectors,
      skip: false,
      redirect: 0,
      rdi: t.sgx.rdi,
      rsi: t.sgx.rsi,
      rdx: t.sgx.rdx,
      carried: t.sgx.id,
    },
  });
  stack.push({ flow: action.flow, pc: 0, v: { signal: pending.signal, id: pending.id, event: 0, info: pending.info } });
  t.signalFrames += 1;
  t.hostMask = union(copySet(t.hostMask), action.mask);
  if ((action.flags & SA_NODEFER) === 0) addSignal(t.hostMask, pending.signal);
  if ((action.flags & SA_RESETHAND) !== 0) delete p.hostActions[pending.signal];
  recheck(c, t);
  retarget(c, p);
  c.value = t.signalFrames;
  c.happen(t, OUTSIDE.frame, KIND["host.signal.deliver"], DELIVER_NS);
}

/** A call that ended with the kernel's restart code: back to the call instruction with SA_RESTART, else EINTR (signal(7)). */
export function restartOrInterrupt(t: Thread, restart: boolean): void {
  if (t.rax !== E.RESTARTSYS) return;
  t.rax = E.INTR;
  const frame = t.host[t.host.length - 1];
  if (restart && frame) frame.pc -= 1;
}

function restoreMask(t: Thread): void {
  if (t.savedMask) t.hostMask = t.savedMask;
  t.savedMask = null;
}

function defaultAction(c: Cpu, t: Thread, p: Process, pending: HostSignal): void {
  const action = linuxDefault(pending.signal);
  restoreMask(t);
  if (action === "ignore") {
    discard(c, 0);
    return c.happen(t, OUTSIDE.dropped, c.kind, 0);
  }
  c.value = action === "terminate" ? 1 : action === "stop" ? 2 : 3;
  if (action === "terminate") endProcess(c, p, { status: -pending.signal, why: WHY.HOST, signal: pending.signal });
  if (action === "stop") p.stopped = true;
  if (action !== "terminate") restartOrInterrupt(t, true);
  c.dirty = true;
  c.happen(t, OUTSIDE.byDefault, KIND["host.signal.default"], 0);
}

/** rt_sigreturn: pop the frame the running restorer belongs to and put its registers back. */
export function sigreturn(c: Cpu, t: Thread): void {
  const stack = running(t);
  const frame = stack[stack.length - 1];
  if (!frame) return;
  const v = frame.v as {
    signal: number;
    id: number;
    mask: [number, number];
    rax: number;
    vectors: number;
    skip: boolean;
    redirect: number;
    rdi: number;
    rsi: number;
    rdx: string;
    carried: number;
  };
  c.signal = v.signal;
  c.extra = v.id;
  cut(c, t, t.stack, stack.length - 1);
  t.hostMask = copySet(v.mask);
  t.rax = v.rax;
  t.app.vectors = v.vectors;
  t.sgx.rdi = v.rdi;
  t.sgx.rsi = v.rsi;
  t.sgx.rdx = v.rdx;
  t.sgx.id = v.carried;
  if (v.redirect > 0) {
    // The handler wrote another RIP into the frame; RSP is kept, so what was interrupted stays below as dead frames.
    stack.push({ flow: v.redirect, pc: 0, v: {} });
    c.value = 1;
  }
  if (v.skip) skipFault(c, stack[stack.length - 1]);
  recheck(c, t);
}

/** End of a wait, now. */
export function wake(c: Cpu, t: Thread, cause: WakeCause): void {
  if (t.state !== "blocked") return;
  t.state = "run";
  t.cause = cause;
  t.time = Math.max(t.time, c.now);
  c.dirty = true;
}

/** Wake the threads that wait for an object; each looks for itself whether there is enough for it. */
export function wakeWaiters(c: Cpu, object: number, most = Number.MAX_SAFE_INTEGER): number {
  let woken = 0;
  for (const id of c.m.live) {
    const t = c.thread(id);
    const asleep = t.state === "blocked" && t.wait?.objects.includes(object);
    if (woken >= most || !(asleep || t.queued === object)) continue;
    t.queued = -1;
    wake(c, t, READY);
    woken += 1;
  }
  return woken;
}

/** Put the running thread to sleep, unless a signal is there that would end the wait at once. Returns false then. */
export function block(c: Cpu, wait: Wait): boolean {
  const t = c.t;
  t.wait = wait;
  const pending = t.check ? deliverable(c, t) : null;
  c.value = wait.interruptible ? 1 : 0;
  c.extra = wait.objects[0] ?? -1;
  if (t.dying || (wait.interruptible && pending && wakes(c, t, pending))) {
    t.cause = INTERRUPTED;
    return false;
  }
  t.state = "blocked";
  c.dirty = true;
  enterSleep(c);
  return true;
}

/** Signals that end as nothing (ignored since they were generated) do not end a wait. */
function wakes(c: Cpu, t: Thread, pending: HostSignal): boolean {
  return !ignored(c.process(t), pending.signal);
}

export const timeOut = (c: Cpu, t: Thread): void => {
  t.time = Math.max(t.time, t.wait?.deadline ?? 0);
  t.state = "run";
  t.cause = TIMED_OUT;
  c.dirty = true;
};

/** The host ends a process: that is a row, then every thread but the `caller` makes one last transition. The parent gets SIGCHLD. */
export function endProcess(c: Cpu, p: Process, end: ProcessEnd, caller: Thread | null = null): void {
  if (!p.alive) return;
  p.alive = false;
  p.end = end;
  p.stopped = false;
  p.timer = NEVER;
  for (const t of c.threadsOf(p)) {
    if (t === caller) continue;
    t.dying = true;
    if (t.state === "blocked") wake(c, t, INTERRUPTED);
  }
  c.dirty = true;
  c.m.due.push(-1 - p.id);
}

function continueProcess(c: Cpu, p: Process): void {
  p.stopped = false;
  c.dirty = true;
}

function remove(queue: HostSignal[], pending: HostSignal): void {
  const at = queue.indexOf(pending);
  if (at >= 0) queue.splice(at, 1);
}
