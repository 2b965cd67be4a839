/**
 * thread_list with is_alive, as one list of the threads the LibOS takes for alive (reference, 2.15, 2.16). Only clone puts one on it
 * (engine/threads.ts) and only try_process_exit takes it off: of a thread that the PAL or the host ended the LibOS is not told (2.5, 2.9).
 */

import type { Cpu } from "../cpu.ts";
import type { Process } from "../state.ts";

export const isAlive = (c: Cpu): boolean => c.process(c.t).threadList.includes(c.t.id);

export const othersAlive = (c: Cpu): number[] => c.process(c.t).threadList.filter((id) => id !== c.t.id);

/** Those a signal is sent to: they have their TCB. One that is gone had it. */
export const otherThreads = (c: Cpu): number[] => othersAlive(c).filter((id) => c.m.threads[id]?.libos.ready ?? true);

/** The leader of the process, while it is alive. */
export const leaderOf = (c: Cpu, p: Process): number[] => p.threadList.filter((id) => c.threads[id]?.tid === p.pid);

/** A thread of this process by its name, -1 when there is none. */
export const listed = (c: Cpu, wanted: string): number =>
  wanted === "self" ? c.t.id : (c.process(c.t).threadList.find((id) => c.threads[id]?.name === wanted) ?? -1);

/** init_thread: the first one. */
export const addSelf = (c: Cpu): void => {
  c.process(c.t).threadList.push(c.t.id);
};

export const removeSelf = (c: Cpu): void => {
  const p = c.process(c.t);
  p.threadList = othersAlive(c);
};
