/**
 * A rule of the tests' own, as analyzer/README.md says under "To add a rule": one file, and one line that adds it to the
 * list of rules.
 */

import { defineRule, type Found, type Handlers, HOW, NONE, SCOPE, type ThreadModel } from "../../analyzer/index.ts";

interface Data {
  readonly call: string;
}
type Id = "handler" | "called" | "back";

/** The rule remembers nothing: the model knows which handler a call was made in. */
function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  return {
    "call.end"() {
      const handler = m.open(SCOPE.HANDLER);
      const call = m.closed;
      if (m.how !== HOW.RETURNED || handler === NONE) return;
      found({
        thread: m.thread,
        costNs: m.time - m.timeOf(call),
        evidence: [
          { id: "handler", seq: m.seqOf(handler) },
          { id: "called", seq: m.seqOf(call) },
          { id: "back", seq: m.seq },
        ],
        data: { call: m.labelOf(call) },
      });
    },
  };
}

export const toyRule = defineRule({
  id: "toy-call-in-handler",
  title: "a signal handler makes a system call",
  severity: "info",
  layers: ["app"],
  generations: ["any"],
  what: "A handler calls the operating system.",
  why: "The handler takes longer, and a signal that comes meanwhile finds it in the kernel.",
  recognise: "The rule looks for calls that return while a handler of their thread is open.",
  ignore: [
    {
      text: "a call that the handler interrupts: it was made before",
      nearMiss: {
        name: "a read that a handler interrupts",
        scenario: `
          main:
            - sigaction: { signal: SIGINT, handler: on-sigint }
            - read: { from: pipe, bytes: 8 }
          handlers:
            on-sigint:
              - compute: 1us
          signals:
            - signal: SIGINT
              when: { thread: main, call: read }
        `,
        stacks: ["native-linux", "graphene-linux", "graphene-sgx"],
        reaches: ["app.handler.enter", "app.return"],
      },
    },
  ],
  remedy: "Set a flag in the handler, and make the call outside of it.",
  fix: null,
  cost: "from the call to its return",
  source: "reference 1.2",
  run,
  report: {
    title: ({ call }) => `${call} is called in a handler`,
    same: ({ call }) => [call],
    captions: {
      handler: () => "the handler runs",
      called: ({ call }) => `it calls ${call}`,
      back: () => "the call is back in the handler",
    },
  },
  invalid: [
    {
      name: "a handler that sends a signal and asks for a number",
      scenario: "w3-delayed-bit",
      stacks: ["native-linux", "graphene-pr347", "graphene-pr1218", "gramine-linux", "gramine-sgx"],
      found: [
        { title: "tgkill(self, SIGUSR2) is called in a handler", evidence: ["handler", "called", "back"] },
        { title: "getpid() is called in a handler", evidence: ["handler", "called", "back"] },
      ],
    },
  ],
});
