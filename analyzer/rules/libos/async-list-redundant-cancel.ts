/** Reference 3.1 `async-list-redundant-cancel`; 2.19. */

import { NONE, only, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callName, callOf, calls, GRAPHENE } from "../common.ts";

interface Data {
  readonly call: string;
  /** What was set and is thrown away, or called back. */
  readonly lost: string;
  readonly way: "foreign" | "over" | "freed";
}
type Id = "set" | "removed" | "over" | "freed";

interface Timer {
  readonly seq: number;
  readonly call: string;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** By process: the timer that was set last. */
  const timers = new Map<number, Timer>();

  function told(way: Data["way"], id: Id): void {
    const timer = timers.get(m.pid());
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [...(timer === undefined ? [] : [{ id: "set" as const, seq: timer.seq }]), { id, seq: m.seq }],
      data: { call: callOf(m) || "the async helper", lost: timer?.call ?? "an entry", way },
    });
  }

  return {
    "app.return": only(calls("alarm", "setitimer"), () => {
      if (m.closed === NONE || !m.hasLibos) return;
      timers.set(m.pid(), { seq: m.seqOf(m.closed), call: m.labelOf(m.closed) });
    }),
    "at install_async_event: remove the previous entry, remember its remaining time"() {
      const [, removed, by] = /^removed the entry of (\w+) for (\w+)$/.exec(m.text()) ?? [];
      // alarm and setitimer share one timer on Linux, too.
      if (removed === undefined) return;
      if ((removed === "io") !== (by === "io")) told("foreign", "removed");
      else if (m.value < 0) told("over", "over");
    },
    "undefined.read"() {
      if (/: its entry has been freed$/.test(m.text())) told("freed", "freed");
    },
    "process.exit": () => timers.delete(m.pid()),
  };
}

export const asyncListRedundantCancel = defineRule({
  id: "async-list-redundant-cancel",
  title: "setting an asynchronous event throws away the last one that is listed, whatever it is",
  severity: "medium",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what:
    'install_async_event looks for the place of the new entry, forgets what it found, and removes the last entry of the list as "the previous ' +
    'alarm": that of another kind, too. What was left of its time is the result of the call, and may be below 0. And the helper calls back an ' +
    "entry that was removed, and freed, while it slept for it.",
  why:
    "ioctl(FIOASYNC), which many servers and terminals use, cancels a pending alarm(): the time-out never comes. alarm() returns nonsense, and a " +
    "callback through freed memory can do anything.",
  recognise:
    "The rule looks for an entry of a timer that is removed for one of IO, or the reverse; for a time left that is below 0; and for a callback of " +
    "an entry that has been freed.",
  ignore: [
    {
      text: "alarm in place of an earlier alarm: a process has one on Linux, too, whichever thread set it",
      nearMiss: {
        name: "alarm twice",
        scenario: `
          main:
            - sigaction: { signal: SIGALRM, handler: on-alarm }
            - alarm: 3s
            - alarm: 1s
            - nanosleep: 2s
          handlers:
            on-alarm:
              - compute: 1us
        `,
        stacks: GRAPHENE,
        reaches: ["install_async_event: remove the previous entry, remember its remaining time", "app.handler.enter"],
      },
    },
    {
      text: "setitimer in place of alarm: they are one timer on Linux (that it sends no signal here is setitimer-never-signals)",
      nearMiss: {
        name: "setitimer after alarm",
        scenario: "w8-alarm-itimer",
        stacks: GRAPHENE,
        reaches: ["install_async_event: remove the previous entry, remember its remaining time"],
      },
    },
  ],
  remedy:
    "Cancel entries of timers only, keep those of IO, look at the clock again (Graphene 87a4d4768, 2019-06-18). Before it 4c200975a and 54f767f7b, " +
    "after it 246b9a6fa, c51f7b1bb, 6f45e8a53 and 4263f0042 mended the same list.",
  fix: "async-list-redundant-cancel",
  cost: "nothing is wasted: it is 0",
  source: "reference 3.1 and 2.19",
  run,
  report: {
    title: ({ call, lost, way }) =>
      way === "foreign"
        ? `${call} throws away the entry of ${lost}, which has nothing to do with it: SIGALRM never comes`
        : way === "over"
          ? `${call} takes what is left of ${lost} for its result, and that is below 0`
          : `the async helper calls back an entry of ${lost} that has been freed`,
    same: ({ call, lost, way }) => [callName(call), callName(lost), way],
    turn: ["removed", "over", "freed"],
    captions: {
      set: ({ lost }) => `the application calls ${lost}`,
      removed: ({ call }) => `${call} removes the last entry of the list, although it is of another kind`,
      over: () => "the entry's time is over, and the rest is below 0",
      freed: () => "the entry was removed and freed while the helper slept for it, and is called back",
    },
  },
  invalid: [
    {
      name: "FIOASYNC while an alarm is pending",
      scenario: "async-list-cancel",
      stacks: [...GRAPHENE, "graphene-pr347"],
      found: [
        {
          title: "ioctl(socket) throws away the entry of alarm(1000000000), which has nothing to do with it: SIGALRM never comes",
          evidence: ["set", "removed"],
        },
      ],
    },
  ],
});
