/** A thread sleeps with a lock in its hands, and another one waits for the lock. */

import { NONE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAPHENE, timeText } from "../common.ts";
import { followSleepingHolders } from "../sleeping-holders.ts";

interface Data {
  readonly holder: string;
  readonly call: string;
  readonly waiter: string;
  readonly lock: string;
  readonly waited: number;
}
type Id = "locked" | "asleep" | "waits" | "goes-on" | "end";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  return followSleepingHolders(
    m,
    () => true,
    ({ thread, holder, holderCall: call, waiter, lock, locked, asleep, seq }, waited, goesOn) =>
      found({
        thread,
        costNs: waited,
        evidence: [
          ...(locked === NONE ? [] : [{ id: "locked" as const, seq: locked }]),
          { id: "asleep", seq: asleep },
          { id: "waits", seq },
          { id: goesOn ? "goes-on" : "end", seq: m.seq },
        ],
        data: { holder, call, waiter, lock: lock || "a lock", waited },
      }),
  );
}

export const lockHeldAcrossBlock = defineRule({
  id: "lock-held-across-block",
  title: "a thread sleeps while it holds a lock that another one wants",
  severity: "medium",
  layers: ["libos"],
  generations: ["any"],
  what: "A thread waits in the kernel for something from outside, with a lock in its hands, and another thread has to wait as long.",
  why: "One slow peer stops threads that have nothing to do with it; if the other thread is the one that would end the sleep, all stand still.",
  recognise:
    "The rule looks for a lock that is found taken by a thread that sleeps and does not itself wait for a lock, and for a wait of a " +
    "millisecond or more.",
  ignore: [
    {
      text: "the holder itself waits for a lock, or is just working: the wait is as short as the work",
      nearMiss: {
        name: "threads that start together and want the same locks",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - clone: other
            - loop: { times: 50, do: [getpid, tgkill: { thread: other, signal: SIGUSR1 }] }
          programs:
            other:
              - sigaction: { signal: SIGUSR1, handler: on-usr1 }
              - loop: { times: 50, do: [getpid, tgkill: { thread: main, signal: SIGUSR1 }] }
          handlers:
            on-usr1:
              - compute: 1us
        `,
        stacks: ["graphene-linux"],
        reaches: ["lock.busy"],
      },
    },
  ],
  remedy: "Release the lock before the sleep, and look again after it.",
  fix: null,
  cost: "how long the other thread has waited for the lock",
  source: "reference 3.1 (sigsuspend-sleeps-with-thread-lock), 2.20",
  run,
  report: {
    title: ({ holder, call, waiter, lock, waited }) =>
      `${waiter} waits ${timeText(waited)} for ${lock}: ${holder} sleeps with it${call === "" ? "" : ` in ${call}`}`,
    same: ({ call, lock }) => [call, lock.replace(/\d+/g, "N")],
    turn: ["asleep"],
    captions: {
      locked: ({ holder, lock }) => `${holder} takes ${lock}`,
      asleep: ({ holder, call }) => `${holder} falls asleep${call === "" ? "" : ` in ${call}`} and keeps it`,
      waits: ({ waiter }) => `${waiter} finds it taken`,
      "goes-on": () => "and gets it only now",
      end: () => "and waits still when the trace ends",
    },
  },
  invalid: [
    {
      name: "tgkill to a thread in sigsuspend",
      scenario: `
        main:
          - sigaction: { signal: SIGUSR1, handler: on-usr1 }
          - clone: sender
          - sigsuspend
        programs:
          sender:
            - nanosleep: 1ms
            - tgkill: { thread: main, signal: SIGUSR1 }
        handlers:
          on-usr1:
            - compute: 1us
        signals:
          - signal: SIGINT
            when: { at: 50ms }
      `,
      stacks: [...GRAPHENE, "graphene-pr347"],
      found: [
        {
          title: "sender waits 48.9 ms for lock of thread 0: main sleeps with it in sigsuspend()",
          evidence: ["locked", "asleep", "waits", "goes-on"],
        },
      ],
    },
  ],
});
