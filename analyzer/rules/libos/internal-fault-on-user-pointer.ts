/** Reference 3.5 `internal-fault-on-user-pointer`; 2.11. */

import { EVENT } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callName, callOf, SGX } from "../common.ts";

interface Data {
  readonly call: string;
}
type Id = "called" | "touched" | "fault";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** On system calls: the LibOS has touched memory for the application, and it faulted. */
  const touched = m.notesOnScopes<{ readonly seq: number; told: boolean }>();
  return {
    "app.fault"() {
      const syscall = m.open(SCOPE.SYSCALL);
      if (syscall === NONE || !m.flowHere().startsWith("shim_do_") || touched.get(syscall) !== null) return;
      touched.set(syscall, { seq: m.seq, told: false });
    },
    "libos.fault"() {
      const syscall = m.open(SCOPE.SYSCALL);
      const note = touched.get(syscall);
      // It happens again and again: the first time is told.
      if (m.value !== EVENT.MEMFAULT || note === null || note.told) return;
      note.told = true;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "called", seq: m.seqOf(syscall) },
          { id: "touched", seq: note.seq },
          { id: "fault", seq: m.seq },
        ],
        data: { call: callOf(m) },
      });
    },
  };
}

export const internalFaultOnUserPointer = defineRule({
  id: "internal-fault-on-user-pointer",
  title: "a bad pointer that the application hands over is taken for a fault of the LibOS",
  severity: "high",
  layers: ["libos", "pal"],
  generations: ["graphene-2019"],
  what:
    "The LibOS looks at an application's pointer by touching it, with a note of the range that may fault. Under SGX the PAL does not know the faulting " +
    "address and says 0, which is in no range: the fault is one of the LibOS itself. The breakpoint that should end the process is skipped, the " +
    "instruction is made again, and faults again.",
  why: "A call that returns -EFAULT on Linux never returns, and the console is flooded with one line.",
  recognise: "The rule looks for an internal fault on memory that the LibOS has touched inside a system call of the application.",
  ignore: [
    {
      text: "the Linux PAL knows the address: the call returns -EFAULT",
      nearMiss: {
        name: "a bad pointer on the Linux PAL",
        scenario: "bad-pointer",
        stacks: ["graphene-linux"],
        reaches: ["app.fault", "app.return"],
      },
    },
    {
      text: "a fault of the application's own code is a signal",
      nearMiss: {
        name: "the application touches bad memory itself",
        scenario: `
          main:
            - sigaction: { signal: SIGSEGV, handler: on-segv }
            - fault: memory
          handlers:
            on-segv:
              - exit-group
        `,
        stacks: SGX,
        reaches: ["app.fault", "app.handler.enter"],
      },
    },
  ],
  remedy: "Under SGX the LibOS looks at its list of mappings and touches nothing (Graphene e307eca02, 2019-05-14).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.5 and 2.11",
  run,
  report: {
    title: ({ call }) => `${call}: a bad pointer is an internal fault of the LibOS, again and again`,
    same: ({ call }) => [callName(call)],
    turn: ["fault"],
    captions: {
      called: ({ call }) => `the application calls ${call}`,
      touched: () => "the LibOS touches the memory to see whether it is good, and it faults",
      fault: () => "the address is not known, so it is an internal fault",
    },
  },
  invalid: [
    {
      name: "a bad pointer under SGX",
      scenario: "bad-pointer",
      stacks: SGX,
      found: [
        {
          title: "probe(false): a bad pointer is an internal fault of the LibOS, again and again",
          evidence: ["called", "touched", "fault"],
        },
      ],
    },
  ],
});
