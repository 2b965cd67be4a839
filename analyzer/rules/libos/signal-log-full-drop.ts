/** Reference 3.2 `signal-log-full-drop`; 2.15. */

import { signalName } from "../../../engine/index.ts";
import { type ThreadModel, WAITS_IN } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callOf, calls, GRAPHENE } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly thread: string;
  readonly way: "dropped" | "again";
}
type Id = "dropped" | "queued" | "queued-too" | "again";

interface Twin {
  readonly first: number;
  readonly second: number;
}

const FIRST_REAL_TIME = 32;
const KEPT = 4096;
/** One signal can be pending for the thread and one for the process on Linux: only those sent in the same way are merged. */
const isToThread = calls("tgkill", "tkill");

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** By id: signals that Linux would have merged with one that was pending, and whether a thread was meant by those that are kept. */
  const twins = new Map<number, Twin>();
  const toThread = new Map<number, boolean>();

  function remember<T>(map: Map<number, T>, id: number, value: T): void {
    map.set(id, value);
    if (map.size > KEPT) for (const oldest of map.keys()) return void map.delete(oldest);
  }

  function queued(): void {
    // What waits for no thread is in a queue of the process.
    if (m.signal >= FIRST_REAL_TIME || m.signal === 0 || m.value < 0) return;
    const one = isToThread(callOf(m));
    remember(toThread, m.extra, one);
    for (const p of m.pendingSignals(m.value)) {
      if (p.signal !== m.signal || p.id === m.extra || p.in !== WAITS_IN.LIBOS || toThread.get(p.id) !== one) continue;
      remember(twins, m.extra, { first: p.seq, second: m.seq });
      return;
    }
  }

  function dropped(): void {
    if (m.signal < FIRST_REAL_TIME) return;
    const thread = m.value;
    found({
      thread,
      costNs: 0,
      evidence: [{ id: "dropped", seq: m.seq }],
      data: { signal: m.signal, thread: m.nameOf(thread), way: "dropped" },
    });
  }

  function handled(): void {
    const twin = twins.size === 0 ? undefined : twins.get(m.extra);
    if (twin === undefined) return;
    twins.delete(m.extra);
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "queued", seq: twin.first },
        { id: "queued-too", seq: twin.second },
        { id: "again", seq: m.seq },
      ],
      data: { signal: m.signal, thread: m.nameOf(), way: "again" },
    });
  }

  return { "libos.signal.append": queued, "libos.signal.drop": dropped, "app.handler.enter": handled };
}

export const signalLogFullDrop = defineRule({
  id: "signal-log-full-drop",
  title: "each number has a ring of 31 signals: standard signals queue, and real-time signals are dropped when it is full",
  severity: "medium",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what:
    "The LibOS keeps a ring of 32 pointers for each signal number, of which 31 can be used. A standard signal that is pending already is put " +
    "into it once more, where Linux would merge the two; and what finds the ring full is thrown away with one line on the console, a real-time " +
    "signal, too.",
  why:
    "A program that counts on merging runs its handler five times for one burst. One that counts on real-time signals to queue loses some, and " +
    "with them timers or completed requests; the sender is told that all is well.",
  recognise:
    'The rule looks for a real-time signal that finds its ring full ("signal queue is full" on the console), and for a handler of a standard ' +
    "signal that was put into the ring while one of its number, sent in the same way, was waiting there.",
  ignore: [
    {
      text: "a standard signal that is dropped when one of its number is pending: Linux merges them as well",
      nearMiss: {
        name: "40 times SIGUSR1, blocked to the end",
        scenario: `
          main:
            - sigprocmask: { how: block, signals: [SIGUSR1] }
            - loop: { times: 40, do: [tgkill: { thread: self, signal: SIGUSR1 }] }
        `,
        stacks: GRAPHENE,
        reaches: ["libos.signal.append", "libos.signal.drop"],
      },
    },
    {
      text: "one signal for the thread and one for the process: Linux keeps two, too",
      nearMiss: {
        name: "SIGUSR1 by tgkill and by kill",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - sigprocmask: { how: block, signals: [SIGUSR1] }
            - tgkill: { thread: self, signal: SIGUSR1 }
            - kill: { process: self, signal: SIGUSR1 }
            - sigprocmask: { how: unblock, signals: [SIGUSR1] }
          handlers:
            on-usr1:
              - compute: 1us
        `,
        stacks: GRAPHENE,
        reaches: ["libos.signal.append", "libos.signal.fetch", "app.handler.enter"],
      },
    },
  ],
  remedy:
    "One slot for each standard signal and a queue of 32 for real-time ones, of the thread and of the process (Graphene c24bddd5a, 2021-02-05); " +
    'what does not fit is still dropped ("queue is full, dropping incoming signal").',
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.2 and 2.15",
  run,
  report: {
    title: ({ signal, thread, way }) =>
      way === "dropped"
        ? `${signalName(signal)} for ${thread} is dropped: its ring of 31 is full`
        : `the handler of ${signalName(signal)} runs once more for a signal that Linux would have merged with a pending one`,
    same: ({ signal, way }) => [signal, way],
    turn: ["dropped", "again"],
    captions: {
      dropped: ({ signal }) => `the ring of ${signalName(signal)} is full: the signal is gone, and its sender is told 0`,
      queued: ({ signal }) => `${signalName(signal)} is put into the ring`,
      "queued-too": () => "one more of the same number is put into the ring, where Linux would keep one",
      again: () => "the handler runs for it, too",
    },
  },
  invalid: [
    {
      name: "SIGUSR1 twice while blocked",
      scenario: `
        main:
          - sigaction: { signal: SIGUSR1, handler: on-usr1 }
          - sigprocmask: { how: block, signals: [SIGUSR1] }
          - tgkill: { thread: self, signal: SIGUSR1 }
          - tgkill: { thread: self, signal: SIGUSR1 }
          - sigprocmask: { how: unblock, signals: [SIGUSR1] }
        handlers:
          on-usr1:
            - compute: 1us
      `,
      stacks: [...GRAPHENE, "graphene-pr1218"],
      found: [
        {
          title: "the handler of SIGUSR1 runs once more for a signal that Linux would have merged with a pending one",
          evidence: ["queued", "queued-too", "again"],
        },
      ],
    },
    {
      name: "32 real-time signals while blocked: one too many",
      scenario: `
        main:
          - sigprocmask: { how: block, signals: [40] }
          - loop: { times: 32, do: [tgkill: { thread: self, signal: 40 }] }
      `,
      stacks: [...GRAPHENE, "graphene-pr1218"],
      found: [{ title: "SIGRT8 for main is dropped: its ring of 31 is full", evidence: ["dropped"] }],
    },
  ],
});
