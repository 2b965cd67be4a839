/** Gramine today, B7. */

import { SIG } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { calls, GRAMINE } from "../common.ts";
import { followWord } from "../injected.ts";

interface Data {
  readonly by: string;
  readonly woken: string;
}
type Id = "taken" | "called" | "woken";

/** Calls that wake others because they are asked to. */
const wakes = calls(
  ...(["kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "futex", "futex_wake", "futex_wait"] as const),
  ...(["exit", "exit_group", "execve", "clone", "clone3", "fork", "vfork", "posix_spawn"] as const),
);

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const { word, listeners } = followWord(m);
  return {
    ...listeners,
    "libos.wake"() {
      const one = word.of(m.pid());
      const call = m.open(SCOPE.CALL);
      if (one === null || one.taken === NONE || one.seq !== NONE || call === NONE || m.blocks(SIG.TERM) !== true) return;
      if (wakes(m.labelOf(call))) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "taken", seq: one.taken },
          { id: "called", seq: m.seqOf(call) },
          { id: "woken", seq: m.seq },
        ],
        data: { by: m.nameOf(), woken: m.nameOf(m.value) },
      });
    },
  };
}

export const sigtermConsumedWakeStorm = defineRule({
  id: "sigterm-consumed-wake-storm",
  title: "after one SIGTERM each call of a thread that blocks it wakes another thread",
  severity: "medium",
  layers: ["libos"],
  generations: ["gramine"],
  what:
    "When the host's SIGTERM was taken the word for it becomes -1, not 0. A thread that blocks SIGTERM takes any word but 0 for a SIGTERM that " +
    "waits, and wakes a thread that lets it through, at the end of each of its system calls, for the rest of the process's life.",
  why:
    "Servers leave SIGTERM to the main thread and block it in the workers. After a SIGTERM that means reload or drain, each call of a worker sends " +
    "SIGCONT to main: its waits start over, and each costs an exit of the enclave.",
  recognise:
    "The rule looks for a wake-up in a call that wakes nobody by itself, by a thread that blocks SIGTERM, after the word was taken.",
  ignore: [
    {
      text: "nobody blocks SIGTERM",
      nearMiss: {
        name: "calls of a worker that lets SIGTERM through",
        scenario: `
          options: [sigterm-injection]
          main:
            - sigaction: { signal: SIGTERM, handler: on-term }
            - clone: worker
            - nanosleep: 5ms
            - nanosleep: 20ms
          programs:
            worker:
              - nanosleep: 10ms
              - getpid
          handlers:
            on-term:
              - compute: 1us
          signals:
            - signal: SIGTERM
              when: { thread: main, call: nanosleep }
        `,
        stacks: GRAMINE,
        reaches: ["libos.signal.inject", "app.handler.enter"],
      },
    },
    {
      text: "a thread that blocks SIGTERM wakes another one because it is asked to",
      nearMiss: {
        name: "futex_wake of a worker",
        scenario: `
          options: [sigterm-injection]
          main:
            - sigaction: { signal: SIGTERM, handler: on-term }
            - sigprocmask: { how: block, signals: [SIGTERM] }
            - clone: worker
            - futex-wait: { on: word, timeout: 20ms }
          programs:
            worker:
              - nanosleep: 5ms
              - futex-wake: { on: word }
          handlers:
            on-term:
              - compute: 1us
        `,
        stacks: GRAMINE,
        reaches: ["libos.wake"],
      },
    },
  ],
  remedy: "Set the word to 0 when the SIGTERM was taken.",
  fix: "sigterm-consumed-wake-storm",
  cost: "nothing is wasted by the thread itself: it is 0",
  source: "gramine today 5.9 (P2), 14 B7 with its correction; libos_signal.c:709-733",
  run,
  report: {
    title: ({ by, woken }) => `a call of ${by}, which blocks SIGTERM, wakes ${woken} for a SIGTERM that was taken long ago`,
    same: ({ by, woken }) => [by, woken],
    turn: ["woken"],
    captions: {
      taken: () => "the SIGTERM is taken: the word becomes -1",
      called: ({ by }) => `${by} makes a call that has nothing to do with it`,
      woken: ({ woken }) => `at its end it looks at the word, and wakes ${woken}`,
    },
  },
  invalid: [
    {
      name: "a worker that blocks SIGTERM",
      scenario: `
        options: [sigterm-injection]
        main:
          - sigaction: { signal: SIGTERM, handler: on-term }
          - clone: worker
          - nanosleep: 5ms
          - nanosleep: 20ms
        programs:
          worker:
            - sigprocmask: { how: block, signals: [SIGTERM] }
            - nanosleep: 10ms
            - getpid
        handlers:
          on-term:
            - compute: 1us
        signals:
          - signal: SIGTERM
            when: { thread: main, call: nanosleep }
      `,
      stacks: GRAMINE,
      found: [
        {
          title: "a call of worker, which blocks SIGTERM, wakes main for a SIGTERM that was taken long ago",
          evidence: ["called", "taken", "woken"],
        },
        {
          title: "a call of worker, which blocks SIGTERM, wakes main for a SIGTERM that was taken long ago",
          evidence: ["taken", "called", "woken"],
        },
      ],
    },
  ],
});
