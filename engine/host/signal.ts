/**
 * The host kernel delivers a signal and takes its frame back (reference, 1.2). Plain functions: to the emulated code each of these is
 * atomic. How a signal becomes pending is in `generate.ts`.
 */

import { newFrame, retry, skipFault } from "../control.ts";
import { costOf } from "../costs.ts";
import { type Cpu, cut, running } from "../cpu.ts";
import { E } from "../errno.ts";
import { enter, findDown, localsOf } from "../frames.ts";
import { byKernel } from "../siginfo.ts";
import { addSignal, linuxDefault, removeSignal, SIG, type SignalSet, union } from "../signals.ts";
import { type HostSignal, type Process, SA_NO_RESTORER, SA_NODEFER, SA_ONSTACK, SA_RESETHAND, SA_RESTART, type Thread } from "../state.ts";
import { KIND, WHY } from "../transition.ts";
import { type Entered, restoreRt, type SignalFrame } from "./flows.ts";
import { discard, generateFault, retarget } from "./generate.ts";
import { OUTSIDE } from "./outside.ts";
import { recheck, remove } from "./pending.ts";
import { endProcess, stopProcess } from "./process-state.ts";

const NOTHING_BUILT: SignalFrame["built"] = [];

const DELIVER_NS = costOf("host.signal.deliver");

/** SIGKILL and SIGSTOP cannot be blocked. */
export const blockable = (mask: SignalSet): SignalSet => removeSignal(removeSignal(mask, SIG.KILL), SIG.STOP);

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
  if (action.flow < 0) return drop(c, t);
  const alt = altStack(c, t, action.flags);
  restartOrInterrupt(t, (action.flags & SA_RESTART) !== 0 ? "restarting handler" : "handler");
  if ((action.flags & SA_RESETHAND) !== 0) delete p.hostActions[pending.signal];
  // In an enclave it is the enclave's stack that is full; the frame lies on the untrusted one.
  const full = t.app.stackFull && t.sgx === null;
  if ((action.flags & SA_NO_RESTORER) !== 0 || (full && !alt)) return noFrame(c, t, p, pending);
  const mask = t.savedMask ?? t.hostMask;
  t.savedMask = null;
  const stack = running(t);
  stack.push(
    enter(c.program, restoreRt, {
      signal: pending.signal,
      id: pending.id,
      mask,
      rax: t.rax,
      vectors: t.app.vectors,
      skip: false,
      redirect: 0,
      built: NOTHING_BUILT,
      rdi: t.rdi,
      rsi: t.rsi,
      rdx: t.rdx,
      carried: t.eventSignalId,
      alt,
      full: t.app.stackFull,
    }),
  );
  stack.push(newFrame(c.program, action.flow, { signal: pending.signal, id: pending.id, event: 0, info: pending.info }));
  t.signalFrames += 1;
  if (alt && full) t.app.stackFull = false;
  const before = t.hostMask;
  const during = union(before, action.mask);
  t.hostMask = blockable((action.flags & SA_NODEFER) === 0 ? addSignal(during, pending.signal) : during);
  recheck(c, t);
  retarget(c, p);
  c.tellMask(before, t.hostMask);
  c.value = t.signalFrames;
  c.happen(t, OUTSIDE.frame, KIND["host.signal.deliver"], DELIVER_NS);
}

/** The thread runs on its alternate stack: the frame nearest to the top is there. */
export const onAltStack = (c: Cpu, t: Thread): boolean =>
  localsOf(c, running(t)[findDown(c, running(t), restoreRt)], restoreRt)?.alt === true;

/** The frame comes to lie on the alternate stack: it is asked for and there is one, or the thread is on it already (get_sigframe). */
const altStack = (c: Cpu, t: Thread, flags: number): boolean => onAltStack(c, t) || ((flags & SA_ONSTACK) !== 0 && t.app.altStack > 0);

/**
 * The frame cannot be made: there is no room on the stack, or no address for the handler to return to (x64_setup_rt_frame). SIGSEGV comes in
 * place of the signal; for SIGSEGV itself no handler is asked (force_sigsegv).
 */
