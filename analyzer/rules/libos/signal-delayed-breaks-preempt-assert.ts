/** Reference 3.1 `signal-delayed-breaks-preempt-assert`; errata-2 N1. */

import type { ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callName, callOf, GRAPHENE, PR347 } from "../common.ts";

interface Data {
  readonly call: string;
  readonly thread: string;
}
type Id = "delayed" | "assert";

/** SIGNAL_DELAYED in the counter. */
const BIT = 0x80000000;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const delayed = m.notesOnThreads<number>();
  return {
    "libos.signal.delayed": () => delayed.set(m.slot, m.seq),
    "libos.assert"() {
      if ((m.value ^ m.extra) >>> 0 !== BIT) return;
      const since = delayed.get(m.slot);
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [...(since === null ? [] : [{ id: "delayed" as const, seq: since }]), { id: "assert", seq: m.seq }],
        data: { call: callOf(m) || "a call", thread: m.nameOf() },
      });
    },
  };
}

export const signalDelayedBreaksPreemptAssert = defineRule({
  id: "signal-delayed-breaks-preempt-assert",
  title: "a flag inside the preempt counter makes an assertion fail, and the process dies",
  severity: "critical",
  layers: ["libos"],
  generations: ["graphene-2019", "pr347"],
  what:
    "SIGNAL_DELAYED is bit 31 of the preempt counter. Set while a system call runs, in a handler or under a lock of the LibOS, it is still there when " +
    "the end of the call compares the counter with what it was at entry, and the assertion fails. As a reminder the bit is of no use: it is lost " +
    "whenever the context is restored, and hardly anything reads it. In the base revision the unlock that delivers the signal clears it; with pull " +
    "request 347 unlock delivers nothing, so that every wake-up under a lock ends so.",
  why:
    "A handler that makes a system call while another signal waits kills its process. So does a blocked signal that comes to a thread in accept or in " +
    "a read of the terminal, without any handler at all.",
  recognise: "The rule looks for a failed assertion on preempt whose two values differ in bit 31 alone, and for the row that set the bit.",
  ignore: [
    {
      text: "the counter itself is wrong (it differs in the low bits): another fault, as handler-longjmp-preempt-leak",
      nearMiss: {
        name: "preempt one too high",
        scenario: [
          { name: "process.start", value: -1 },
          { name: "libos.syscall.enter" },
          { name: "libos.signal.delayed", value: 2 },
          { name: "libos.assert", value: 1, extra: 0 },
        ],
        reaches: ["libos.signal.delayed", "libos.assert"],
      },
    },
    {
      text: "a handler that makes a call while nothing waits",
      nearMiss: {
        name: "getpid in a handler",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - tgkill: { thread: self, signal: SIGUSR1 }
          handlers:
            on-usr1:
              - getpid
        `,
        stacks: GRAPHENE,
        reaches: ["app.handler.enter", "libos.syscall.exit"],
      },
    },
  ],
  remedy: "No such flag (Graphene 0dc1ecf51, 2019-07-14), an atomic counter (5fe52e4a0, 2019-07-30), no counter (c24bddd5a, 2021-02-05).",
  fix: "signal-delayed-breaks-preempt-assert",
  cost: "nothing is wasted: it is 0",
  source: "reference 3.1 and 2.13; errata-2 section 3, resume (pull request 347)",
  run,
  report: {
    title: ({ call, thread }) => `${call} in ${thread}: SIGNAL_DELAYED in the preempt counter makes the assertion at its end fail`,
    same: ({ call }) => [callName(call)],
    turn: ["assert"],
    captions: {
      delayed: () => "a signal waits and cannot be handled now: bit 31 of the preempt counter is set",
      assert: () => "the end of the call takes the bit for a count, and the process is aborted",
    },
  },
  invalid: [
    {
      name: "the handler of SIGUSR1 receives SIGUSR2 and makes a system call",
      scenario: "w3-delayed-bit",
      stacks: GRAPHENE,
      found: [
        {
          title: "tgkill(self, SIGUSR2) in main: SIGNAL_DELAYED in the preempt counter makes the assertion at its end fail",
          evidence: ["delayed", "assert"],
        },
      ],
    },
    {
      name: "tgkill to a thread in accept, which holds a lock of the LibOS",
      scenario: `
        main:
          - sigaction: { signal: SIGUSR1, handler: h }
          - clone: sender
          - accept: { on: listener }
          - getpid
        programs:
          sender:
            - nanosleep: 1ms
            - tgkill: { thread: main, signal: SIGUSR1 }
            - nanosleep: 5ms
        handlers:
          h:
            - compute: 1us
        arrivals:
          - { to: listener, when: { at: 10ms } }
      `,
      stacks: PR347,
      found: [
        {
          title: "accept(listener) in main: SIGNAL_DELAYED in the preempt counter makes the assertion at its end fail",
          evidence: ["delayed", "assert"],
        },
      ],
    },
  ],
});
