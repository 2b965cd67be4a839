/** Gramine today, N5. */

import { E } from "../../../engine/index.ts";
import { HOW, NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callName, callOf, GRAMINE } from "../common.ts";

interface Data {
  readonly call: string;
  readonly waiter: string;
  readonly waker: string;
}
type Id = "waits" | "woken" | "timed-out";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** On a waiter's call: who took it out of the futex's queue. */
  const woken = m.notesOnScopes<{ readonly seq: number; readonly waker: string }>(over);

  function over({ seq, waker }: { readonly seq: number; readonly waker: string }, call: number): void {
    if (m.how !== HOW.RETURNED || m.value !== E.TIMEDOUT) return;
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "waits", seq: m.seqOf(call) },
        { id: "woken", seq },
        { id: "timed-out", seq: m.seq },
      ],
      data: { call: m.labelOf(call), waiter: m.nameOf(), waker },
    });
  }

  return {
    "libos.wake"() {
      if (callName(callOf(m)) !== "futex_wake") return;
      const slot = m.slotOf(m.value);
      const call = m.open(SCOPE.CALL, slot);
      if (call !== NONE && callName(m.labelOf(call)) === "futex_wait") woken.set(call, { seq: m.seq, waker: m.nameOf() });
    },
  };
}

export const futexWakeLostOnTimeout = defineRule({
  id: "futex-wake-lost-on-timeout",
  title: "a waiter that was woken and counted says that its time is over",
  severity: "high",
  layers: ["libos"],
  generations: ["gramine"],
  what:
    "FUTEX_WAIT whose time is over takes the futex's lock to leave the queue. A FUTEX_WAKE that comes before that takes it out of the queue " +
    "itself, and counts it. The waiter finds that it was woken, and answers -ETIMEDOUT all the same. Linux answers 0.",
  why:
    "The wake-up was for one waiter, and is used up: the next one sleeps on although the lock is free or the queue is full. Programs with " +
    "pthread_cond_timedwait hang, seldom.",
  recognise: "The rule looks for a FUTEX_WAIT that answers -ETIMEDOUT after a FUTEX_WAKE had taken it out of the queue.",
  ignore: [
    {
      text: "the waker comes in time",
      nearMiss: {
        name: "a wake-up before the time is over",
        scenario: `
          main:
            - clone: waker
            - futex-wait: { on: word, timeout: 20ms }
          programs:
            waker:
              - nanosleep: 2ms
              - futex-wake: { on: word }
        `,
        stacks: GRAMINE,
        reaches: ["libos.wake", "app.return"],
      },
    },
  ],
  remedy: "Answer 0 to a waiter that was woken, whatever ended its sleep.",
  fix: "futex-wake-lost-on-timeout",
  cost: "nothing is wasted by the waiter: it is 0",
  source: "gramine today, corrections 8.4, N5; libos_futex.c:356-376",
  run,
  report: {
    title: ({ call, waiter, waker }) => `${waiter} was woken by ${waker} out of ${call}, and answers -ETIMEDOUT: the wake-up is lost`,
    same: ({ call }) => [call],
    turn: ["timed-out"],
    captions: {
      waits: ({ waiter }) => `${waiter} waits with a time-out`,
      woken: ({ waker }) => `${waker} takes it out of the queue, and counts it`,
      "timed-out": () => "it answers -ETIMEDOUT; on Linux 0",
    },
  },
  invalid: [
    {
      name: "a wake-up as the time is over",
      scenario: `
        main:
          - clone: waker
          - futex-wait: { on: word, timeout: 5ms }
        programs:
          waker:
            - compute: 5002000ns
            - futex-wake: { on: word, count: 1 }
      `,
      stacks: GRAMINE,
      found: [
        {
          title: "main was woken by waker out of futex_wait(word, 5000000), and answers -ETIMEDOUT: the wake-up is lost",
          evidence: ["waits", "woken", "timed-out"],
        },
      ],
    },
  ],
});
