/** The kernel's system calls about signals (kernel/signal.c), as native-linux has them. */

import type { Cpu } from "../cpu.ts";
import { E } from "../errno.ts";
import type { Flow } from "../flow.ts";
import { SI, withValue } from "../siginfo.ts";
import { changedMask, highOf, lowOf, SIG, type SignalSet, setOf, setText, subtract } from "../signals.ts";
import type { HostAction, Thread } from "../state.ts";
import { NO_ACTION, type SigactionArgs, type SigaltstackArgs, type SigprocmaskArgs, type SigtimedwaitArgs } from "../syscalls.ts";
import { KIND, type KindId } from "../transition.ts";
import { type CallLocals, quick } from "./calls.ts";
import type { Queueing } from "./flows.ts";
import { flushIgnored, generate, retarget, takenBy } from "./generate.ts";
import { OUT, tell, tellAltStack, tellMask } from "./outputs.ts";
import { blockedAndPending, dequeue, recheck } from "./pending.ts";
import { blockable, onAltStack } from "./signal.ts";
import { waiting } from "./waiting.ts";

/** An action as the application knows it: 0 SIG_DFL, 1 SIG_IGN, then the handlers of the scenario from 2 on. */
export function actionNumber(c: Cpu, action: HostAction | undefined): number {
  if (!action) return 0;
  if (action.flow < 0) return action.flow === -1 ? 1 : 0;
  return 2 + c.wiring.handlers.indexOf(action.flow);
}

/** The row sets a disposition: which, with its flags, its handler and mask. */
export function tellAction(c: Cpu, kind: KindId<"host.sigaction" | "libos.sigaction">, signal: number, action: HostAction): void {
  c.signal = signal;
  const { flow, flags, mask } = action;
  const ofPal = flow >= 0 && !c.wiring.handlers.includes(flow);
  c.row(kind, ofPal ? -1 : actionNumber(c, action), flags);
  const name = flow === -1 ? "SIG_IGN" : flow < 0 ? "SIG_DFL" : (c.program.flows[flow]?.name ?? "");
  c.detail = c.text(`${name}, mask ${setText(mask)}`);
}

/** Process-wide; setting a disposition to ignore throws away what is pending. */
function sigaction(c: Cpu, v: SigactionArgs): number {
  const { signal, handler } = v;
  const p = c.process(c.t);
  const asks = handler === NO_ACTION;
  if (!asks && (signal === SIG.KILL || signal === SIG.STOP)) return refused(c);
  if (v.old) tell(v, OUT.oldHandler, actionNumber(c, p.hostActions[signal]));
  if (asks) return nothingSet(c, 0);
  const action = { flow: handler, flags: v.flags, mask: v.mask };
  if (handler === -2) delete p.hostActions[signal];
  else p.hostActions[signal] = action;
  tellAction(c, KIND["host.sigaction"], signal, action);
  flushIgnored(c, p, signal);
  return 0;
}

/** The row of host.sigprocmask tells of it. */
export function setMask(c: Cpu, t: Thread, mask: SignalSet): void {
  c.row(KIND["host.sigprocmask"], lowOf(mask), highOf(mask));
  c.tellMask(t.hostMask, mask);
  t.hostMask = mask;
}

/** The row is one of any call. */
function nothingSet(c: Cpu, result: number): number {
  c.kind = KIND["host.syscall.enter"];
  return result;
}

const refused = (c: Cpu): number => nothingSet(c, E.INVAL);

/** Bytes of the kernel's set of signals. */
const SIGSET = 8;

/** The mask is changed before the old one is written: when that fails, it stays changed. */
function sigprocmask(c: Cpu, v: SigprocmaskArgs): number {
  const t = c.t;
  if (v.size !== SIGSET) return refused(c);
  if (v.old && !v.readOnly) tellMask(v, OUT.oldMask, t.hostMask);
  setMask(c, t, blockable(changedMask(t.hostMask, v.how, v.mask)));
  recheck(c, t);
  retarget(c, c.process(t));
  return v.readOnly ? E.FAULT : 0;
}

function sigpending(c: Cpu, v: CallLocals): number {
  tellMask(v, OUT.pending, setOf(blockedAndPending(c, c.t)));
  return 0;
}

const MINSIGSTKSZ = 2048;

/** A size counts only with an alternate stack; none may be changed that the thread runs on (do_sigaltstack). The old one is told at the end. */
function sigaltstack(c: Cpu, v: SigaltstackArgs): number {
  const { app } = c.t;
  const on = onAltStack(c, c.t);
  const before = app.altStack;
  if (!v.nostack) {
    if (on) return E.PERM;
    if (!v.disable && v.bytes < MINSIGSTKSZ) return E.NOMEM;
    app.altStack = v.disable ? 0 : v.bytes;
  }
  if (v.old) tellAltStack(v, before, { on });
  return 0;
}

/** Take a signal of the set that is pending, in place of its handler. */
function take(c: Cpu, v: SigtimedwaitArgs): number | null {
  const taken = dequeue(c, c.t, v.mask);
  if (!taken) return null;
  c.stray(c.t, taken, KIND["signal.take"]);
  c.signal = taken.signal;
  if (v.info) tell(v, OUT.signal, taken.signal);
  return v.zero ? 0 : taken.signal;
}

/** For the sleep the signals of the set are let through, so that they end it; who reads `realBlocked` knows better. */
function letThrough(c: Cpu, v: SigtimedwaitArgs): void {
  const t = c.t;
  t.realBlocked = t.hostMask;
  t.hostMask = subtract(t.hostMask, v.mask);
  c.tellMask(t.realBlocked, t.hostMask);
  recheck(c, t);
}

function blockAgain(c: Cpu): void {
  const t = c.t;
  if (t.realBlocked) {
    c.tellMask(t.hostMask, t.realBlocked);
    t.hostMask = t.realBlocked;
  }
  t.realBlocked = null;
  recheck(c, t);
}

/** sigqueue(3) to a process, or to a thread: SI_QUEUE with a value. */
function sigqueue(c: Cpu, { process, thread, signal, value, takers }: Queueing): number {
  const t = thread < 0 ? null : (c.m.threads[thread] ?? null);
  const p = t ? c.process(t) : (c.m.processes[process] ?? null);
  if (!p || (thread >= 0 && !t)) return E.SRCH;
  if (signal > 0) generate(c, p, t, withValue(signal, SI.QUEUE, c.process(c.t).pid, value), c.newSignalId(), takenBy(c, p, takers));
  return 0;
}

export const signalCalls: readonly Flow[] = [
  quick("sigaction", sigaction, ["host.sigaction", "host.syscall.enter"]),
  quick("sigprocmask", sigprocmask, ["host.sigprocmask", "host.syscall.enter"]),
  quick("sigpending", sigpending),
  quick("sigaltstack", sigaltstack),
  quick("rt_sigqueueinfo", sigqueue, "host.signal.generate"),
  waiting({ name: "rt_sigtimedwait", attempt: take, enter: letThrough, leaving: blockAgain, timedOut: E.AGAIN }),
];
