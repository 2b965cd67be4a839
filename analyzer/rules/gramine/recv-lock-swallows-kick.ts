/** Gramine today, N2. */

import { defineRule } from "../../rule.ts";
import { GRAMINE, timeText } from "../common.ts";
import { findUndead } from "../kicks.ts";

export const recvLockSwallowsKick = defineRule({
  id: "recv-lock-swallows-kick",
  title: "the second reader of a socket loses its wake-up in a lock, and exit_group never ends",
  severity: "high",
  layers: ["libos"],
  generations: ["gramine"],
  what:
    "recv and read of a socket hold the socket's recv_lock over the whole wait in the host. The second reader waits for that lock, and the " +
    "wait for a lock swallows the wake-up of exit_group. When it gets the lock it goes into the host's call without a look at time_to_die.",
  why: "Worker threads that share a UDP socket are usual. With two of them the process does not end; no race is needed.",
  recognise:
    "The rule looks, at the end of the trace, for a thread that was told to end while it waited for a lock, and sleeps after that.",
  ignore: [
    {
      text: "one reader alone holds the lock itself: the wake-up ends its call",
      nearMiss: {
        name: "one reader of a socket",
        scenario: `
          objects: { socket: socket }
          main:
            - clone: first
            - nanosleep: 5ms
            - exit-group
          programs:
            first:
              - read: { from: socket }
        `,
        stacks: GRAMINE,
        reaches: ["libos.die", "thread.block"],
      },
    },
  ],
  remedy: "Look at time_to_die and at pending signals after the lock was taken; or kick again until the thread is gone.",
  fix: "exit-kick-lost",
  cost: "how long the thread has slept since",
  source: "gramine today, corrections 8.M2, N2; libos_socket.c:916-1003",
  run: findUndead(({ lock, palLock }) => lock !== "" && !palLock),
  report: {
    title: ({ thread, call, lock }) => `${thread} was told to end while it waited for ${lock}, and sleeps in ${call}`,
    same: ({ call, lock }) => [call, lock],
    turn: ["asleep"],
    captions: {
      told: ({ thread, lock }) => `${thread} is told to end, and woken once: it waits for ${lock}, and goes on waiting`,
      asleep: () => "it sleeps again",
      end: ({ slept }) => `it has slept for ${timeText(slept)}; nobody wakes it again`,
    },
  },
  invalid: [
    {
      name: "two readers of one socket",
      scenario: `
        objects: { socket: socket }
        main:
          - clone: first
          - nanosleep: 1ms
          - clone: second
          - nanosleep: 5ms
          - exit-group
        programs:
          first:
            - nanosleep: 2ms
            - read: { from: socket }
          second:
            - read: { from: socket }
        limit: { time: 1s, transitions: 40000 }
      `,
      stacks: GRAMINE,
      found: [
        {
          title: "first was told to end while it waited for recv_lock of socket socket, and sleeps in read(socket, 1)",
          evidence: ["told", "asleep", "end"],
        },
      ],
    },
  ],
});
