/** Gramine today, B4. */

import { signalName } from "../../../engine/index.ts";
import type { ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAMINE, timeText } from "../common.ts";
import { followWord } from "../injected.ts";

interface Data {
  readonly before: number;
  readonly waited: number;
}
type Id = "queued" | "came" | "end";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const { word, listeners } = followWord(m);

  function check(pid: number): void {
    const one = word.of(pid);
    const queued = word.queued(pid);
    if (one === null || queued === null || !word.isStarved(pid)) return;
    found({
      thread: one.thread,
      costNs: m.time - one.at,
      evidence: [
        { id: "queued", seq: queued.seq },
        { id: "came", seq: one.seq },
        { id: "end", seq: m.seq },
      ],
      data: { before: queued.signal, waited: m.time - one.at },
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

export const sigtermStarvedByBlockedPending = defineRule({
  id: "sigterm-starved-by-blocked-pending",
  title: "a blocked signal in the queue hides the host's SIGTERM",
  severity: "high",
  layers: ["libos"],
  generations: ["gramine"],
  what:
    "The host's SIGTERM is kept in a word of its own. Who looks for signals looks at the queues when anything is in them, else at the word. " +
    "While a signal that every thread blocks is in a queue nobody ever looks at the word, and no sleep ends for it.",
  why: "`docker stop` and systemd send SIGTERM and kill ten seconds later: the graceful stop never happens. One blocked signal that is pending is enough.",
  recognise:
    "The rule looks, at the end of a process or of the trace, for a SIGTERM that has been in the word for 10 ms or more while another signal is queued.",
  ignore: [
    {
      text: "nothing is queued: the SIGTERM is taken at the end of the call",
      nearMiss: {
        name: "the host's SIGTERM with empty queues",
        scenario: `
          options: [sigterm-injection]
          main:
            - sigaction: { signal: SIGTERM, handler: on-term }
            - pause
          handlers:
            on-term:
              - compute: 1us
          signals:
            - signal: SIGTERM
              when: { thread: main, call: pause }
        `,
        stacks: GRAMINE,
        reaches: ["libos.signal.inject", "app.handler.enter"],
      },
    },
  ],
  remedy: "Look at the word beside the queues, and keep its bit in the set of pending signals.",
  fix: "sigterm-starved-by-blocked-pending",
  cost: "how long the SIGTERM has waited",
  source: "gramine today 5.9 (P1, P2), 14 B4; libos_signal.c:149-183, 652-735",
  run,
  report: {
    title: ({ before }) => `SIGTERM of the host waits behind ${signalName(before)}, which is blocked: nobody looks at it`,
    same: ({ before }) => [before],
    turn: ["end"],
    captions: {
      queued: ({ before }) => `${signalName(before)} is queued; it is blocked and stays there`,
      came: () => "the host's SIGTERM is noted in the word",
      end: ({ waited }) => `${timeText(waited)} later it is still there`,
    },
  },
  invalid: [
    {
      name: "a blocked SIGUSR1, then SIGTERM from outside",
      scenario: `
        options: [sigterm-injection]
        main:
          - sigaction: { signal: SIGTERM, handler: on-term }
          - sigprocmask: { how: block, signals: [SIGUSR1] }
          - kill: { process: self, signal: SIGUSR1 }
          - pause
        handlers:
          on-term:
            - compute: 1us
        signals:
          - signal: SIGTERM
            when: { thread: main, call: pause }
      `,
      stacks: GRAMINE,
      found: [
        { title: "SIGTERM of the host waits behind SIGUSR1, which is blocked: nobody looks at it", evidence: ["queued", "came", "end"] },
      ],
    },
  ],
});
