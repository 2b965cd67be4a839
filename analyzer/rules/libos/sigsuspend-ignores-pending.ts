/** Reference 3.1 `sigsuspend-ignores-pending`; 2.18. */

import { signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { calls, GRAPHENE, sleepsOverSignals, timeText } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly call: string;
  readonly slept: number;
  readonly ended: boolean;
}
type Id = "pending" | "called" | "asleep" | "awake" | "end";

const waitsForSignal = calls("sigsuspend", "pause");

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const called = m.notesOnThreads<number>();

  return sleepsOverSignals(
    m,
    (p) => {
      const call = m.open(SCOPE.CALL);
      if (!m.hasLibos || call === NONE || p.seq > m.seqOf(call) || !waitsForSignal(m.labelOf(call))) return false;
      called.set(m.slot, m.seqOf(call));
      return true;
    },
    ({ thread, signal, pending, call, seq }, slept, ended) =>
      found({
        thread,
        costNs: slept,
        evidence: [
          { id: "pending", seq: pending },
          { id: "called", seq: called.get(m.slotOf(thread)) ?? seq },
          { id: "asleep", seq },
          { id: ended ? "awake" : "end", seq: m.seq },
        ],
        data: { signal, call, slept, ended },
      }),
  );
}

const ALARM = `
          handlers:
            on-alarm:
              - compute: 1us
          limit: { time: 50ms }
`;

export const sigsuspendIgnoresPending = defineRule({
  id: "sigsuspend-ignores-pending",
  title: "sigsuspend sleeps although a signal that its mask lets through is pending",
  severity: "high",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what:
    "sigsuspend puts its mask in force and sleeps. It does not look whether a signal that the mask lets through is pending already: that one " +
    "wakes nobody any more.",
  why:
    "Block the signal, look at the flag, sigsuspend: this is how programs wait for a signal without a race. Here it is the race, and the " +
    "program hangs for ever. Shells wait for their children so.",
  recognise:
    "The rule looks for a sleep in sigsuspend or pause, of a millisecond or more, over a signal that was pending before the call began and " +
    "that the mask in force lets through.",
  ignore: [
    {
      text: "the mask of sigsuspend blocks the signal, too: Linux sleeps as well",
      nearMiss: {
        name: "SIGALRM pending, and blocked by the mask of sigsuspend",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-alarm }
            - sigprocmask: { how: block, signals: [SIGUSR1] }
            - tgkill: { thread: self, signal: SIGUSR1 }
            - sigsuspend: { mask: [SIGUSR1] }${ALARM}`,
        stacks: GRAPHENE,
        reaches: ["libos.signal.append", "shim_do_sigsuspend: old := mask; mask := new; suspend_on_signal := true", "thread.block"],
      },
    },
    {
      text: "the signal is ignored: Linux sleeps as well",
      nearMiss: {
        name: "an ignored SIGUSR1 pending",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: ignore }
            - sigprocmask: { how: block, signals: [SIGUSR1] }
            - tgkill: { thread: self, signal: SIGUSR1 }
            - sigsuspend
          limit: { time: 50ms }
        `,
        stacks: GRAPHENE,
        reaches: ["libos.signal.append", "thread.block"],
      },
    },
    {
      text: "the signal comes when the thread sleeps already: it wakes it",
      nearMiss: {
        name: "SIGALRM into sigsuspend",
        scenario: `
          main:
            - sigaction: { signal: SIGALRM, handler: on-alarm }
            - sigprocmask: { how: block, signals: [SIGALRM] }
            - alarm: 1s
            - sigsuspend
          handlers:
            on-alarm:
              - compute: 1us
        `,
        stacks: GRAPHENE,
        reaches: ["thread.block", "libos.signal.append", "app.handler.enter"],
      },
    },
  ],
  remedy:
    "Look for pending signals before the sleep (Graphene 479d833e7, 2019-07-19; it returns at once, but with the old mask in force, so a handler " +
    "that this one blocks does not run). Gramine runs the handler under the temporary mask (51f9eae73, 2022-01-22).",
  fix: "sigsuspend-ignores-pending",
  cost: "how long the thread slept over the signal",
  source: "reference 3.1 and 2.18",
  run,
  report: {
    title: ({ signal, call, slept, ended }) =>
      `${call} sleeps over ${signalName(signal)}, which was pending before: ${ended ? timeText(slept) : "to the end of the trace"}`,
    same: ({ signal, call }) => [signal, call],
    turn: ["asleep"],
    captions: {
      pending: ({ signal }) => `${signalName(signal)} is pending: it is blocked, so that the program cannot miss it`,
      called: ({ call }) => `the application calls ${call}, which lets it through`,
      asleep: () => "the thread falls asleep without a look at what is pending",
      awake: ({ slept }) => `it wakes after ${timeText(slept)}, by something else`,
      end: () => "it still sleeps when the trace ends",
    },
  },
  invalid: [
    {
      name: "SIGALRM is pending when sigsuspend lets it through",
      scenario: "w2-sigsuspend-pending",
      stacks: GRAPHENE,
      found: [
        {
          title: "sigsuspend() sleeps over SIGALRM, which was pending before: to the end of the trace",
          evidence: ["pending", "called", "asleep", "end"],
        },
      ],
    },
  ],
});
