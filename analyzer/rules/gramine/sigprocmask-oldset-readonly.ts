/** Gramine today, B12. */

import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callName, GRAPHENE } from "../common.ts";

interface Data {
  readonly call: string;
}
type Id = "called" | "fault";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** On calls: it was told. Under the SGX PAL of Graphene the instruction faults again and again. */
  const told = m.notesOnScopes<true>();
  return {
    "libos.fault"() {
      const call = m.open(SCOPE.CALL);
      if (call === NONE || told.get(call) !== null || callName(m.labelOf(call)) !== "sigprocmask") return;
      told.set(call, true);
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "called", seq: m.seqOf(call) },
          { id: "fault", seq: m.seq },
        ],
        data: { call: m.labelOf(call) },
      });
    },
  };
}

export const sigprocmaskOldsetReadonly = defineRule({
  id: "sigprocmask-oldset-readonly",
  title: "sigprocmask with an old set that cannot be written ends the process",
  severity: "medium",
  layers: ["libos"],
  generations: ["graphene-2019", "gramine"],
  what:
    "sigprocmask looks whether the old set can be read, and then writes it. Where it can only be read the write faults in the LibOS itself: an " +
    "internal fault, exit status 1. Linux answers -EFAULT. Under the SGX PAL of Gramine without EDMM pages have no rights of their own, so the write succeeds.",
  why: "A mistake that costs one call on Linux takes the process with it.",
  recognise: "The rule looks for an internal fault of the LibOS inside sigprocmask.",
  ignore: [
    {
      text: "the old set can be written",
      nearMiss: {
        name: "sigprocmask that asks for the old set",
        scenario: `
          main:
            - sigprocmask: { how: block, signals: [SIGUSR1], old: true }
        `,
        stacks: ["gramine-linux"],
        reaches: ["app.return"],
      },
    },
  ],
  remedy: "Ask whether the memory can be written.",
  fix: "sigprocmask-oldset-readonly",
  cost: "nothing is wasted: it is 0",
  source: "gramine today 10.2, 14 B12, corrections 4.4.M3; libos_sigaction.c:82-133",
  run,
  report: {
    title: ({ call }) => `${call} faults inside the LibOS`,
    same: ({ call }) => [call],
    turn: ["fault"],
    captions: {
      called: () => "the application gives an old set",
      fault: () => "the LibOS writes it: an internal fault",
    },
  },
  invalid: [
    {
      name: "an old set in memory that can only be read",
      scenario: `
        main:
          - sigprocmask: { how: block, signals: [SIGUSR1], old: read-only }
      `,
      stacks: ["gramine-linux", ...GRAPHENE, "graphene-pr347", "graphene-pr1218"],
      found: [{ title: "sigprocmask(block, SIGUSR1, read-only) faults inside the LibOS", evidence: ["called", "fault"] }],
    },
  ],
});
