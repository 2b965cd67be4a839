/** Threads that wait for locks which nobody will release. */

import { ENDED, NONE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callOf, GRAPHENE, MS } from "../common.ts";

/** A holder that sleeps so long for something else is told as part of a deadlock. */
const LONG_NS = 10 * MS;

interface Data {
  readonly waiter: string;
  readonly waitsIn: string;
  readonly lock: string;
  readonly holder: string;
  readonly holderIn: string;
  readonly way: "itself" | "circle" | "ended" | "asleep";
  readonly chain: string;
}
type Id = "locked" | "holder-asleep" | "waits" | "end";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const names = new Map<number, string>();

  function wayOf(start: number): { readonly way: Data["way"]; readonly chain: readonly number[] } | null {
    const chain = [start];
    for (let thread = start; ; ) {
      const slot = m.slotOf(thread);
      const lock = m.awaitedLock(slot);
      if (lock === NONE) {
        const long = (one: number): boolean => m.asleepSince(one) !== NONE && (m.isOver || m.asleepFor(one) >= LONG_NS);
        return chain.length > 1 && long(slot) && long(m.slotOf(start)) ? { way: "asleep", chain } : null;
      }
      const holder = m.holderOf(lock);
      if (holder === ENDED) return { way: "ended", chain };
      if (holder === start) return { way: chain.length === 1 ? "itself" : "circle", chain };
      if (holder === NONE || chain.includes(holder)) return null;
      chain.push(holder);
      thread = holder;
    }
  }

  function told(thread: number): void {
    const slot = m.slotOf(thread);
    const lock = m.awaitedLock(slot);
    if (lock === NONE) return;
    const end = wayOf(thread);
    // A circle is told once, by its first thread.
    if (end === null || (end.way === "circle" && thread !== Math.min(...end.chain))) return;
    const holder = m.holderOf(lock);
    const holderSlot = holder < 0 ? NONE : m.slotOf(holder);
    const asleep = m.asleepSince(holderSlot);
    found({
      thread,
      costNs: m.asleepFor(slot),
      evidence: [
        ...(m.lockedSince(lock) === NONE ? [] : [{ id: "locked" as const, seq: m.lockedSince(lock) }]),
        ...(asleep === NONE || holder === thread ? [] : [{ id: "holder-asleep" as const, seq: asleep }]),
        { id: "waits", seq: m.asleepSince(slot) },
        { id: "end", seq: m.seq },
      ],
      data: {
        waiter: m.nameOf(thread),
        waitsIn: callOf(m, slot),
        lock: names.get(lock) ?? "a lock",
        holder: holder === ENDED ? "a thread that has ended" : m.nameOf(holder),
        holderIn: callOf(m, holderSlot),
        way: end.way,
        chain: end.chain.map((one) => m.nameOf(one)).join(", "),
      },
    });
  }

  return {
    "lock.busy"() {
      if (m.value >= 0) names.set(m.value, m.text() || "a lock");
    },
    "trace.end"() {
      for (const [thread] of m.liveThreads()) told(thread);
    },
  };
}

export const deadlock = defineRule({
  id: "deadlock",
  title: "threads wait for locks that nobody will release",
  severity: "critical",
  layers: ["libos", "pal"],
  generations: ["any"],
  what:
    "A thread waits for a lock whose holder waits for a lock of its own, in a circle (or for the same lock: it waits for itself), or has " +
    "ended with the lock in its hands, or sleeps for something that only the waiting thread would bring.",
  why: "Nothing goes on: no time-out ends the wait for a lock.",
  recognise:
    "The rule goes, at the end of the trace, from each thread that sleeps for a lock to the lock's holder and on. Who sleeps for 10 ms and " +
    "more with a lock that another one has wanted as long is told as well.",
  ignore: [
    {
      text: "a lock that is released soon: the trace ends in the middle of it",
      nearMiss: {
        name: "threads that want the same lock",
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
        stacks: ["graphene-linux"],
        reaches: ["lock.busy"],
      },
    },
  ],
  remedy: "Take locks in one order, release them before a sleep, and take none in a signal's path that the interrupted code may hold.",
  fix: null,
  cost: "how long the thread has waited for the lock when the trace ends",
  source: "reference 3.1 (sigsuspend-sleeps-with-thread-lock), 3.2 (libos-heap-lock-self-deadlock)",
  run,
  report: {
    title: ({ waiter, waitsIn, lock, holder, holderIn, way, chain }) => {
      const who = `${waiter}${waitsIn === "" ? "" : `, in ${waitsIn},`} waits for ${lock}`;
      if (way === "itself") return `${who}, which it holds itself`;
      if (way === "ended") return `${who}, which a thread held that has ended`;
      if (way === "circle") return `${who} in a circle of threads: ${chain}`;
      return `${who}, with which ${holder} sleeps${holderIn === "" ? "" : ` in ${holderIn}`}`;
    },
    same: ({ waitsIn, lock, holderIn, way }) => [waitsIn, lock.replace(/\d+/g, "N"), holderIn, way],
    turn: ["holder-asleep"],
    captions: {
      locked: ({ holder, lock }) => `${holder} takes ${lock}`,
      "holder-asleep": ({ holder, holderIn }) => `${holder} falls asleep with it${holderIn === "" ? "" : ` in ${holderIn}`}`,
      waits: ({ waiter, lock }) => `${waiter} waits for ${lock}`,
      end: () => "nothing has changed when the trace ends",
    },
  },
  invalid: [
    {
      name: "tgkill to a thread in sigsuspend",
      scenario: "sigsuspend-lock",
      stacks: [...GRAPHENE, "graphene-pr347"],
      found: [
        {
          title: "sender, in tgkill(main, SIGUSR1), waits for lock of thread 0, with which main sleeps in sigsuspend()",
          evidence: ["locked", "holder-asleep", "waits", "end"],
        },
      ],
    },
  ],
});
