/** Gramine today, B23. */

import { signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";

interface Data {
  readonly signal: number;
  readonly host: boolean;
}
type Id = "chosen" | "killed";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** A handler was chosen, and its frame is not there yet. */
  const chosen = m.notesOnThreads<{ readonly seq: number; readonly signal: number }>();

  function fault(host: boolean): void {
    const one = chosen.get(m.slot);
    if (one === null) return;
    chosen.remove(m.slot);
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "chosen", seq: one.seq },
        { id: "killed", seq: m.seq },
      ],
      data: { signal: one.signal, host },
    });
  }

  return {
    "libos.signal.deliver"() {
      if (m.value === 2) chosen.set(m.slot, { seq: m.seq, signal: m.signal });
      else chosen.remove(m.slot);
    },
    "libos.sigframe": () => chosen.remove(m.slot),
    "app.handler.enter": () => chosen.remove(m.slot),
    "libos.upcall.return": () => chosen.remove(m.slot),
    "libos.fault": () => fault(false),
    "host.signal.default"() {
      if (m.value === 1 && m.open(SCOPE.UPCALL) !== NONE) fault(true);
    },
  };
}

export const sigframeOnBadStack = defineRule({
  id: "sigframe-on-bad-stack",
  title: "a signal frame that cannot be written is a fault of the LibOS",
  severity: "medium",
  layers: ["libos", "host"],
  generations: ["gramine"],
  what:
    "The frame of a handler is written without a look at the memory. After a stack overflow without an alternate stack, or on an alternate stack that execve has freed (B14), the write faults in the " +
    "LibOS. Under the Linux PAL that is inside the host's handler of SIGSEGV: the kernel kills the process, and nothing is printed. With EDMM it is an " +
    "internal fault; under SGX without EDMM the memory below the stack is overwritten.",
  why: "On Linux the process dies of SIGSEGV as well, but its parent is told the signal; here the parent of the library OS is told SIGPWR or status 1.",
  recognise: "The rule looks for a fault between the choice of a handler and its frame.",
  ignore: [
    {
      text: "the frame lies on an alternate stack",
      nearMiss: {
        name: "a stack overflow with an alternate stack",
        scenario: `
          main:
            - sigaction: { signal: SIGSEGV, handler: skips, flags: [SA_ONSTACK] }
            - sigaltstack: { bytes: 65536 }
            - fault: { what: memory, at: stack-guard }
          handlers:
            skips:
              - skip-fault
        `,
        stacks: ["gramine-linux"],
        reaches: ["libos.sigframe", "app.handler.enter"],
      },
    },
  ],
  remedy: "Ask whether the memory can be written, and end the process by SIGSEGV if it cannot.",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "gramine today, corrections 3.M1, B23; libos_context.c:208-281",
  run,
  report: {
    title: ({ signal, host }) =>
      `the frame for the handler of ${signalName(signal)} cannot be written: ${host ? "the host kills the process" : "an internal fault of the LibOS"}`,
    same: ({ signal, host }) => [signal, host ? 1 : 0],
    turn: ["killed"],
    captions: {
      chosen: ({ signal }) => `the LibOS chooses the handler of ${signalName(signal)}, and writes its frame`,
      killed: ({ host }) =>
        host ? "the write faults inside the host's handler, which the kernel does not enter twice" : "the write faults in the LibOS",
    },
  },
  invalid: [
    {
      name: "a stack overflow with a handler, and no alternate stack",
      scenario: `
        main:
          - sigaction: { signal: SIGSEGV, handler: on-segv }
          - fault: { what: memory, at: stack-guard }
        handlers:
          on-segv:
            - compute: 1us
      `,
      stacks: ["gramine-linux", "graphene-pr1218"],
      found: [
        { title: "the frame for the handler of SIGSEGV cannot be written: the host kills the process", evidence: ["chosen", "killed"] },
      ],
    },
  ],
});
