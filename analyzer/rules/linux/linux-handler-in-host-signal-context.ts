/** Reference 3.3 `linux-handler-in-host-signal-context`; step 4 of 2.8. */

import { SIG, signalName } from "../../../engine/index.ts";
import { MASK, NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callOf, LINUX_PAL, SGX } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly call: string;
}
type Id = "frame" | "handler" | "asleep" | "wake";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  return {
    "host.signal.generate"() {
      const slot = m.slotOf(m.value);
      if (!m.hasLibos || m.signal !== SIG.CONT || m.asleepSince(slot) === NONE) return;
      const [frame, handler, call] = [m.open(SCOPE.HOST_FRAME, slot), m.open(SCOPE.HANDLER, slot), m.open(SCOPE.CALL, slot)];
      if (frame === NONE || handler === NONE || call === NONE) return;
      // The handler runs in the frame, and the call is the handler's.
      if (m.seqOf(frame) > m.seqOf(handler) || m.seqOf(handler) > m.seqOf(call)) return;
      if (m.isBlocked(MASK.HOST, SIG.CONT, slot) !== true) return;
      found({
        thread: m.value,
        costNs: 0,
        evidence: [
          { id: "frame", seq: m.seqOf(frame) },
          { id: "handler", seq: m.seqOf(handler) },
          { id: "asleep", seq: m.asleepSince(slot) },
          { id: "wake", seq: m.seq },
        ],
        data: { signal: m.signalOf(handler), call: callOf(m, slot) },
      });
    },
  };
}

const sleeps = (busy: string): string => `
  main:
    - sigaction: { signal: SIGINT, handler: h }
    - sigaction: { signal: SIGUSR1, handler: g }
    - clone: sender
    - ${busy}
    - getpid
  programs:
    sender:
      - nanosleep: 3ms
      - tgkill: { thread: main, signal: SIGUSR1 }
      - nanosleep: 5ms
  handlers:
    h:
      - nanosleep: 10ms
    g:
      - compute: 1us
  signals:
    - { signal: SIGINT, thread: main, when: { at: 1ms } }
`;

export const linuxHandlerInHostSignalContext = defineRule({
  id: "linux-handler-in-host-signal-context",
  title: "a handler runs inside the host's signal frame, where no wake-up reaches it",
  severity: "medium",
  layers: ["pal", "host", "libos"],
  generations: ["graphene-2019"],
  what:
    "When the interrupted code is not the PAL's, the application's handler runs inside the handler of the PAL: the host's mask has the signal and SIGCONT " +
    "until it returns. DkThreadResume wakes a thread by SIGCONT.",
  why: "A call that waits in the handler is not interrupted by a signal of another thread. Children and images that are started there inherit the mask.",
  recognise: "The rule looks for SIGCONT to a thread that sleeps in a handler, inside a host frame whose mask blocks it.",
  ignore: [
    {
      text: "the signal found the PAL running: the handler runs at the end of the call, in normal context",
      nearMiss: {
        name: "SIGINT into a nanosleep",
        scenario: sleeps("nanosleep: 2ms"),
        stacks: LINUX_PAL,
        reaches: ["pal.event.pend", "app.handler.enter", "libos.wake"],
      },
    },
    {
      text: "under SGX the host's handler is over before the application's runs",
      nearMiss: {
        name: "the same under SGX",
        scenario: sleeps("compute: 2ms"),
        stacks: SGX,
        reaches: ["host.sigreturn", "app.handler.enter", "libos.wake"],
      },
    },
  ],
  remedy: "The handler runs after rt_sigreturn, on a frame that the LibOS builds (Graphene c24bddd5a, 2021-02-05).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.3; 2.8",
  run,
  report: {
    title: ({ signal, call }) => `${call || "a call"} in the handler of ${signalName(signal)} cannot be woken: the host blocks SIGCONT`,
    same: ({ signal, call }) => [signal, call],
    turn: ["asleep"],
    captions: {
      frame: ({ signal }) => `the host pushes a frame for ${signalName(signal)}: SIGCONT is blocked in it`,
      handler: () => "the application's handler runs inside it",
      asleep: ({ call }) => `it waits in ${call || "a call"}`,
      wake: () => "another thread wakes it by SIGCONT: the mask holds that back until the handler is over",
    },
  },
  invalid: [
    {
      name: "a handler that sleeps",
      scenario: sleeps("compute: 2ms"),
      stacks: LINUX_PAL,
      found: [
        {
          title: "nanosleep(10000000) in the handler of SIGINT cannot be woken: the host blocks SIGCONT",
          evidence: ["frame", "handler", "asleep", "wake"],
        },
      ],
    },
  ],
});
