/**
 * The word in which a LibOS keeps one SIGTERM of the host until somebody looks at it (gramine-today.md 5.1, 5.9), and the signals in the
 * queues beside it. By process.
 */

import { SIG } from "../../engine/index.ts";
import { NONE, type PendingSignal, SCOPE, type ThreadModel, WAITS_IN } from "../model/index.ts";
import type { Handlers } from "../rule.ts";
import { callName, createRing, MS } from "./common.ts";

export interface Injected {
  /** The SIGTERM that waits in the word came at this row to this thread; NONE when none waits. */
  seq: number;
  at: number;
  thread: number;
  /** The thread's call at that moment, by name. */
  call: string;
  /** One was taken before, at this row: the word says so for good. NONE before. */
  taken: number;
}

export interface Word {
  /** Null for a process that no SIGTERM has come to. */
  of(pid: number): Readonly<Injected> | null;
  /** The oldest signal in a queue of the process, or of one of its threads. */
  queued(pid: number): Readonly<PendingSignal> | null;
  /** Whether the one in the word has waited so long that it is not on its way. */
  isStarved(pid: number): boolean;
}

const LONG_NS = 10 * MS;

/** What is asked for, and the listeners that keep it: a rule adds its own. */
export function followWord(m: ThreadModel): { readonly word: Word; readonly listeners: Handlers } {
  const words = new Map<number, Injected>();
  /** Process of a signal that was queued for all its threads, by the signal's id. */
  const processOf = createRing();

  const isOf = (p: Readonly<PendingSignal>, pid: number): boolean =>
    p.in === WAITS_IN.LIBOS && (p.thread === NONE ? processOf.get(p.id) === pid : m.pid(p.thread) === pid);

  return {
    word: {
      of: (pid) => words.get(pid) ?? null,
      queued(pid) {
        for (const p of m.signals.waiting.values()) if (isOf(p, pid)) return p;
        return null;
      },
      isStarved(pid) {
        const one = words.get(pid);
        return one !== undefined && one.seq !== NONE && (m.isOver || m.time - one.at >= LONG_NS);
      },
    },
    listeners: {
      "libos.signal.append": () => processOf.set(m.extra, m.pid()),
      "libos.signal.inject"() {
        const call = m.open(SCOPE.CALL);
        const before = words.get(m.pid())?.taken ?? NONE;
        if (m.value === SIG.TERM)
          words.set(m.pid(), {
            seq: m.seq,
            at: m.time,
            thread: m.thread,
            call: call === NONE ? "" : callName(m.labelOf(call)),
            taken: before,
          });
        else words.set(m.pid(), { seq: NONE, at: 0, thread: NONE, call: "", taken: before === NONE ? m.seq : before });
      },
    },
  };
}
