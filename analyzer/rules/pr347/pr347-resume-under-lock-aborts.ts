/** errata-2 section 3, "resume": nothing clears SIGNAL_DELAYED when a call ends. */

import { signalName } from "../../../engine/index.ts";
import { MASK, NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callOf, GRAPHENE, PR347 } from "../common.ts";

interface Data {
  readonly signals: readonly number[];
  readonly call: string;
}
type Id = "call" | "delayed" | "assert";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const delayed = m.notesOnScopes<number>();

  return {
    "libos.signal.delayed"() {
      // While a handler runs inside the LibOS, as in the base revision, the bit stays for another reason.
      const call = m.open(SCOPE.SYSCALL);
      if (call !== NONE && m.open(SCOPE.HANDLER) === NONE) delayed.set(call, m.seq);
    },
    "libos.assert"() {
      const call = m.open(SCOPE.SYSCALL);
      const seq = delayed.get(call);
      // In the base revision the unlock takes the signal out of the ring, and clears the bit with that.
      if (seq === null || m.hasDeliverable(MASK.LIBOS) !== true) return;
      const signals = [...new Set([...m.pendingSignals()].map(({ signal }) => signal))];
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "call", seq: m.seqOf(call) },
          { id: "delayed", seq },
          { id: "assert", seq: m.seq },
        ],
        data: { signals, call: callOf(m) },
      });
    },
  };
}

const usr1 = (call: string): string => `
  main:
    - sigaction: { signal: SIGUSR1, handler: h }
    - clone: sender
    - ${call}
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
`;

export const pr347ResumeUnderLockAborts = defineRule({
  id: "pr347-resume-under-lock-aborts",
  title: "a wake-up while the LibOS holds a lock ends the process by an assertion",
  severity: "critical",
  layers: ["libos"],
  generations: ["pr347"],
  what:
    "DkThreadResume that finds the preempt counter above 1, which is so under every lock of the LibOS, sets SIGNAL_DELAYED in it. In the base revision " +
    "the next unlock delivers the signal and clears the bit. Here unlock passes no event, so it does neither: END_SHIM finds the counter other " +
    "than it was at entry.",
  why: "tgkill or kill to a thread in accept, in a read of the terminal or in sigsuspend is the end of the process. A worker pool is gone with its first signal.",
  recognise:
    "The rule looks for the bit being set in a call, and the assertion at the end of the same call while the signal waits in the ring, unblocked.",
  ignore: [
    {
      text: "the base revision handles the signal at the unlock, which clears the bit",
      nearMiss: {
        name: "the same on Graphene",
        scenario: usr1("accept: { on: listener }"),
        stacks: ["graphene-linux"],
        reaches: ["libos.signal.delayed", "app.handler.return"],
      },
    },
    {
      text: "the thread holds no lock",
      nearMiss: {
        name: "a thread in nanosleep",
        scenario: usr1("nanosleep: 3ms"),
        stacks: PR347,
        reaches: ["libos.upcall.enter", "app.return"],
      },
    },
    {
      text: "the handler of the base revision runs inside the LibOS: the bit stays for as long as it runs (signal-delayed-breaks-preempt-assert)",
      nearMiss: {
        name: "a call in a handler",
        scenario: "w3-delayed-bit",
        stacks: GRAPHENE,
        reaches: ["libos.signal.delayed", "libos.assert"],
      },
    },
  ],
  remedy: "No bit in the counter (Graphene 0dc1ecf51, 2019-07-14).",
  fix: "signal-delayed-breaks-preempt-assert",
  cost: "nothing is wasted: it is 0",
  source: "pull request 347, resume",
  run,
  report: {
    title: ({ signals, call }) =>
      `${signals.map(signalName).join(", ")} to a thread in ${call || "a call"} ends the process: an assertion fails`,
    same: ({ signals, call }) => [call, ...signals],
    turn: ["assert"],
    captions: {
      call: ({ call }) => `${call || "a call"} begins; it holds a lock of the LibOS while it waits`,
      delayed: () => "the wake-up finds the lock held: SIGNAL_DELAYED is set in the preempt counter",
      assert: () => "nothing has cleared it, so the counter is not what it was at entry; the LibOS aborts",
    },
  },
  invalid: [
    {
      name: "tgkill to a thread in accept",
      scenario: usr1("accept: { on: listener }"),
      stacks: PR347,
      found: [
        { title: "SIGUSR1 to a thread in accept(listener) ends the process: an assertion fails", evidence: ["call", "delayed", "assert"] },
      ],
    },
  ],
});
