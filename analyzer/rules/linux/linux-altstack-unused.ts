/** Reference 3.3 `linux-altstack-unused`; 1.4, alt_stack. */

import { signalName } from "../../../engine/index.ts";
import { only, SA, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { ALL_LINUX_PAL, argsOf, NATIVE, SGX } from "../common.ts";

interface Data {
  readonly signal: number;
}
type Id = "registered" | "fault" | "killed";

const registers = (label: string): boolean => argsOf("sigaltstack", label)?.includes("nostack") === false;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const registered = m.notesOnThreads<number>();
  const faults = m.notesOnThreads<number>();

  return {
    "call.end": only(registers, () => {
      if (m.value === 0) registered.set(m.slot, m.seq);
    }),
    "app.fault": () => faults.set(m.slot, m.seq),
    "host.signal.default"() {
      const [stack, fault] = [registered.get(m.slot), faults.get(m.slot)];
      const action = m.actionOf(m.signal);
      if (!m.hasLibos || m.value !== 1 || stack === null || fault === null || action === null) return;
      if (action.action < 2 || (action.flags & SA.ONSTACK) === 0 || m.blocks(m.signal) === true) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "registered", seq: stack },
          { id: "fault", seq: fault },
          { id: "killed", seq: m.seq },
        ],
        data: { signal: m.signal },
      });
    },
  };
}

const overflow = (what: string, stack = "- sigaltstack: { bytes: 8192 }"): string => `
  main:
    ${stack}
    - sigaction: { signal: SIGSEGV, handler: h, flags: [SA_ONSTACK] }
    - fault: ${what}
    - getpid
  handlers:
    h:
      - exit-group: 1
`;

export const linuxAltstackUnused = defineRule({
  id: "linux-altstack-unused",
  title: "a stack overflow kills the process, although the application has an alternate stack for its handler",
  severity: "high",
  layers: ["pal", "host"],
  generations: ["graphene-2019", "pr347"],
  what:
    "The PAL's host handlers run on the stack that was interrupted: none is registered with SA_ONSTACK, and the alternate stack that the PAL registers " +
    "begins at the top of its memory. When the application's stack is full, the host can push no frame for the fault and kills the process.",
  why: "Runtimes that detect overflows by a guard page (Java, Go with cgo, OCaml, garbage collectors) die instead of raising an error.",
  recognise:
    "The rule looks for a fault of a thread that has registered an alternate stack and a handler with SA_ONSTACK, and for the host's default action in its place.",
  ignore: [
    {
      text: "the application has no alternate stack: Linux kills it, too",
      nearMiss: {
        name: "without sigaltstack",
        scenario: overflow("stack", "- getpid"),
        stacks: [...ALL_LINUX_PAL, ...NATIVE],
        reaches: ["app.fault", "host.signal.default"],
      },
    },
    {
      text: "the fault is another one: there is room for a frame",
      nearMiss: { name: "a bad pointer", scenario: overflow("memory"), stacks: ALL_LINUX_PAL, reaches: ["app.fault", "app.handler.enter"] },
    },
    {
      text: "under SGX the host's frame lies on the untrusted stack",
      nearMiss: { name: "the same under SGX", scenario: overflow("stack"), stacks: SGX, reaches: ["app.fault", "app.handler.enter"] },
    },
  ],
  remedy: "An alternate stack of 64 KB with its right address, and SA_ONSTACK for all handlers (Graphene 0dd84ddf9, 2020-04-07).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.3; 1.4",
  run,
  report: {
    title: ({ signal }) => `${signalName(signal)} on a full stack kills the process, although its handler has an alternate stack`,
    same: ({ signal }) => [signal],
    turn: ["killed"],
    captions: {
      registered: () => "the application registers an alternate stack",
      fault: () => "its stack is full: the next push faults",
      killed: () => "the PAL's own handler is to run on that stack, so the host can push no frame, and kills",
    },
  },
  invalid: [
    {
      name: "a stack overflow",
      scenario: overflow("stack"),
      stacks: ALL_LINUX_PAL,
      found: [
        {
          title: "SIGSEGV on a full stack kills the process, although its handler has an alternate stack",
          evidence: ["registered", "fault", "killed"],
        },
      ],
    },
  ],
});
