/** Errata A2: calls that the LibOS's table passes through or does not have. */

import { E } from "../../../engine/index.ts";
import { HOW, NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callName, GRAMINE, GRAPHENE } from "../common.ts";

interface Data {
  readonly call: string;
}
type Id = "called" | "answered";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** On calls whose result is made of an error of the PAL: an old one may look the same. */
  const asked = m.notesOnScopes<true>();
  return {
    "pal.errno.read": () => asked.set(m.open(SCOPE.CALL), true),
    "call.end"() {
      if (m.how !== HOW.RETURNED || !m.hasLibos || m.value !== E.NOSYS || asked.get(m.closed) !== null) return;
      // A call without a function in the table does not come as far as the LibOS's result.
      if (m.libosExitOf(m.closed) !== NONE && m.libosResultOf(m.closed) !== E.NOSYS) return;
      found({
        thread: m.thread,
        costNs: m.time - m.timeOf(m.closed),
        evidence: [
          { id: "called", seq: m.seqOf(m.closed) },
          { id: "answered", seq: m.seq },
        ],
        data: { call: callName(m.labelOf(m.closed)) },
      });
    },
  };
}

export const callNotImplemented = defineRule({
  id: "call-not-implemented",
  title: "the LibOS does not have a system call",
  severity: "medium",
  layers: ["libos"],
  generations: ["graphene-2019", "gramine"],
  what: "The call's entry in the table passes it through to nothing: -ENOSYS. So are rt_sigtimedwait, signalfd, timerfd, clock_nanosleep, waitid, newfstatat and many more. Others, such as getrandom and rseq, have no entry at all.",
  why: "glibc falls back for some calls (newfstatat), but not for sleeps (clock_nanosleep), timers or signal descriptors: programs spin, or stop with an error.",
  recognise:
    "The rule looks for a call of the application that returns -ENOSYS from the LibOS, which has not made that of an error of the PAL.",
  ignore: [
    {
      text: "an interrupted call may return an old -ENOSYS of the PAL: that is sgx-interrupted-code-lost",
      nearMiss: {
        name: "a read with a stale error",
        scenario: "w1-read-killed",
        stacks: ["graphene-sgx"],
        reaches: ["pal.call.abandon", "app.return"],
      },
    },
  ],
  remedy: "Implement the call; Gramine has most of those that wait (its list of unimplemented calls is in its documentation).",
  fix: null,
  cost: "the call",
  source: "reference 2.15; errata A2",
  run,
  report: {
    title: ({ call }) => `${call} is not implemented: -ENOSYS`,
    same: ({ call }) => [call],
    turn: ["answered"],
    captions: { called: ({ call }) => `the application calls ${call}`, answered: () => "the LibOS has no such call: -ENOSYS" },
  },
  invalid: [
    {
      name: "waiting for a signal by sigwait",
      scenario: `
        main:
          - sigprocmask: { how: block, signals: [SIGUSR1] }
          - sigwait: [SIGUSR1]
      `,
      stacks: [...GRAPHENE, "graphene-pr347", "graphene-pr1218"],
      found: [{ title: "sigwait is not implemented: -ENOSYS", evidence: ["called", "answered"] }],
    },
    {
      name: "a call that the table does not have",
      scenario: `
        main:
          - call: { name: rseq, takes: 1us }
      `,
      stacks: [...GRAPHENE, "graphene-pr347", "graphene-pr1218", ...GRAMINE],
      found: [{ title: "rseq is not implemented: -ENOSYS", evidence: ["called", "answered"] }],
    },
  ],
});
