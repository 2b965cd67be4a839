/** Reference 3.2 `libos-heap-lock-self-deadlock`; errata-2 N2. */

import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callName, callOf, GRAPHENE, LINUX_PAL } from "../common.ts";

interface Data {
  readonly thread: string;
  readonly lock: string;
  readonly call: string;
}
type Id = "locked" | "upcall" | "wants" | "end";

interface Wait {
  readonly thread: number;
  readonly lock: number;
  readonly data: Data;
  readonly locked: number;
  readonly upcall: number;
  readonly seq: number;
  readonly time: number;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const waits = m.notesOnThreads<Wait>();

  function busy(): void {
    const upcall = m.open(SCOPE.UPCALL);
    if (m.value < 0 || m.extra !== m.thread || upcall === NONE || waits.get(m.slot) !== null) return;
    const locked = m.lockedSince(m.value);
    if (locked > m.seqOf(upcall)) return;
    const data = { thread: m.nameOf(), lock: m.text() || "a lock", call: callOf(m) };
    waits.set(m.slot, { thread: m.thread, lock: m.value, data, locked, upcall: m.seqOf(upcall), seq: m.seq, time: m.time });
  }

  function leftBehind(pid: number | null): void {
    for (const [thread, slot] of m.liveThreads()) {
      const wait = pid === null || m.pid(thread) === pid ? waits.get(slot) : null;
      if (wait === null) continue;
      waits.remove(slot);
      if (m.holderOf(wait.lock) !== thread) continue;
      found({
        thread,
        costNs: m.time - wait.time,
        evidence: [
          ...(wait.locked === NONE ? [] : [{ id: "locked" as const, seq: wait.locked }]),
          { id: "upcall", seq: wait.upcall },
          { id: "wants", seq: wait.seq },
          { id: "end", seq: m.seq },
        ],
        data: wait.data,
      });
    }
  }

  return { "lock.busy": busy, "process.exit": () => leftBehind(m.pid()), "trace.end": () => leftBehind(null) };
}

export const libosHeapLockSelfDeadlock = defineRule({
  id: "libos-heap-lock-self-deadlock",
  title: "a signal inside the LibOS's allocator: its upcall allocates, and waits for the lock that the thread holds itself",
  severity: "high",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what:
    "deliver_signal takes memory from the LibOS's heap for a signal that it puts off, and prints a line when a ring is full. If the interrupted code of " +
    "the same thread holds the lock of the heap, or of the console, the thread waits for itself.",
  why: "The thread hangs for ever with the lock, and with it every other one that allocates: the process stands still.",
  recognise:
    "The rule looks for a lock that an upcall finds taken by its own thread since before the upcall, and that is still taken at the end. On the Linux PAL " +
    "the signal need not come inside the allocator: one that is taken at the end of the PAL call of lock() does it every time.",
  ignore: [
    {
      text: "another thread has the lock: it will release it",
      nearMiss: {
        name: "signals to threads that allocate",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - clone: other
            - loop: { times: 50, do: [tgkill: { thread: other, signal: SIGUSR1 }] }
          programs:
            other:
              - sigaction: { signal: SIGUSR1, handler: on-usr1 }
              - loop: { times: 50, do: [tgkill: { thread: main, signal: SIGUSR1 }] }
          handlers:
            on-usr1:
              - compute: 1us
        `,
        stacks: LINUX_PAL,
        reaches: ["lock.busy"],
      },
    },
  ],
  remedy: "No memory is taken in upcalls for standard signals, and none runs inside the LibOS (Graphene c24bddd5a, 2021-02-05).",
  fix: null,
  cost: "how long the thread has waited for itself",
  source: "reference 3.2; errata-2 N2",
  run,
  report: {
    title: ({ thread, lock, call }) =>
      `${thread}${call === "" ? "" : `, in ${call},`} waits for ${lock}, which it holds itself: a signal came while it had it`,
    same: ({ lock, call }) => [lock.replace(/\d+/g, "N"), callName(call)],
    turn: ["wants"],
    captions: {
      locked: ({ lock }) => `the thread takes ${lock}`,
      upcall: () => "a signal interrupts it",
      wants: ({ lock }) => `the upcall wants ${lock}, too`,
      end: () => "the end: it still waits for itself",
    },
  },
  invalid: [
    {
      name: "SIGINT while the LibOS takes a block",
      scenario: `
        main:
          - sigaction: { signal: SIGINT, handler: on-sigint }
          - sigaction: { signal: SIGUSR1, handler: on-sigint }
        handlers:
          on-sigint:
            - compute: 1us
        signals:
          - signal: SIGINT
            thread: main
            when: { thread: main, site: "malloc: take a block", nth: 2 }
        limit: { time: 50ms }
      `,
      stacks: [...GRAPHENE, "graphene-pr347", "graphene-pr1218"],
      found: [
        {
          title: "main, in sigaction(SIGUSR1, on-sigint), waits for slab_mgr_lock, which it holds itself: a signal came while it had it",
          evidence: ["locked", "upcall", "wants", "end"],
        },
      ],
    },
  ],
});
