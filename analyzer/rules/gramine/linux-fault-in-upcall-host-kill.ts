/** Gramine today, N12. */

import { signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";

interface Data {
  readonly signal: number;
}
type Id = "framed" | "upcall" | "killed";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  return {
    "host.signal.default"() {
      const frame = m.open(SCOPE.HOST_FRAME);
      const upcall = m.open(SCOPE.UPCALL);
      if (m.value !== 1 || upcall === NONE || frame === NONE || m.signalOf(frame) !== m.signal) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "framed", seq: m.seqOf(frame) },
          { id: "upcall", seq: m.seqOf(upcall) },
          { id: "killed", seq: m.seq },
        ],
        data: { signal: m.signal },
      });
    },
  };
}

export const linuxFaultInUpcallHostKill = defineRule({
  id: "linux-fault-in-upcall-host-kill",
  title: "a fault inside the upcall of a fault kills the process in the host, without a word",
  severity: "medium",
  layers: ["libos", "pal", "host"],
  generations: ["gramine"],
  what:
    "Under the Linux PAL all that the LibOS does in an upcall runs inside the host's handler, with the signal itself blocked. A second fault of " +
    "the same signal there cannot be delivered: the kernel takes the default action. Nothing is printed, and no message goes to the parent.",
  why: "There is no trace of what went wrong; the parent process of the library OS sees SIGPWR instead of an exit status.",
  recognise: "The rule looks for the host's default action of a signal whose own handler is active, with an upcall of the LibOS open.",
  ignore: [
    {
      text: "a fault of the application itself, without a handler",
      nearMiss: {
        name: "a memory fault that nobody handles",
        scenario: `
          main:
            - fault: { what: memory, at: stack-guard }
        `,
        stacks: ["gramine-linux"],
        reaches: ["libos.upcall.enter", "process.exit"],
      },
    },
  ],
  remedy: "Register the handlers with SA_NODEFER, or leave the host's handler before the LibOS does its work.",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "gramine today, corrections 3.M1, N12; pal_exception.c:75-85",
  run,
  report: {
    title: ({ signal }) => `a second ${signalName(signal)} inside the LibOS's upcall for one: the host kills the process`,
    same: ({ signal }) => [signal],
    turn: ["killed"],
    captions: {
      framed: ({ signal }) => `the host's handler of ${signalName(signal)} begins, with the signal blocked`,
      upcall: () => "the LibOS works inside of it",
      killed: () => "it faults; the kernel cannot enter the handler again, and takes the default action",
    },
  },
  invalid: [
    {
      name: "a frame that does not fit on the stack",
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
        {
          title: "a second SIGSEGV inside the LibOS's upcall for one: the host kills the process",
          evidence: ["framed", "upcall", "killed"],
        },
      ],
    },
  ],
});
