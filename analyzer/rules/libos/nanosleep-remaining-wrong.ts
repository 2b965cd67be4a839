/** Reference 3.2 `nanosleep-remaining-wrong`. */

import { NONE, only, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { argsOf, callName, calls, MS, SGX, timeText } from "../common.ts";

interface Data {
  readonly call: string;
  readonly told: number;
  readonly left: number;
}
type Id = "called" | "woken" | "told";

/** `which` of app.output. */
const REMAINING = 2;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** On calls: the sleep was over at this time. */
  const woken = m.notesOnScopes<{ readonly seq: number; readonly time: number }>();
  return {
    "thread.wake": only(calls("nanosleep"), () => {
      const call = m.open(SCOPE.CALL);
      if (call !== NONE && m.hasLibos && m.open(SCOPE.HANDLER) === NONE) woken.set(call, { seq: m.seq, time: m.time });
    }),
    "app.output"() {
      if (m.extra !== REMAINING || !m.hasLibos) return;
      const call = m.open(SCOPE.CALL);
      const wake = woken.get(call);
      if (call === NONE || wake === null) return;
      const label = m.labelOf(call);
      const asked = Number(/^\d+/.exec(argsOf("nanosleep", label) ?? "")?.[0] ?? Number.NaN);
      const left = asked - (wake.time - m.timeOf(call));
      if (!(m.value > left + MS)) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "called", seq: m.seqOf(call) },
          { id: "woken", seq: wake.seq },
          { id: "told", seq: m.seq },
        ],
        data: { call: label, told: m.value, left: Math.max(0, left) },
      });
    },
  };
}

const THREE_SECONDS = `
        main:
          - sigaction: { signal: SIGINT, handler: on-sigint }
          - nanosleep: { for: 3s, rem: true }
        handlers:
          on-sigint:
            - compute: 1us
        signals:
          - signal: SIGINT
            when: { at: 500ms }
      `;

export const nanosleepRemainingWrong = defineRule({
  id: "nanosleep-remaining-wrong",
  title: "nanosleep tells a remaining time that is too long",
  severity: "low",
  layers: ["libos", "pal"],
  generations: ["graphene-2019"],
  what:
    "Of the remaining microseconds tv_nsec keeps what is left after taking away a thousand for each second, instead of a million: from a second on it is " +
    "far above 999999999. Under SGX the PAL says that no time has passed, so the rest is the whole request.",
  why:
    "A loop that sleeps again for what is left gets -EINVAL or sleeps too long. Under SGX a timer that interrupts it every second keeps it asleep for " +
    "ever.",
  recognise:
    "The rule looks for a remaining time that is told more than a millisecond longer than what was asked for less what has passed.",
  ignore: [
    {
      text: "less than a second is left: the Linux PAL tells it right",
      nearMiss: {
        name: "half a second is left",
        scenario: `
          main:
            - sigaction: { signal: SIGINT, handler: on-sigint }
            - nanosleep: { for: 600ms, rem: true }
          handlers:
            on-sigint:
              - compute: 1us
          signals:
            - signal: SIGINT
              when: { at: 100ms }
        `,
        stacks: ["native-linux", "graphene-linux"],
        reaches: ["app.output"],
      },
    },
  ],
  remedy: "Compute it from the clock (Graphene 13319893f, 2021-05-19).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.2 and 2.20",
  run,
  report: {
    title: ({ call, told, left }) => `${call}: the remaining time is told as ${timeText(told)}, and ${timeText(left)} are left`,
    same: ({ call }) => [callName(call)],
    turn: ["told"],
    captions: {
      called: ({ call }) => `the application calls ${call}`,
      woken: () => "the sleep is over: a signal",
      told: ({ told }) => `the remaining time that is written is ${timeText(told)}`,
    },
  },
  invalid: [
    {
      name: "more than a second is left",
      scenario: THREE_SECONDS,
      stacks: ["graphene-linux", "graphene-pr347", "graphene-pr1218"],
      found: [
        {
          title: "nanosleep(3000000000, rem): the remaining time is told as 4.5 s, and 2.5 s are left",
          evidence: ["called", "woken", "told"],
        },
      ],
    },
    {
      name: "under SGX nothing has passed",
      scenario: THREE_SECONDS,
      stacks: SGX,
      found: [
        {
          title: "nanosleep(3000000000, rem): the remaining time is told as 6 s, and 2.5 s are left",
          evidence: ["called", "woken", "told"],
        },
      ],
    },
  ],
});
