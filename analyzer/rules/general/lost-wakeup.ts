/** A thread falls asleep with a signal that is due: what was to wake it has come already. */

import { signalName } from "../../../engine/index.ts";
import type { ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAPHENE, sleepsOverSignals, timeText } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly call: string;
  readonly slept: number;
  readonly ended: boolean;
}
type Id = "pending" | "asleep" | "awake" | "end";

const run = (m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers =>
  sleepsOverSignals(
    m,
    () => true,
    ({ thread, signal, pending, call, seq }, slept, ended) =>
      found({
        thread,
        costNs: slept,
        evidence: [
          { id: "pending", seq: pending },
          { id: "asleep", seq },
          { id: ended ? "awake" : "end", seq: m.seq },
        ],
        data: { signal, call, slept, ended },
      }),
  );

export const lostWakeup = defineRule({
  id: "lost-wakeup",
  title: "a thread falls asleep although the signal that should wake it has come already",
  severity: "high",
  layers: ["libos", "pal"],
  generations: ["any"],
  what: "Between the last look at what is pending and the sleep nobody looks again: a signal that is due is slept over.",
  why: "The thread hangs until something else happens, sometimes for ever. It happens seldom, and only under load.",
  recognise:
    "The rule looks for a sleep that a signal may end, begun while a signal is due, outside of handlers, of a millisecond or more.",
  ignore: [
    {
      text: "the signal comes during the sleep: it ends it",
      nearMiss: {
        name: "a signal into a nanosleep",
        scenario: `
          main:
            - sigaction: { signal: SIGINT, handler: on-sigint }
            - nanosleep: 50ms
          handlers:
            on-sigint:
              - compute: 1us
          signals:
            - signal: SIGINT
              when: { at: 20ms }
        `,
        stacks: ["native-linux", ...GRAPHENE],
        reaches: ["thread.block", "app.handler.enter"],
      },
    },
    {
      text: "the signal is blocked: Linux sleeps, too",
      nearMiss: {
        name: "a blocked signal, and a sleep",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - sigprocmask: { how: block, signals: [SIGUSR1] }
            - tgkill: { thread: self, signal: SIGUSR1 }
            - nanosleep: 20ms
          handlers:
            on-usr1:
              - compute: 1us
        `,
        stacks: ["native-linux", ...GRAPHENE],
        reaches: ["thread.block", "host.syscall.exit"],
      },
    },
  ],
  remedy:
    "Wait on something that stays set when the wake-up comes first, and look once more after it is armed (Graphene 8c65f67a6, 13319893f).",
  fix: null,
  cost: "how long the thread slept over the signal",
  source: "reference 3.2 (wakeup-lost-before-block), 3.1 (sigsuspend-ignores-pending)",
  run,
  report: {
    title: ({ signal, call, slept, ended }) =>
      `${call || "a thread"} sleeps over ${signalName(signal)}, which was pending: ${ended ? timeText(slept) : "to the end of the trace"}`,
    same: ({ signal, call }) => [signal, call],
    turn: ["asleep"],
    captions: {
      pending: ({ signal }) => `${signalName(signal)} is pending, and not blocked`,
      asleep: ({ call }) => `${call || "the thread"} falls asleep without another look`,
      awake: ({ slept }) => `it wakes after ${timeText(slept)}`,
      end: () => "it still sleeps when the trace ends",
    },
  },
  invalid: [
    {
      name: "SIGALRM is pending when sigsuspend lets it through",
      scenario: "w2-sigsuspend-pending",
      stacks: GRAPHENE,
      found: [
        { title: "sigsuspend() sleeps over SIGALRM, which was pending: to the end of the trace", evidence: ["pending", "asleep", "end"] },
      ],
    },
  ],
});
