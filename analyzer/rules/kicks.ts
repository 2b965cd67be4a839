/**
 * Threads that were told to end and sleep on: exit_group and execve set a flag and wake each thread once (gramine-today.md 7.1). Several
 * rules ask where the one wake-up went.
 */

import { NONE, SCOPE, type ThreadModel } from "../model/index.ts";
import type { Found, Handlers } from "../rule.ts";
import { callOf, MS } from "./common.ts";

/** What a finding about such a thread tells. */
export interface SleptOn {
  readonly thread: string;
  readonly call: string;
  readonly lock: string;
  readonly slept: number;
}
export type SleptOnId = "told" | "asleep" | "end";

export interface Undead {
  readonly thread: number;
  /** It was told to end. */
  readonly told: number;
  /** It fell asleep after that. */
  readonly asleep: number;
  readonly sleptNs: number;
  /** The call that it is in, and the function of the LibOS in which it sleeps. */
  readonly call: string;
  readonly flow: string;
  /** The lock that it waited for when it was told; empty when it waited for none. */
  readonly lock: string;
  /** The PAL's locks have no number; those who wait for one turn. */
  readonly palLock: boolean;
}

interface Busy {
  readonly lock: string;
  readonly palLock: boolean;
}

/** So long a thread may be on its way to its end. */
const ON_ITS_WAY_NS = MS / 2;

/** A rule's run: such threads of which `isMine` holds are found at the end of the trace. */
export const findUndead =
  (isMine: (one: Undead) => boolean) =>
  (m: ThreadModel, found: (finding: Found<SleptOn, SleptOnId>) => void): Handlers =>
    watchKicks(m, (one) => {
      if (!isMine(one)) return;
      const { thread, told, asleep, sleptNs, call, lock } = one;
      found({
        thread,
        costNs: sleptNs,
        evidence: [
          { id: "told", seq: told },
          { id: "asleep", seq: asleep },
          { id: "end", seq: m.seq },
        ],
        data: { thread: m.nameOf(thread), call, lock, slept: sleptNs },
      });
    });

function watchKicks(m: ThreadModel, undead: (one: Undead) => void): Handlers {
  const waits = m.notesOnThreads<Busy>();
  const told = m.notesOnThreads<Busy & { readonly seq: number }>();
  return {
    "lock.busy": () => waits.set(m.slot, { lock: m.text(), palLock: m.value < 0 }),
    lock: waits.whileAny(() => waits.remove(m.slot)),
    "libos.die"() {
      const target = m.slotOf(m.value);
      if (target !== NONE && m.extra === 1) told.set(target, { seq: m.seq, ...(waits.get(target) ?? { lock: "", palLock: false }) });
    },
    "trace.end"() {
      for (const [thread, slot] of m.liveThreads()) {
        const one = told.get(slot);
        const asleep = m.asleepSince(slot);
        if (one === null || asleep <= one.seq || (!m.isOver && m.asleepFor(slot) < ON_ITS_WAY_NS)) continue;
        const pal = m.open(SCOPE.PAL_CALL, slot);
        undead({
          thread,
          told: one.seq,
          asleep,
          sleptNs: m.asleepFor(slot),
          call: callOf(m, slot),
          flow: pal === NONE ? "" : m.flowOf(pal),
          lock: one.lock,
          palLock: one.palLock,
        });
      }
    },
  };
}

/** The flow in which a thread waits for a host's eventfd: there nothing ends the wait, whatever became of its wake-up. */
export const EVENTFD_WAIT = "eventfd_read";
