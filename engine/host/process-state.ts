/** A process stops, goes on and ends, and its parent hears of it (kernel/signal.c: do_notify_parent, do_notify_parent_cldstop; kernel/exit.c). */

import type { Cpu } from "../cpu.ts";
import { childInfo, SI, type SigInfo } from "../siginfo.ts";
import { SIG } from "../signals.ts";
import { INTERRUPTED, type Process, type ProcessEnd, SA_NOCLDSTOP, SA_NOCLDWAIT, type Thread } from "../state.ts";
import { NEVER } from "../time.ts";
import { hasSignalToTake } from "./pending.ts";
import { wake, wakeWaiters } from "./sleep.ts";

/** The host ends a process: that is a row, then every thread but the `caller` makes one last transition. The parent gets SIGCHLD. */
export function endProcess(c: Cpu, p: Process, end: ProcessEnd, caller: Thread | null = null): void {
  if (!p.alive) return;
  p.alive = false;
  p.end = end;
  p.stopped = false;
  p.timer = NEVER;
  p.timers = [];
  for (const t of c.threadsOf(p)) if (t !== caller) killThread(c, t);
  vforkIsOver(c, p);
  c.dirty = true;
  c.m.due.push(-1 - p.id);
}

/** The end of a vfork: the child has its own memory, or none any more, and the parent goes on (complete_vfork_done in kernel/fork.c). */
export function vforkIsOver(c: Cpu, p: Process): void {
  if (p.vforkDone < 0) return;
  wakeWaiters(c, p.vforkDone);
  c.freeObject(p.vforkDone);
  p.vforkDone = -1;
}

/** One last transition is left to it. */
export function killThread(c: Cpu, t: Thread): void {
  t.dying = true;
  c.dirty = true;
  if (t.state === "blocked") wake(c, t, INTERRUPTED);
}

/** The default action of a stop signal: no thread of the process takes a step until SIGCONT or SIGKILL. */
export function stopProcess(c: Cpu, p: Process, signal: number): void {
  p.stopped = true;
  p.news = signal;
  c.dirty = true;
  c.m.changes.push({ process: p.id, what: "stopped" });
}

/** What came meanwhile is looked at now: threads that slept are woken for it. */
export function resumeProcess(c: Cpu, p: Process, byCont: boolean): void {
  p.stopped = false;
  c.dirty = true;
  if (byCont) {
    p.news = CONTINUED;
    c.m.changes.push({ process: p.id, what: "continued" });
  }
  for (const t of c.threadsOf(p)) {
    if (t.state === "blocked" && t.wait?.interruptible && hasSignalToTake(c, t)) wake(c, t, INTERRUPTED);
  }
}

/** `news` of a process that was continued: what wait4 with WCONTINUED asks for. */
export const CONTINUED = -1;

/** The parent ignores SIGCHLD or says SA_NOCLDWAIT: a child that ends leaves no zombie. */
export function reapsItself(parent: Process): boolean {
  const action = parent.hostActions[SIG.CHLD];
  return action !== undefined && (action.flow < 0 || (action.flags & SA_NOCLDWAIT) !== 0);
}

/** The parent wants to hear when a child stops or goes on. */
export const hearsOfStops = (parent: Process): boolean => ((parent.hostActions[SIG.CHLD]?.flags ?? 0) & SA_NOCLDSTOP) === 0;

/** SIGCHLD's siginfo for a child that has ended. */
export const exitInfo = (child: Process): SigInfo =>
  child.end.status < 0
    ? childInfo(SI.CLD_KILLED, child.pid, -child.end.status)
    : childInfo(SI.CLD_EXITED, child.pid, child.end.status & 0xff);

/** The same for one that has stopped or goes on. */
export const changeInfo = (child: Process, what: "stopped" | "continued"): SigInfo =>
  what === "stopped"
    ? childInfo(SI.CLD_STOPPED, child.pid, child.news > 0 ? child.news : SIG.STOP)
    : childInfo(SI.CLD_CONTINUED, child.pid, SIG.CONT);

/** wait4's status word of a child that has ended. */
export const exitStatus = (child: Process): number => (child.end.status < 0 ? -child.end.status : (child.end.status & 0xff) << 8);