function noFrame(c: Cpu, t: Thread, p: Process, { signal, id }: HostSignal): void {
  if (signal === SIG.SEGV) endProcess(c, p, { status: -SIG.SEGV, why: WHY.HOST, signal: SIG.SEGV });
  else if (generateFault(c, t, byKernel(SIG.SEGV))) {
    c.signal = signal;
    c.extra = id;
    discard(c, 3);
    return c.happen(t, OUTSIDE.dropped, c.kind, 0);
  }
  c.signal = SIG.SEGV;
  c.extra = id;
  c.value = 1;
  c.happen(t, OUTSIDE.byDefault, KIND["host.signal.default"], 0);
}

/** It ends as nothing. Whether a call starts again is seen when no signal is left. */
function drop(c: Cpu, t: Thread): void {
  discard(c, 0);
  t.check = true;
  c.happen(t, OUTSIDE.dropped, c.kind, 0);
}

/** What the thread meets at its next return to user mode when a call was cut short. */
type Meets = "nothing" | "handler" | "restarting handler";

/**
 * A call that ended with one of the kernel's restart codes: back to the call instruction, or EINTR (signal(7); handle_signal and
 * arch_do_signal_or_restart in arch/x86/kernel/signal.c).
 */
export function restartOrInterrupt(t: Thread, meets: Meets): void {
  const code = t.rax;
  if (code !== E.RESTARTSYS && code !== E.RESTARTNOHAND && code !== E.RESTARTBLOCK) return;
  t.rax = E.INTR;
  const again = meets === "nothing" || (meets === "restarting handler" && code === E.RESTARTSYS);
  const frame = t.host[t.host.length - 1];
  if (again && frame) retry(frame);
}

/** No signal is left and no handler ran: the call starts again, and a mask that was for it alone ends. */
export function nothingDelivered(c: Cpu, t: Thread): void {
  restartOrInterrupt(t, "nothing");
  restoreMask(c, t);
}

/** The mask from before sigsuspend, ppoll, pselect6 or epoll_pwait. */
export function restoreMask(c: Cpu, t: Thread): void {
  if (!t.savedMask) return;
  c.tellMask(t.hostMask, t.savedMask);
  t.hostMask = t.savedMask;
  t.savedMask = null;
  recheck(c, t);
  retarget(c, c.process(t));
}

/** Another mask for the length of a call: it is in force in the handler that ends the call, and the frame keeps the old one. */
export function lendMask(c: Cpu, t: Thread, mask: SignalSet): void {
  t.savedMask = t.hostMask;
  t.hostMask = blockable(mask);
  c.tellMask(t.savedMask, t.hostMask);
  recheck(c, t);
  retarget(c, c.process(t));
}

function defaultAction(c: Cpu, t: Thread, p: Process, pending: HostSignal): void {
  const action = linuxDefault(pending.signal);
  if (action === "ignore") return drop(c, t);
  c.value = action === "terminate" ? 1 : action === "stop" ? 2 : 3;
  if (action === "terminate") endProcess(c, p, { status: -pending.signal, why: WHY.HOST, signal: pending.signal });
  else {
    if (action === "stop") stopProcess(c, p, pending.signal);
    t.check = true;
  }
  c.dirty = true;
  c.happen(t, OUTSIDE.byDefault, KIND["host.signal.default"], 0);
}

/** Lays calls onto the running stack. Each time anew: the list is a value that may be laid down more than once. */
export function enterAll(c: Cpu, built: readonly Entered[]): void {
  for (const { flow, v } of built) running(c.t).push(newFrame(c.program, flow, { ...v }));
}

/** rt_sigreturn: pop the frame of the running restorer and put its registers back. */
export function sigreturn(c: Cpu, t: Thread, v: SignalFrame): void {
  const stack = running(t);
  c.signal = v.signal;
  c.extra = v.id;
  cut(c, t, t.stack, stack.length - 1);
  const before = t.hostMask;
  t.hostMask = blockable(v.mask);
  c.tellMask(before, t.hostMask);
  t.rax = v.rax;
  t.app.vectors = v.vectors;
  t.rdi = v.rdi;
  t.rsi = v.rsi;
  t.rdx = v.rdx;
  t.eventSignalId = v.carried;
  t.app.stackFull = v.full;
  if (v.redirect > 0) {
    // The handler wrote another RIP into the frame; RSP is kept, so what was interrupted stays below as dead frames.
    stack.push(newFrame(c.program, v.redirect, {}));
    c.value = 1;
  }
  if (v.skip) skipFault(c.program, stack[stack.length - 1]);
  enterAll(c, v.built);
  if (v.built.length > 0) c.value = 1;
  recheck(c, t);
  retarget(c, c.process(t));
}
