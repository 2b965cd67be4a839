/** Gramine today, B3. */

import type { ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAMINE, timeText } from "../common.ts";
import { followWord } from "../injected.ts";

interface Data {
  readonly thread: string;
  readonly waited: number;
}
type Id = "came" | "end";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const { word, listeners } = followWord(m);

  function check(pid: number): void {
    const one = word.of(pid);
    if (one === null || one.call !== "exit" || !word.isStarved(pid) || word.queued(pid) !== null) return;
    found({
      thread: one.thread,
      costNs: m.time - one.at,
      evidence: [
        { id: "came", seq: one.seq },
        { id: "end", seq: m.seq },
      ],
      data: { thread: m.nameOf(one.thread), waited: m.time - one.at },
    });
  }

  return {
    ...listeners,
    "process.exit": () => check(m.pid()),
    "trace.end"() {
      const processes = new Set(Array.from(m.liveThreads(), ([thread]) => m.pid(thread)));
      for (const pid of processes) check(pid);
    },
  };
}

export const sigtermToParkedMain = defineRule({
  id: "sigterm-to-parked-main",
  title: "the host's SIGTERM comes to a main thread that has ended, and nobody else is told",
  severity: "high",
  layers: ["libos", "host"],
  generations: ["gramine"],
  what:
    "A main thread that calls pthread_exit is parked in the LibOS, for its host thread must live as long as the process. The kernel still gives " +
    "it the SIGTERM of the process. The LibOS notes it in the word for SIGTERM, and wakes no other thread.",
  why: "Daemons whose main thread starts workers and exits cannot be stopped: the SIGTERM is seen when some worker makes its next system call, if it ever does.",
  recognise:
    "The rule looks for a SIGTERM that was noted in a thread that is in exit, and is still there 10 ms later, at the end of the process or of the trace.",
  ignore: [
    {
      text: "a worker makes a system call soon: it takes the SIGTERM at the end of that",
      nearMiss: {
        name: "a worker that polls",
        scenario: `
          options: [sigterm-injection]
          main:
            - sigaction: { signal: SIGTERM, handler: on-term }
            - clone: worker
            - exit
          programs:
            worker:
              - loop: { times: 4, do: [{ nanosleep: 4ms }] }
          handlers:
            on-term:
              - compute: 1us
          signals:
            - signal: SIGTERM
              when: { at: 5ms }
        `,
        stacks: GRAMINE,
        reaches: ["libos.signal.inject", "app.handler.enter"],
      },
    },
  ],
  remedy: "Block SIGTERM in a parked main thread, or wake a thread that lets it through.",
  fix: null,
  cost: "how long the SIGTERM has waited",
  source: "gramine today 7.2, 14 B3; libos_exit.c:58-125",
  run,
  report: {
    title: ({ thread }) => `SIGTERM came to ${thread}, which has ended and is parked; no other thread is woken`,
    same: ({ thread }) => [thread],
    turn: ["came"],
    captions: {
      came: ({ thread }) => `the kernel gives the SIGTERM to ${thread}: the LibOS notes it, and parks the thread again`,
      end: ({ waited }) => `${timeText(waited)} later nobody has looked at it`,
    },
  },
  invalid: [
    {
      name: "main exits, a worker reads",
      scenario: `
        options: [sigterm-injection]
        main:
          - sigaction: { signal: SIGTERM, handler: on-term }
          - clone: worker
          - exit
        programs:
          worker:
            - read: { from: pipe }
        handlers:
          on-term:
            - compute: 1us
        signals:
          - signal: SIGTERM
            when: { at: 5ms }
      `,
      stacks: GRAMINE,
      found: [{ title: "SIGTERM came to main, which has ended and is parked; no other thread is woken", evidence: ["came", "end"] }],
    },
  ],
});
