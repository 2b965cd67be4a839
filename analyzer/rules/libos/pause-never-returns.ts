/** Reference 3.2 `pause-never-returns`; 2.18. */

import { E, resultText, signalName } from "../../../engine/index.ts";
import { HOW, NONE, only, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { calls, LINUX_PAL, SGX } from "../common.ts";

interface Data {
  readonly signal: number;
  /** Null: it sleeps again. */
  readonly result: number | null;
}
type Id = "called" | "handled" | "asleep-again" | "answered";

interface Pause {
  readonly handled: number;
  readonly signal: number;
  told: boolean;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const pauses = m.notesOnScopes<Pause>(callOver);

  function told(call: number, pause: Pause, result: number | null): void {
    pause.told = true;
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "called", seq: m.seqOf(call) },
        { id: "handled", seq: pause.handled },
        { id: result === null ? "asleep-again" : "answered", seq: m.seq },
      ],
      data: { signal: pause.signal, result },
    });
  }

  function callOver(pause: Pause, call: number): void {
    if (!pause.told && m.how === HOW.RETURNED && m.value !== E.INTR) told(call, pause, m.value);
  }

  return {
    "app.handler.enter": only(calls("pause"), () => {
      const call = m.open(SCOPE.CALL);
      if (call !== NONE && m.hasLibos && pauses.get(call) === null) pauses.set(call, { handled: m.seq, signal: m.signal, told: false });
    }),
    "thread.block": pauses.whileAny(() => {
      const call = m.open(SCOPE.CALL);
      const pause = pauses.get(call);
      if (pause !== null && !pause.told && m.open(SCOPE.HANDLER) === NONE) told(call, pause, null);
    }),
  };
}

export const pauseNeverReturns = defineRule({
  id: "pause-never-returns",
  title: "pause does not return -EINTR after a handler",
  severity: "high",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what:
    "pause sleeps for ever in a loop: on the Linux PAL the handler runs and the loop goes on, so pause never returns; under SGX the abandoned " +
    "PAL call ends the loop and pause returns 0.",
  why: "`while (!stop) pause();` hangs although the handler has set the flag; a check for -1 fails.",
  recognise: "The rule looks for a handler inside pause, and then another sleep of it or a result that is not -EINTR.",
  ignore: [
    {
      text: "the handler leaves by siglongjmp, or the signal is ignored: pause goes on waiting on Linux, too",
      nearMiss: {
        name: "an ignored signal in pause",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: ignore }
            - clone: sender
            - pause
          programs:
            sender:
              - nanosleep: 1ms
              - tgkill: { thread: main, signal: SIGUSR1 }
          limit: { time: 20ms }
        `,
        stacks: LINUX_PAL,
        reaches: ["thread.wake", "libos.signal.append"],
      },
    },
  ],
  remedy: "Return -EINTR after a handler (Graphene f72cd48ee, 2019-04-30); the race before the sleep: 479d833e7, 13319893f.",
  fix: "pause-never-returns",
  cost: "nothing is wasted: it is 0",
  source: "reference 3.2 and 2.18",
  run,
  report: {
    title: ({ signal, result }) =>
      result === null
        ? `pause sleeps again after the handler of ${signalName(signal)}: it never returns`
        : `pause returns ${resultText(result)} after the handler of ${signalName(signal)}, not -EINTR`,
    same: ({ signal, result }) => [signal, result ?? "never"],
    turn: ["asleep-again", "answered"],
    captions: {
      called: () => "the application calls pause",
      handled: ({ signal }) => `the handler of ${signalName(signal)} runs`,
      "asleep-again": () => "pause sleeps again",
      answered: ({ result }) => `pause returns ${resultText(result ?? 0)}`,
    },
  },
  invalid: [
    {
      name: "pause and alarm on the Linux PAL",
      scenario: "w12-pause-alarm",
      stacks: LINUX_PAL,
      found: [
        { title: "pause sleeps again after the handler of SIGALRM: it never returns", evidence: ["called", "handled", "asleep-again"] },
      ],
    },
    {
      name: "the same under SGX",
      scenario: "w12-pause-alarm",
      stacks: SGX,
      found: [{ title: "pause returns 0 after the handler of SIGALRM, not -EINTR", evidence: ["called", "handled", "answered"] }],
    },
  ],
});
