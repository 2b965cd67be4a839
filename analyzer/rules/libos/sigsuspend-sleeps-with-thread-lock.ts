/** Reference 3.1 `sigsuspend-sleeps-with-thread-lock`; 2.18. */

import { NONE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callName, calls, GRAPHENE, timeText } from "../common.ts";
import { followSleepingHolders } from "../sleeping-holders.ts";

interface Data {
  readonly holder: string;
  readonly waiter: string;
  /** What the waiter is at. */
  readonly call: string;
  readonly waited: number;
  readonly ended: boolean;
}
type Id = "locked" | "asleep" | "wants" | "goes-on" | "end";

const isSigsuspend = calls("sigsuspend");

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  return followSleepingHolders(m, isSigsuspend, ({ thread, holder, waiter, call, locked, asleep, seq }, waited, goesOn) =>
    found({
      thread,
      costNs: waited,
      evidence: [
        ...(locked === NONE ? [] : [{ id: "locked" as const, seq: locked }]),
        { id: "asleep", seq: asleep },
        { id: "wants", seq },
        { id: goesOn ? "goes-on" : "end", seq: m.seq },
      ],
      data: { holder, waiter, call, waited, ended: goesOn },
    }),
  );
}

const who = ({ waiter, call }: Data): string => (call === "" ? waiter : `${waiter}, in ${call},`);

export const sigsuspendSleepsWithThreadLock = defineRule({
  id: "sigsuspend-sleeps-with-thread-lock",
  title: "sigsuspend sleeps with its thread's lock: who would wake it waits for the lock",
  severity: "high",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what:
    "sigsuspend takes cur.lock, puts its mask in force and sleeps with the lock in its hands. kill and tgkill take the target's lock before they " +
    "queue a signal, and so does the IPC helper when a child or a thread ends: the only ones that could wake the sleeper wait for it.",
  why:
    "Block SIGCHLD, fork, sigsuspend: a shell or supervisor hangs for ever. A sender that used kill holds the list of threads as well, so the rest " +
    "of the process follows.",
  recognise:
    "The rule looks for a thread that finds a lock taken by one that sleeps in sigsuspend, and that waits for it a millisecond or more, or to " +
    "the end. The sender's wait is the finding; deadlock and lock-held-across-block would say the same with less.",
  ignore: [
    {
      text: "SIGALRM of alarm, and signals of the host, are queued without the lock",
      nearMiss: {
        name: "SIGALRM into sigsuspend",
        scenario: `
          main:
            - sigaction: { signal: SIGALRM, handler: on-alarm }
            - sigprocmask: { how: block, signals: [SIGALRM] }
            - alarm: 1s
            - sigsuspend
          handlers:
            on-alarm:
              - compute: 1us
        `,
        stacks: GRAPHENE,
        reaches: ["thread.block", "libos.signal.append", "app.handler.enter"],
      },
    },
    {
      text: "a lock that is held across a short call of the PAL: who wants it waits a moment",
      nearMiss: {
        name: "threads that want the same lock",
        scenario: `
          main:
            - clone: other
            - loop: { times: 50, do: [tgkill: { thread: other, signal: SIGWINCH }] }
          programs:
            other:
              - loop: { times: 50, do: [tgkill: { thread: main, signal: SIGWINCH }] }
        `,
        stacks: ["graphene-linux"],
        reaches: ["lock.busy"],
      },
    },
  ],
  remedy:
    "Release the lock before the sleep, and take it again to put the old mask back (Graphene c295e5cd1, 2019-07-27; pull request commit 56b1940a6).",
  fix: "sigsuspend-sleeps-with-thread-lock",
  cost: "how long the one that would wake it waits for the lock",
  source: "reference 3.1, 2.18; errata A1",
  run,
  report: {
    title: (data) =>
      `${who(data)} waits for the lock with which ${data.holder} sleeps in sigsuspend: ${data.ended ? timeText(data.waited) : "to the end of the trace"}`,
    same: ({ call, ended }) => [callName(call), ended ? 1 : 0],
    turn: ["asleep"],
    captions: {
      locked: ({ holder }) => `${holder} takes its own lock`,
      asleep: ({ holder }) => `${holder} falls asleep with it, in sigsuspend`,
      wants: ({ waiter }) => `${waiter} has something for it, and wants the lock first`,
      "goes-on": ({ waited }) => `it gets the lock after ${timeText(waited)}: something else has ended the sleep`,
      end: () => "both still wait when the trace ends",
    },
  },
  invalid: [
    {
      name: "tgkill to a thread in sigsuspend",
      scenario: "sigsuspend-lock",
      stacks: [...GRAPHENE, "graphene-pr347"],
      found: [
        {
          title: "sender, in tgkill(main, SIGUSR1), waits for the lock with which main sleeps in sigsuspend: to the end of the trace",
          evidence: ["locked", "asleep", "wants", "end"],
        },
      ],
    },
    {
      name: "the end of a child, whose SIGCHLD sigsuspend waits for",
      scenario: `
        main:
          - sigaction: { signal: SIGCHLD, handler: on-child }
          - sigprocmask: { how: block, signals: [SIGCHLD] }
          - fork: child
          - sigsuspend
        programs:
          child:
            - nanosleep: 30ms
        handlers:
          on-child:
            - compute: 1us
        limit: { time: 500ms }
      `,
      stacks: [...GRAPHENE, "graphene-pr347"],
      found: [
        {
          title: "ipc-helper waits for the lock with which main sleeps in sigsuspend: to the end of the trace",
          evidence: ["locked", "asleep", "wants", "end"],
        },
      ],
    },
  ],
});
