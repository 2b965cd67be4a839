/** Threads that wait for a lock while its holder sleeps for something else: a rule says which holders it is about. */

import { NONE, type ThreadModel } from "../model/index.ts";
import type { Handlers } from "../rule.ts";
import { callOf, MS } from "./common.ts";

/** Names and calls are as the program knows them. */
export interface HeldUp {
  readonly thread: number;
  readonly waiter: string;
  /** What the waiter is at, and what its holder sleeps in. */
  readonly call: string;
  readonly holder: string;
  readonly holderCall: string;
  /** What the row calls the lock; empty when it has no text. */
  readonly lock: string;
  /** Rows: the lock was taken (NONE before the trace), its holder fell asleep, the thread found it taken. */
  readonly locked: number;
  readonly asleep: number;
  readonly seq: number;
}

/** `told` hears of each wait that lasts a millisecond, or to the end of a trace that is over (`goesOn` is false then). */
export function followSleepingHolders(
  m: ThreadModel,
  isAbout: (holderCall: string) => boolean,
  told: (wait: HeldUp, waited: number, goesOn: boolean) => void,
): Handlers {
  const waits = m.notesOnThreads<HeldUp & { readonly number: number; readonly time: number }>();

  function over(slot: number, goesOn: boolean): void {
    const wait = waits.get(slot);
    if (wait === null || (goesOn && wait.number !== m.value)) return;
    waits.remove(slot);
    const waited = m.time - wait.time;
    if (waited >= MS || m.isOver) told(wait, waited, goesOn);
  }

  return {
    "lock.busy"() {
      if (m.value < 0 || waits.get(m.slot) !== null) return;
      const holder = m.slotOf(m.extra);
      const asleep = m.asleepSince(holder);
      if (asleep === NONE || m.awaitedLock(holder) !== NONE) return;
      const holderCall = callOf(m, holder);
      if (!isAbout(holderCall)) return;
      const rows = { locked: m.lockedSince(m.value), asleep, seq: m.seq, time: m.time, number: m.value };
      const names = { waiter: m.nameOf(), call: callOf(m), holder: m.nameOf(m.extra), holderCall, lock: m.text() };
      waits.set(m.slot, { thread: m.thread, ...names, ...rows });
    },
    lock: waits.whileAny(() => over(m.slot, true)),
    "trace.end"() {
      for (const [, slot] of m.liveThreads()) over(slot, false);
    },
  };
}
