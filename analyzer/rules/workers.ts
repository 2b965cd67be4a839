/** Threads of a LibOS that look after timers: which of them has passed over a time that was over (gramine-today.md 9.2). */

import { NONE, type ThreadModel } from "../model/index.ts";
import type { Handlers } from "../rule.ts";

/** `cause` of thread.wake: the time-out. */
const TIMED_OUT = 1;

export interface Workers {
  /**
   * Seq at which a thread of the LibOS in this process fell asleep that was awake, for another reason than a time-out, at this time (ns),
   * and sleeps since; NONE for none.
   */
  asleepSince(pid: number, due: number): number;
  readonly listeners: Handlers;
}

export function followWorkers(m: ThreadModel): Workers {
  /** Why a thread of the LibOS woke last. */
  const causes = m.notesOnThreads<number>();
  return {
    asleepSince(pid, due) {
      for (const [thread, slot] of m.liveThreads()) {
        if (m.pid(thread) !== pid || !m.isInternal(thread) || m.asleepSince(slot) === NONE) continue;
        const cause = causes.get(slot);
        if (m.time - m.asleepFor(slot) >= due && cause !== null && cause !== TIMED_OUT) return m.asleepSince(slot);
      }
      return NONE;
    },
    listeners: { "thread.wake": () => m.isInternal() && causes.set(m.slot, m.value) },
  };
}
