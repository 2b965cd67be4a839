/** Reference 3.5 `futex-critical-section-killed`; 2.20. */

import { signalName } from "../../../engine/index.ts";
import { NONE, only, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callName, callOf, calls, LINUX_PAL } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly thread: string;
  readonly call: string;
}
type Id = "asleep" | "killed";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** On PAL calls of a futex wait: the thread is among the waiters and has slept. */
  const slept = m.notesOnScopes<number>();
  return {
    "thread.block": only(calls("futex_wait"), () => {
      const pal = m.open(SCOPE.PAL_CALL);
      if (pal !== NONE && m.open(SCOPE.HANDLER) === NONE && m.awaitedLock() === NONE) slept.set(pal, m.seq);
    }),
    "libos.signal.kill"() {
      // Nobody is left to look at the list.
      if (m.value === 0) return;
      const asleep = slept.get(m.open(SCOPE.PAL_CALL));
      if (asleep === null) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "asleep", seq: asleep },
          { id: "killed", seq: m.seq },
        ],
        data: { signal: m.signal, thread: m.nameOf(), call: callOf(m) },
      });
    },
  };
}

export const futexCriticalSectionKilled = defineRule({
  id: "futex-critical-section-killed",
  title: "a thread that waits for a futex is ended by a signal and stays on the list of waiters",
  severity: "high",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what:
    "A waiter's entry lies on its stack and is on the futex's list while it sleeps. When a signal whose default action ends the thread is handled at the " +
    "end of the PAL call, the thread is gone before it takes itself off: the list leads into a dead stack.",
  why:
    "The next wake-up counts the dead thread as the one that was woken, so a live waiter sleeps on; or it follows a pointer into memory that somebody else " +
    "uses by now.",
  recognise:
    "The rule looks for a default action that ends a thread inside the PAL call in which it slept for a futex, while other threads of the process live.",
  ignore: [
    {
      text: "a handler in the wait: the thread comes back and takes itself off the list",
      nearMiss: {
        name: "a handled SIGALRM in a futex wait",
        scenario: `
          main:
            - sigaction: { signal: SIGALRM, handler: on-alarm }
            - clone: worker
            - nanosleep: 1ms
            - tgkill: { thread: worker, signal: SIGALRM }
            - nanosleep: 1ms
          programs:
            worker:
              - futex-wait: { on: word }
          handlers:
            on-alarm:
              - compute: 1us
        `,
        stacks: LINUX_PAL,
        reaches: ["shim_do_futex_wait: add to the waiters", "app.handler.enter"],
      },
    },
    {
      text: "the signal is handled after the wait, when the thread is off the list (under SGX it is)",
      nearMiss: {
        name: "SIGALRM without a handler, under SGX",
        scenario: `
          main:
            - clone: worker
            - nanosleep: 1ms
            - tgkill: { thread: worker, signal: SIGALRM }
            - nanosleep: 1ms
          programs:
            worker:
              - futex-wait: { on: word }
        `,
        stacks: ["graphene-sgx"],
        reaches: ["shim_do_futex_wait: add to the waiters", "libos.signal.kill"],
      },
    },
  ],
  remedy: "No signals while the thread is on the list (Graphene 6fd54058d, 2020-04-01; issue 1393).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.5 and 2.20",
  run,
  report: {
    title: ({ signal, thread, call }) => `${signalName(signal)} ends ${thread} in ${call}, and it stays on the list of waiters`,
    same: ({ signal, call }) => [signal, callName(call)],
    turn: ["killed"],
    captions: {
      asleep: ({ thread }) => `${thread} is on the list of waiters, and sleeps`,
      killed: ({ signal }) => `the default action of ${signalName(signal)} ends the thread before it is off the list`,
    },
  },
  invalid: [
    {
      name: "SIGALRM without a handler in a futex wait",
      scenario: `
        main:
          - clone: worker
          - nanosleep: 1ms
          - tgkill: { thread: worker, signal: SIGALRM }
          - nanosleep: 1ms
          - futex-wake: { on: word }
        programs:
          worker:
            - futex-wait: { on: word }
      `,
      stacks: LINUX_PAL,
      found: [{ title: "SIGALRM ends worker in futex_wait(word), and it stays on the list of waiters", evidence: ["asleep", "killed"] }],
    },
  ],
});
