/**
 * thread_list and the lists of children (reference, 2.15, 2.16; shim_thread.c, shim_exit.c, shim_wait.c). Only clone puts a thread on the
 * list of the living (engine/threads.ts), and only its own thread_exit takes it off: of a thread that the PAL or the host ended the LibOS
 * is not told (2.5, 2.9).
 */

import type { Cpu } from "../generations/graphene-2019/flow.ts";
import type { Exited, Process, ShimChild, Thread, TidRun } from "../generations/graphene-2019/state.ts";
import { dropLock } from "../pal/locks.ts";
import { copyOf, extended } from "../state.ts";
import { childLock } from "./names.ts";

/** Of a thread that execve has moved to another process that is what its record here says. */
export function isAlive(c: Cpu): boolean {
  const { threadList, children } = c.process(c.t).libos;
  return threadList.includes(c.t.id) || children.some(({ pid, alive }) => alive && pid === c.t.tid);
}

/** The thread is not in_vm: execve has moved it to another process, and its record here is that of a child. */
export const isElsewhere = (c: Cpu): boolean => c.process(c.t).libos.children.some((child) => child.pid === c.t.tid);

export const othersAlive = (c: Cpu): number[] => c.process(c.t).libos.threadList.filter((id) => id !== c.t.id);

/** Those a signal is sent to: they have their TCB. One that is gone had it. */
export const otherThreads = (c: Cpu): number[] => othersAlive(c).filter((id) => c.m.threads[id]?.libos.ready ?? true);

/** The leader of the process, while it is alive. */
export const leaderOf = (c: Cpu, p: Process): number[] => p.libos.threadList.filter((id) => c.threads[id]?.tid === p.pid);

/** A thread of this process by its name, alive or not, -1 when there is none. */
export function listed(c: Cpu, wanted: string): number {
  if (wanted === "self") return c.t.id;
  const p = c.process(c.t);
  return p.libos.threadList.find((id) => c.threads[id]?.name === wanted) ?? ended(c, p, wanted);
}

/** Nothing but wait4 takes an ended thread off thread_list (shim_wait.c del_thread). */
const ended = (c: Cpu, p: Process, wanted: string): number =>
  c.threads.findLastIndex(({ name, pid, tid }) => name === wanted && pid === p.pid && holds(p.libos.endedThreads, tid));

/** init_thread: the first one. */
export const addSelf = (c: Cpu): void => {
  c.process(c.t).libos.threadList.push(c.t.id);
};

/** Place of a tid in a run, -1 when it is not there. */
function placeIn({ tid: first, step, count }: TidRun, tid: number): number {
  const at = step === 0 ? 0 : (tid - first) / step;
  return first + at * step === tid && Number.isInteger(at) && at >= 0 && at < count ? at : -1;
}

const holds = (runs: readonly TidRun[], tid: number): boolean => runs.some((run) => placeIn(run, tid) >= 0);

/** One more tid at the end of a run: false when it does not fit there. */
function grows(run: TidRun, tid: number): boolean {
  const step = tid - (run.tid + (run.count - 1) * run.step);
  if (step <= 0 || (run.count > 1 && step !== run.step)) return false;
  run.step = step;
  run.count += 1;
  return true;
}

/** Put a tid behind the others. */
function append(runs: TidRun[], tid: number): void {
  const last = runs.at(-1);
  if (!last || !grows(last, tid)) runs.push({ tid, step: 0, count: 1 });
}

function takeOut(runs: TidRun[], tid: number): void {
  const at = runs.findIndex((run) => placeIn(run, tid) >= 0);
  const run = runs[at];
  if (!run) return;
  const place = placeIn(run, tid);
  const before = extended(copyOf(run), { count: place });
  const after = extended(copyOf(run), { tid: tid + run.step, count: run.count - place - 1 });
  runs.splice(at, 1, ...[before, after].filter(({ count }) => count > 0));
}

/** Put an end behind the others of exited_children; ends that say the same stand together. */
function appendExited(list: Exited[], entry: Exited): void {
  const last = list.at(-1);
  const same =
    last !== undefined &&
    last.process < 0 &&
    entry.process < 0 &&
    last.pgid === entry.pgid &&
    last.exitCode === entry.exitCode &&
    last.termSignal === entry.termSignal;
  if (!same || !grows(last, entry.tid)) list.push(entry);
}

/** The running thread is not alive any more. */
export function endSelf(c: Cpu): void {
  const p = c.process(c.t);
  p.libos.threadList = othersAlive(c);
  append(p.libos.endedThreads, c.t.tid);
}

/** From the children of its parent to the exited ones: a thread of this process, or a forked child. */
export function moveToExited(c: Cpu, what: Thread | ShimChild): void {
  const isThread = "libos" in what;
  const parent = c.m.threads[isThread ? what.libos.parent : what.parent];
  if (!parent) return;
  if (isThread) parent.libos.liveThreads -= 1;
  const { exitCode, termSignal } = isThread ? what.libos : what;
  appendExited(parent.libos.exited, {
    tid: isThread ? what.tid : what.pid,
    step: 0,
    count: 1,
    process: isThread ? -1 : what.process,
    pgid: isThread ? what.libos.pgid : what.pgid,
    exitCode,
    termSignal,
  });
}

/** Has the thread children, alive or not? */
export const hasChildren = (c: Cpu, t: Thread): boolean =>
  t.libos.liveThreads > 0 || t.libos.exited.length > 0 || c.process(t).libos.children.some((child) => child.alive && child.parent === t.id);

export const childOf = (p: Process, pid: number): ShimChild | undefined =>
  p.libos.children.find((child) => child.pid === pid && child.listed);

/** Take the first of a run out of exited_children. */
export function takeExited(t: Thread, entry: Exited): Exited {
  const { exited } = t.libos;
  const taken = extended(copyOf(entry), { step: 0, count: 1 });
  if (entry.count === 1) exited.splice(exited.indexOf(entry), 1);
  else {
    entry.tid += entry.step;
    entry.count -= 1;
  }
  return taken;
}

/** del_thread: off thread_list. True: it was the record of a child, and nobody refers to it any more. */
export function forget(c: Cpu, p: Process, tid: number): boolean {
  const child = childOf(p, tid);
  if (!child) {
    takeOut(p.libos.endedThreads, tid);
    return false;
  }
  child.listed = false;
  if (child.waiters > 0) return false;
  p.libos.children.splice(p.libos.children.indexOf(child), 1);
  c.freeObject(child.exitEvent);
  dropLock(c, p, childLock(tid));
  return true;
}
