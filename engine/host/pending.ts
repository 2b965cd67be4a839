/** What is pending for a thread, and what of it may be delivered (kernel/signal.c: next_signal, dequeue_signal, sig_ignored). */

import type { Cpu } from "../cpu.ts";
import { hasSignal, isSynchronous, linuxDefault, SIG, type SignalSet, signalsIn } from "../signals.ts";
import type { HostSignal, Process, Thread } from "../state.ts";

/** The signal would be thrown away on arrival. Blocked signals never are: the disposition may change before they are unblocked. */
export function ignored(p: Process, signal: number): boolean {
  const action = p.hostActions[signal];
  return action ? action.flow < 0 : linuxDefault(signal) === "ignore" || signal === SIG.CONT;
}

/** signal_pending: what is pending and not blocked ends a wait, also if it is ignored by now and the call starts again. */
export const hasSignalToTake = (c: Cpu, t: Thread): boolean => t.check && deliverable(c, t) !== null;

/**
 * Rule 3: the thread's own queue before the process's; in each the synchronous ones first, then the lowest number (next_signal).
 * Null when nothing may be delivered.
 */
export function deliverable(c: Cpu, t: Thread): HostSignal | null {
  return first(t.hostPending, t.hostMask) ?? first(c.process(t).hostPending, t.hostMask);
}

function first(queue: readonly HostSignal[], blocked: SignalSet): HostSignal | null {
  let best: HostSignal | null = null;
  for (const pending of queue) {
    if (hasSignal(blocked, pending.signal)) continue;
    if (best === null || rank(pending.signal) < rank(best.signal)) best = pending;
  }
  return best;
}

const rank = (signal: number): number => (isSynchronous(signal) ? signal - 64 : signal);

/** Take the next signal of a set out of the queues: sigtimedwait and a signalfd (dequeue_signal). Null when there is none. */
export function dequeue(c: Cpu, t: Thread, wanted: SignalSet): HostSignal | null {
  const others: SignalSet = [~wanted[0], ~wanted[1]];
  for (const queue of [t.hostPending, c.process(t).hostPending]) {
    const found = first(queue, others);
    if (!found) continue;
    remove(queue, found);
    recheck(c, t);
    return found;
  }
  return null;
}

/** Something of a set is pending for this thread. */
export const isPending = (c: Cpu, t: Thread, wanted: SignalSet): boolean =>
  [...t.hostPending, ...c.process(t).hostPending].some((pending) => hasSignal(wanted, pending.signal));

export function remove(queue: HostSignal[], pending: HostSignal): void {
  const at = queue.indexOf(pending);
  if (at >= 0) queue.splice(at, 1);
}

/** Look for something deliverable before the thread's next step (after a mask change). */
export function recheck(c: Cpu, t: Thread): void {
  t.check = t.hostPending.length > 0 || c.process(t).hostPending.length > 0;
}

/** Blocked signals that are pending for the thread: what sigpending(2) says. */
export const blockedAndPending = (c: Cpu, t: Thread): number[] =>
  signalsIn(t.hostMask).filter((signal) => [...t.hostPending, ...c.process(t).hostPending].some((pending) => pending.signal === signal));
