/** Reference 3.2 `rt-signal-never-flushed`; the scan of 2.12. */

import { signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel, WAITS_IN } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { createRing, GRAPHENE } from "../common.ts";

interface Data {
  readonly signal: number;
}
type Id = "queued" | "passed";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const told = createRing();
  return {
    "app.return"() {
      if (!m.anyPending() || m.open(SCOPE.HANDLER) !== NONE) return;
      for (const p of m.pendingSignals()) {
        if (p.signal < 32 || p.in !== WAITS_IN.LIBOS || m.blocks(p.signal) !== false || told.get(p.id) !== NONE) continue;
        told.set(p.id, m.seq);
        found({
          thread: m.thread,
          costNs: m.time - p.time,
          evidence: [
            { id: "queued", seq: p.seq },
            { id: "passed", seq: m.seq },
          ],
          data: { signal: p.signal },
        });
      }
    },
  };
}

export const rtSignalNeverFlushed = defineRule({
  id: "rt-signal-never-flushed",
  title: "a real-time signal stays in the ring: the scan looks at 1 to 31 only",
  severity: "high",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what: "Signals from 32 on that another thread sent, or that were put off, are in a ring that no scan looks at. The count of pending signals stays above 0.",
  why:
    "glibc uses 32 for pthread_cancel and 33 for setuid in all threads: both hang. Each later system call loses its fast path. 33 is also the " +
    "LibOS's own number for a checkpoint.",
  recognise: "The rule looks for a call that returns to the application while such a signal is pending and not blocked.",
  ignore: [
    {
      text: "to itself, not blocked: the direct way works",
      nearMiss: {
        name: "a thread sends 34 to itself",
        scenario: `
          main:
            - sigaction: { signal: 34, handler: on-rt }
            - tgkill: { thread: self, signal: 34 }
            - getpid
          handlers:
            on-rt:
              - compute: 1us
        `,
        stacks: GRAPHENE,
        reaches: ["app.handler.enter", "app.return"],
      },
    },
  ],
  remedy: "Look at all numbers (Graphene 50ca6c4a2, 2020-06-08).",
  fix: null,
  cost: "how long it has waited when the application goes on",
  source: "reference 3.2",
  run,
  report: {
    title: ({ signal }) => `${signalName(signal)} is pending and not blocked, and no scan of the LibOS looks at it`,
    same: ({ signal }) => [signal],
    turn: ["passed"],
    captions: {
      queued: ({ signal }) => `${signalName(signal)} is put into the thread's ring`,
      passed: () => "a call is back in the application: the scan at its end has not looked so far",
    },
  },
  invalid: [
    {
      name: "34 from another thread",
      scenario: `
        main:
          - sigaction: { signal: 34, handler: on-rt }
          - clone: sender
          - nanosleep: 5ms
        programs:
          sender:
            - nanosleep: 1ms
            - tgkill: { thread: main, signal: 34 }
        handlers:
          on-rt:
            - compute: 1us
      `,
      stacks: [...GRAPHENE, "graphene-pr1218"],
      found: [{ title: "SIGRT2 is pending and not blocked, and no scan of the LibOS looks at it", evidence: ["queued", "passed"] }],
    },
  ],
});
