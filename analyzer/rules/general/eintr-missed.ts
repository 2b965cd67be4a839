/** A sleep is interrupted by a signal whose handler runs, and the call does not say so. */

import { E, IPC_WAITS, POLLS, RESTARTABLE, resultText, signalName } from "../../../engine/index.ts";
import { HOW, NONE, SA, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callName, calls, createLabelTest, GRAPHENE } from "../common.ts";

interface Data {
  readonly call: string;
  readonly signal: number;
  readonly result: number;
  readonly late: number;
}
type Id = "slept" | "interrupted" | "handled" | "answered";

/** A sleep that a signal ended. */
interface Sleep {
  readonly slept: number;
  interrupted: number;
  interruptedAt: number;
  /** The handler that decides whether the call starts again. */
  handled: number;
  signal: number;
}

/** Calls that sleep until something comes (signal(7)); these are never started again, whatever SA_RESTART says. */
const isRestartable = calls(...RESTARTABLE, "connect", "flock");
const isNeverRestarted = calls(...POLLS, ...IPC_WAITS, "nanosleep", "clock_nanosleep", "pause", "sigsuspend", "rt_sigtimedwait");

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const mayEnd = createLabelTest(m, (label) => isRestartable(label) || isNeverRestarted(label));
  /** On calls of the application whose sleep a signal ended: most sleeps end otherwise, and cost no note. */
  const sleeps = m.notesOnScopes<Sleep>(callOver);
  /** By place of a call: the seq of its begin, which tells one use of the place from the next, and of its first sleep since nothing interrupted it. */
  const begunAt: number[] = [];
  const sleptAt: number[] = [];

  function asleep(): void {
    const call = m.open(SCOPE.CALL);
    if (call === NONE || m.value !== 1) return;
    const before = sleeps.get(call);
    if (before !== null && before.handled !== NONE) {
      // It was started again.
      if (!m.hasLibos) sleeps.remove(call);
      return;
    }
    const begun = m.seqOf(call);
    // It sleeps again, for the rest of its time.
    if (before === null && begunAt[call] === begun) return;
    if (m.awaitedLock() !== NONE || !mayEnd(call)) return;
    if (before !== null) sleeps.remove(call);
    begunAt[call] = begun;
    sleptAt[call] = m.seq;
  }

  function awake(): void {
    const call = m.open(SCOPE.CALL);
    if (call === NONE || begunAt[call] !== m.seqOf(call)) return;
    const sleep = sleeps.get(call);
    if (sleep !== null && sleep.handled !== NONE) return;
    if (m.value !== 2) return sleep === null ? undefined : sleeps.remove(call);
    if (sleep === null) {
      sleeps.set(call, { slept: sleptAt[call] as number, interrupted: m.seq, interruptedAt: m.time, handled: NONE, signal: 0 });
      return;
    }
    sleep.interrupted = m.seq;
    sleep.interruptedAt = m.time;
  }

  /** On plain Linux the first frame that is pushed decides, else the first handler. */
  function meets(call: number): void {
    const sleep = sleeps.get(call);
    if (sleep === null || sleep.handled !== NONE) return;
    sleep.handled = m.seq;
    sleep.signal = m.signal;
  }

  function callOver({ slept, interrupted, interruptedAt, handled, signal }: Sleep, call: number): void {
    if (m.how !== HOW.RETURNED || handled === NONE) return;
    const [result, label] = [m.value, m.labelOf(call)];
    const name = callName(label);
    if (result === E.INTR || (result > 0 && name !== "wait4") || (name === "wait4" && signalName(signal) === "SIGCHLD")) return;
    const action = m.actionOf(signal);
    if (action === null || ((action.flags & SA.RESTART) !== 0 && !isNeverRestarted(label))) return;
    const late = m.time - interruptedAt;
    found({
      thread: m.thread,
      costNs: late,
      evidence: [
        { id: "slept", seq: slept },
        { id: "interrupted", seq: interrupted },
        { id: "handled", seq: handled },
        { id: "answered", seq: m.seq },
      ],
      data: { call: label, signal, result, late },
    });
  }

  return {
    "thread.block": asleep,
    "thread.wake": awake,
    "host.signal.deliver"() {
      if (!m.hasLibos) meets(m.open(SCOPE.CALL));
    },
    "app.handler.enter"() {
      if (m.hasLibos) meets(m.open(SCOPE.CALL));
    },
  };
}

export const eintrMissed = defineRule({
  id: "eintr-missed",
  title: "a call that a handler interrupted does not return -EINTR",
  severity: "medium",
  layers: ["libos"],
  generations: ["any"],
  what: "A call slept, a signal ended the sleep, its handler ran, and the call returns something else than -EINTR.",
  why: "Programs stop their loops by EINTR: a time-out, an end of file or an old error in its place sends them another way.",
  recognise:
    "The rule looks for a sleep that ends by a signal, outside of locks, with a handler of the application after it, in a call that Linux " +
    "would not start again.",
  ignore: [
    {
      text: "the handler has SA_RESTART and Linux starts the call again",
      nearMiss: {
        name: "SA_RESTART on Linux: the read goes on",
        scenario: "w11-restart",
        stacks: ["native-linux"],
        reaches: ["app.handler.enter", "thread.wake"],
      },
    },
    {
      text: "what was waited for comes with the signal: the call has its result",
      nearMiss: {
        name: "the end of the child that wait4 waits for",
        scenario: `
          main:
            - sigaction: { signal: SIGCHLD, handler: on-chld }
            - fork: child
            - wait4
          programs:
            child:
              - nanosleep: 5ms
          handlers:
            on-chld:
              - compute: 1us
        `,
        stacks: ["native-linux", ...GRAPHENE],
        reaches: ["app.handler.enter", "thread.wake"],
      },
    },
  ],
  remedy: "Answer -EINTR, or a restart code that is settled at the end of the call (Graphene 5717e748d, 2021-05-26).",
  fix: null,
  cost: "from the end of the sleep to the call's answer",
  source: "reference 3.2 (eintr-becomes-timeout and eintr-swallowed-by-wait-loops), signal(7)",
  run,
  report: {
    title: ({ call, signal, result }) => `${call} returns ${resultText(result)} after the handler of ${signalName(signal)}, not -EINTR`,
    same: ({ call, signal, result }) => [call, signal, result],
    turn: ["answered"],
    captions: {
      slept: ({ call }) => `${call} sleeps`,
      interrupted: () => "a signal ends the sleep",
      handled: ({ signal }) => `the handler of ${signalName(signal)} runs`,
      answered: ({ result }) => `the call returns ${resultText(result)}; on Linux it returns -EINTR`,
    },
  },
  invalid: [
    {
      name: "poll and SIGINT",
      scenario: `
        main:
          - sigaction: { signal: SIGINT, handler: on-sigint }
          - poll: { on: [pipe], timeout: 1s }
        handlers:
          on-sigint:
            - compute: 1us
        signals:
          - signal: SIGINT
            when: { at: 20ms }
      `,
      stacks: [...GRAPHENE, "graphene-pr1218"],
      found: [
        {
          title: "poll(pipe, 1000000000) returns 0 after the handler of SIGINT, not -EINTR",
          evidence: ["slept", "interrupted", "handled", "answered"],
        },
      ],
    },
  ],
});
