/** Gramine today, B25. */

import { HOW, only, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { argsOf, callName, GRAMINE, GRAPHENE, MS, timeText } from "../common.ts";

interface Data {
  readonly told: number;
  readonly left: number;
}
type Id = "set" | "changed" | "told";

interface Timer {
  readonly set: number;
  /** The alarm that took its place. */
  readonly changed: number;
  readonly due: number;
}

/** The timer's value: `extra` of app.output. */
const VALUE = 7;
/** Clocks of a call are read at different moments of it. */
const SLACK_NS = 2 * MS;

const isReal = (args: string | null): boolean => args !== null && /\breal\b/.test(args);

const setsTimer = (label: string): boolean => argsOf("alarm", label) !== null || isReal(argsOf("setitimer", label));

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** By process: the last setitimer(real), and the alarm after it. */
  const set = new Map<number, number>();
  const timers = new Map<number, Timer>();
  const isAboutReal = (label: string): boolean => isReal(argsOf("getitimer", label) ?? argsOf("setitimer", label));
  return {
    "call.end": only(setsTimer, () => {
      if (m.how !== HOW.RETURNED || m.value < 0 || !m.hasLibos) return;
      const label = m.labelOf(m.closed);
      if (callName(label) === "setitimer") {
        set.set(m.pid(), m.seqOf(m.closed));
        timers.delete(m.pid());
      }
      const from = set.get(m.pid());
      const alarm = /^(\d+)\)/.exec(argsOf("alarm", label) ?? "")?.[1];
      if (alarm === undefined || from === undefined) return;
      timers.set(m.pid(), { set: from, changed: m.seqOf(m.closed), due: alarm === "0" ? 0 : m.time + Number(alarm) });
    }),
    "app.output"() {
      const timer = m.extra === VALUE ? timers.get(m.pid()) : undefined;
      const call = m.open(SCOPE.CALL);
      if (timer === undefined || call < 0 || !isAboutReal(m.labelOf(call))) return;
      const left = Math.max(0, timer.due - m.time);
      if (Math.abs(left - m.value) < SLACK_NS) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "set", seq: timer.set },
          { id: "changed", seq: timer.changed },
          { id: "told", seq: m.seq },
        ],
        data: { told: m.value, left },
      });
    },
    "process.exit"() {
      set.delete(m.pid());
      timers.delete(m.pid());
    },
  };
}

export const getitimerStaleAfterAlarm = defineRule({
  id: "getitimer-stale-after-alarm",
  title: "getitimer does not know of alarm",
  severity: "low",
  layers: ["libos"],
  generations: ["graphene-2019", "gramine"],
  what: "alarm and setitimer share one timer, as on Linux; but what getitimer tells, and setitimer as the old value, is what setitimer has noted. alarm notes nothing.",
  why: "Whoever saves the timer and puts it back (sleep of old C libraries, profilers) sets a wrong one.",
  recognise:
    "The rule looks for a value of the timer that differs from what the last alarm has left of it by 2 ms or more, where a setitimer came before that alarm.",
  ignore: [
    {
      text: "setitimer came last",
      nearMiss: {
        name: "alarm, setitimer, getitimer",
        scenario: `
          main:
            - alarm: 2s
            - setitimer: { value: 5s }
            - getitimer
        `,
        stacks: GRAMINE,
        reaches: ["app.output"],
      },
    },
  ],
  remedy: "Note the time in alarm as well.",
  fix: "getitimer-stale-after-alarm",
  cost: "nothing is wasted: it is 0",
  source: "gramine today 9, 14 B25; libos_alarm.c:18-163",
  run,
  report: {
    title: ({ told, left }) => `the timer is told to have ${timeText(told)} left; the last alarm leaves it ${timeText(left)}`,
    same: () => [],
    turn: ["changed"],
    captions: {
      set: () => "setitimer notes its time",
      changed: () => "alarm sets the same timer, and notes nothing",
      told: ({ told, left }) => `the LibOS tells ${timeText(told)}; ${timeText(left)} are left`,
    },
  },
  invalid: [
    {
      name: "setitimer, alarm, getitimer",
      scenario: `
        main:
          - setitimer: { value: 5s }
          - alarm: 2s
          - getitimer
      `,
      stacks: [...GRAMINE, ...GRAPHENE, "graphene-pr347", "graphene-pr1218"],
      found: [{ title: "the timer is told to have 5 s left; the last alarm leaves it 2 s", evidence: ["set", "changed", "told"] }],
    },
  ],
});
