/** Errata A11: the time that is left of an alarm. */

import { NONE, only, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callName, calls, GRAPHENE, timeText } from "../common.ts";

interface Data {
  readonly told: number;
  readonly linux: number;
  readonly left: number;
}
type Id = "set" | "told";

const SECOND = 1e9;
/** From the call to the look at the clock. */
const SLACK_NS = 1e6;

/** To the nearest second, and at least one. */
const linuxRounds = (left: number): number => Math.max(1, Math.floor(left / SECOND + 0.5));

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** By process: when the alarm is due, and the row that set it. */
  const alarms = new Map<number, { readonly due: number; readonly seq: number }>();
  return {
    "app.return": only(calls("alarm", "setitimer"), () => {
      if (m.closed === NONE || !m.hasLibos) return;
      const label = m.labelOf(m.closed);
      const name = callName(label);
      if (name === "setitimer") alarms.delete(m.pid());
      if (name !== "alarm") return;
      const before = alarms.get(m.pid());
      const ns = Number(/\((\d+)/.exec(label)?.[1] ?? 0);
      if (ns > 0) alarms.set(m.pid(), { due: m.timeOf(m.closed) + ns, seq: m.seqOf(m.closed) });
      else alarms.delete(m.pid());
      const left = before === undefined ? 0 : before.due - m.timeOf(m.closed);
      const linux = linuxRounds(left);
      // Near the middle of a second nobody can say.
      if (before === undefined || left < SLACK_NS || m.value === linux || linuxRounds(left + SLACK_NS) !== linux) return;
      if (m.value !== Math.ceil(left / SECOND)) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "set", seq: before.seq },
          { id: "told", seq: m.seq },
        ],
        data: { told: m.value, linux, left },
      });
    }),
    "process.exit": () => alarms.delete(m.pid()),
  };
}

export const alarmRoundsUp = defineRule({
  id: "alarm-rounds-up",
  title: "alarm tells a second too much of the time that is left",
  severity: "low",
  layers: ["libos"],
  generations: ["graphene-2019", "gramine"],
  what: "alarm() rounds what was left of the earlier alarm up to whole seconds. Linux rounds to the nearest one.",
  why: "A library that saves an alarm and puts it back, as some resolvers do, makes it a second longer each time.",
  recognise: "The rule looks for an alarm that returns more seconds than the nearest whole number to what was left.",
  ignore: [
    {
      text: "more than half a second above: both round up",
      nearMiss: {
        name: "7.7 s are left",
        scenario: `
          main:
            - alarm: 10s
            - compute: 2300ms
            - alarm: 0s
        `,
        stacks: ["native-linux", ...GRAPHENE],
        reaches: ["app.return"],
      },
    },
  ],
  remedy: "Round to the nearest second, as Linux does.",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference errata A11; errata-2 A11 (shim_alarm.c:49)",
  run,
  report: {
    title: ({ told, linux, left }) => `alarm returns ${told} with ${timeText(left)} left; on Linux it is ${linux}`,
    same: () => [],
    turn: ["told"],
    captions: {
      set: () => "the application sets an alarm",
      told: ({ told, linux }) => `another alarm takes its place, and ${told} s are told as left instead of ${linux}`,
    },
  },
  invalid: [
    {
      name: "7.3 s are left",
      scenario: `
        main:
          - alarm: 10s
          - compute: 2700ms
          - alarm: 0s
      `,
      stacks: [...GRAPHENE, "graphene-pr347", "graphene-pr1218", "gramine-linux", "gramine-sgx"],
      found: [{ title: "alarm returns 8 with 7.3 s left; on Linux it is 7", evidence: ["set", "told"] }],
    },
  ],
});
