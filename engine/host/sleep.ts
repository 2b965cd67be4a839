/** Sleeping in the kernel and being woken (reference, 1.2 rule 6). */

import type { Cpu } from "../cpu.ts";
import { INTERRUPTED, READY, type Thread, TIMED_OUT, type Wait, type WakeCause } from "../state.ts";
import { hasSignalToTake } from "./pending.ts";

/** End of a wait, now. */
export function wake(c: Cpu, t: Thread, cause: WakeCause): void {
  if (t.state !== "blocked") return;
  t.state = "run";
  t.cause = cause;
  t.time = Math.max(t.time, c.now);
  c.rouse(t.id);
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
  c.value = wait.interruptible ? 1 : 0;
  c.extra = wait.objects[0] ?? -1;
  if (t.dying || (wait.interruptible && hasSignalToTake(c, t))) {
    t.cause = INTERRUPTED;
    return false;
  }
  t.state = "blocked";
  c.dirty = true;
  return true;
}

export const timeOut = (c: Cpu, t: Thread): void => {
  t.time = Math.max(t.time, t.wait?.deadline ?? 0);
  t.state = "run";
  t.cause = TIMED_OUT;
  c.dirty = true;
};
