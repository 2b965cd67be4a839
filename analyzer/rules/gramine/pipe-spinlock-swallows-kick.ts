/** Gramine today, N3. */

import { defineRule } from "../../rule.ts";
import { timeText } from "../common.ts";
import { findUndead } from "../kicks.ts";

export const pipeSpinlockSwallowsKick = defineRule({
  id: "pipe-spinlock-swallows-kick",
  title: "the second reader of a pipe turns in the enclave, where its wake-up has no effect",
  severity: "high",
  layers: ["pal"],
  generations: ["gramine"],
  what:
    "Under SGX a pipe is a TLS session, and its spinlock is held over the blocking call of the host. A second reader turns in the enclave. " +
    "The one SIGCONT of exit_group interrupts it there, inside the PAL, and is over; when the lock is free it goes into the host's call.",
  why: "Two threads that read one pipe burn a processor as long as nothing comes, and a process that wants to end never does.",
  recognise:
    "The rule looks, at the end of the trace, for a thread that was told to end while it turned for a lock of the PAL, and sleeps after that.",
  ignore: [
    {
      text: "one reader alone sleeps in the host, where the wake-up finds it",
      nearMiss: {
        name: "one reader of a pipe",
        scenario: `
          main:
            - clone: one
            - nanosleep: 5ms
            - exit-group
          programs:
            one:
              - read: { from: pipe }
        `,
        stacks: ["gramine-sgx"],
        reaches: ["libos.die", "thread.block"],
      },
    },
  ],
  remedy: "Do not hold the lock over the host's call, or look at time_to_die when it was taken.",
  fix: "exit-kick-lost",
  cost: "how long the thread has slept since",
  source: "gramine today, corrections 4.2.M1, N3; pal_pipes.c:360-420",
  run: findUndead(({ palLock }) => palLock),
  report: {
    title: ({ thread, call, lock }) => `${thread} was told to end while it turned for ${lock}, and sleeps in ${call}`,
    same: ({ call, lock }) => [call, lock],
    turn: ["asleep"],
    captions: {
      told: ({ thread, lock }) => `${thread} is told to end, and woken once: it turns for ${lock}, and goes on turning`,
      asleep: () => "it has the lock, and sleeps in the host",
      end: ({ slept }) => `it has slept for ${timeText(slept)}; nobody wakes it again`,
    },
  },
  invalid: [
    {
      name: "two readers of one pipe",
      scenario: `
        main:
          - clone: one
          - clone: two
          - nanosleep: 20ms
          - exit-group
        programs:
          one:
            - read: { from: pipe }
          two:
            - nanosleep: 5ms
            - read: { from: pipe }
        limit: { time: 1s, transitions: 60000 }
      `,
      stacks: ["gramine-sgx"],
      found: [
        {
          title: "two was told to end while it turned for pipe.lock of pipe, and sleeps in read(pipe, 1)",
          evidence: ["told", "asleep", "end"],
        },
      ],
    },
  ],
});
