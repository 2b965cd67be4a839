/** Gramine today, B2. */

import { defineRule } from "../../rule.ts";
import { GRAMINE, timeText } from "../common.ts";
import { EVENTFD_WAIT, findUndead } from "../kicks.ts";

export const exitKickLost = defineRule({
  id: "exit-kick-lost",
  title: "exit_group's only wake-up comes before a thread sleeps, and the process never ends",
  severity: "high",
  layers: ["libos", "host"],
  generations: ["gramine"],
  what:
    "exit_group sets time_to_die of each other thread and sends it one SIGCONT. A thread that is on its way into a waiting call, and has " +
    "looked at time_to_die for the last time, takes the SIGCONT before it sleeps. It then sleeps, and exit_group yields for ever.",
  why: "A server that calls exit hangs with one processor at full load. Whoever waits for it waits for ever.",
  recognise:
    "The rule looks, at the end of the trace, for a thread that was told to end and fell asleep after that. In a live process: one thread in " +
    "sched_yield again and again, another in a waiting call of the host.",
  ignore: [
    {
      text: "the wake-up finds the thread asleep: its call ends, and the thread with it",
      nearMiss: {
        name: "exit_group while another thread reads",
        scenario: `
          main:
            - clone: worker
            - nanosleep: 1ms
            - exit-group
          programs:
            worker:
              - read: { from: pipe }
        `,
        stacks: GRAMINE,
        reaches: ["libos.die", "thread.block"],
      },
    },
  ],
  remedy: "Wake the threads again in each round of the wait for them.",
  fix: "exit-kick-lost",
  cost: "how long the thread has slept since",
  source: "gramine today 14, B2; libos_exit.c:146-160",
  run: findUndead(({ lock, flow }) => lock === "" && flow !== EVENTFD_WAIT),
  report: {
    title: ({ thread, call }) => `${thread} was told to end, and sleeps in ${call || "the LibOS"}`,
    same: ({ thread, call }) => [thread, call],
    turn: ["asleep"],
    captions: {
      told: ({ thread }) => `${thread} is told to end, and woken once`,
      asleep: () => "it falls asleep after that: the wake-up came too early",
      end: ({ slept }) => `it has slept for ${timeText(slept)}; nobody wakes it again`,
    },
  },
  invalid: [
    {
      name: "exit_group while another thread is about to read",
      scenario: `
        main:
          - clone: worker
          - nanosleep: 1ms
          - exit-group
        programs:
          worker:
            - compute: 1003600ns
            - read: { from: pipe }
        limit: { time: 1s, transitions: 40000 }
      `,
      stacks: ["gramine-linux"],
      found: [{ title: "worker was told to end, and sleeps in read(pipe, 1)", evidence: ["told", "asleep", "end"] }],
    },
  ],
});
