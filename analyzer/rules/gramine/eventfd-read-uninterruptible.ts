/** Gramine today, N1. */

import { signalName } from "../../../engine/index.ts";
import { NONE, only, SCOPE, type ThreadModel, WAITS_IN } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { calls, GRAMINE, timeText } from "../common.ts";
import { EVENTFD_WAIT } from "../kicks.ts";

interface Data {
  readonly call: string;
  /** 0: the thread was told to end. */
  readonly signal: number;
  readonly slept: number;
}
type Id = "why" | "woken" | "asleep" | "over";

interface Wait {
  readonly why: number;
  readonly signal: number;
  readonly woken: number;
  readonly asleep: number;
  readonly at: number;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const told = m.notesOnThreads<number>();
  const woken = m.notesOnThreads<number>();
  const waits = m.notesOnScopes<Wait>(over);

  function over({ why, signal, woken: first, asleep, at }: Wait, call: number): void {
    found({
      thread: m.thread,
      costNs: m.time - at,
      evidence: [
        { id: "why", seq: why },
        { id: "woken", seq: first },
        { id: "asleep", seq: asleep },
        { id: "over", seq: m.seq },
      ],
      data: { call: m.labelOf(call), signal, slept: m.time - at },
    });
  }

  /** It sleeps again in the loop, although a signal is due or it was told to end. */
  function asleepAgain(): void {
    const call = m.open(SCOPE.CALL);
    const pal = m.open(SCOPE.PAL_CALL);
    const first = woken.get(m.slot);
    if (first === null || call === NONE || pal === NONE || m.flowOf(pal) !== EVENTFD_WAIT || waits.get(call) !== null) return;
    const place = { woken: first, asleep: m.seq, at: m.time };
    const killed = told.get(m.slot);
    if (killed !== null) return waits.set(call, { why: killed, signal: 0, ...place });
    for (const p of m.pendingSignals()) {
      if (p.in !== WAITS_IN.LIBOS || m.isDue(p) !== true) continue;
      return waits.set(call, { why: p.seq, signal: p.signal, ...place });
    }
  }

  return {
    "libos.die": () => m.extra === 1 && m.slotOf(m.value) !== NONE && told.set(m.slotOf(m.value), m.seq),
    "thread.wake": only(calls("read"), () => m.value === 2 && woken.set(m.slot, m.seq)),
    "app.call": woken.whileAny(() => woken.remove(m.slot)),
    "thread.block": woken.whileAny(asleepAgain),
  };
}

export const eventfdReadUninterruptible = defineRule({
  id: "eventfd-read-uninterruptible",
  title: "no signal ends a read of an eventfd",
  severity: "high",
  layers: ["libos"],
  generations: ["gramine"],
  what:
    "A blocking read of an eventfd is a loop over a poll of the host. An interrupted poll is ignored: the loop looks at the counter, and polls " +
    "again. It looks neither for signals nor at time_to_die.",
  why: "A thread of an event loop (libuv, Tokio, Java's selectors) that reads its eventfd gets no signal, and the process cannot end.",
  recognise:
    "The rule looks for a thread that is woken in such a read, and sleeps there again although a signal waits for it that it does not block, or it was told to end.",
  ignore: [
    {
      text: "the signal is blocked: Linux goes on waiting as well",
      nearMiss: {
        name: "a blocked signal for a reader of an eventfd",
        scenario: `
          main:
            - sigprocmask: { how: block, signals: [SIGUSR1] }
            - eventfd: { on: counter }
            - clone: worker
            - read: { from: counter }
          programs:
            worker:
              - nanosleep: 5ms
              - tgkill: { thread: main, signal: SIGUSR1 }
              - write: { to: counter, bytes: 8 }
        `,
        stacks: GRAMINE,
        reaches: ["libos.signal.append", "thread.block"],
      },
    },
  ],
  remedy: "Leave the loop with -EINTR, as other reads do. sys.insecure__allow_eventfd takes the host's eventfd, whose read is interrupted.",
  fix: "eventfd-read-uninterruptible",
  cost: "how long the thread has slept in the loop since it was woken",
  source: "gramine today, corrections 8.M1, N1; fs/eventfd/fs.c:53-62, 166-188",
  run,
  report: {
    title: ({ call, signal }) => `${call} waits on ${signal === 0 ? "although its thread was told to end" : `over ${signalName(signal)}`}`,
    same: ({ signal }) => [signal],
    turn: ["asleep"],
    captions: {
      why: ({ signal }) => (signal === 0 ? "the thread is told to end" : `${signalName(signal)} is put into the thread's queue`),
      woken: () => "its poll in the host is interrupted",
      asleep: ({ call }) => `${call} polls again, without a look at what came`,
      over: ({ slept }) => `${timeText(slept)} later`,
    },
  },
  invalid: [
    {
      name: "a handled signal for a reader of an eventfd",
      scenario: `
        main:
          - sigaction: { signal: SIGUSR1, handler: on-usr1 }
          - eventfd: { on: counter }
          - clone: worker
          - read: { from: counter }
        programs:
          worker:
            - nanosleep: 5ms
            - tgkill: { thread: main, signal: SIGUSR1 }
        handlers:
          on-usr1:
            - compute: 1us
      `,
      stacks: GRAMINE,
      found: [{ title: "read(counter, 1) waits on over SIGUSR1", evidence: ["why", "woken", "asleep", "over"] }],
    },
  ],
});
