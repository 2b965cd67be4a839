/** Reference 3.2 `read-not-seen-as-syscall`; 2.12. */

import { signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callName, callOf, GRAPHENE } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly call: string;
  readonly inside: string;
}
type Id = "called" | "handled" | "overwritten";

const READ = /shim_read\(\)$/;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** On handlers that run inside read(2): the read, and the call as the application writes it. */
  const inRead = m.notesOnScopes<{ readonly read: number; readonly call: string }>();

  return {
    "app.handler.enter"() {
      const read = m.open(SCOPE.SYSCALL);
      const handler = m.open(SCOPE.HANDLER);
      if (read !== NONE && READ.test(m.labelOf(read))) inRead.set(handler, { read: m.seqOf(read), call: callOf(m) });
    },
    "libos.syscall.enter": inRead.whileAny(() => {
      const handler = m.open(SCOPE.HANDLER);
      const note = inRead.get(handler);
      if (note === null) return;
      inRead.remove(handler);
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "called", seq: note.read },
          { id: "handled", seq: m.seqOf(handler) },
          { id: "overwritten", seq: m.seq },
        ],
        data: { signal: m.signalOf(handler), call: note.call, inside: callOf(m) },
      });
    }),
  };
}

export const readNotSeenAsSyscall = defineRule({
  id: "read-not-seen-as-syscall",
  title: "a handler inside read(2) overwrites the saved context of the read by its first system call",
  severity: "low",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what:
    'syscall_nr 0 stands for "no system call", and read(2) has the number 0. A handler that runs inside a read finds the context of nobody, so ' +
    "tcb.context is not saved for it; its own first system call writes its stack pointer, return address and registers over those of the read.",
  why:
    "The handler is given a context of zeros, or the PAL's. Whoever looks at the context of the outer read later finds the handler's: fork or a second " +
    "signal out of there goes wrong.",
  recognise: "The rule looks for a handler that runs inside read(2) and makes a system call.",
  ignore: [
    {
      text: "the handler makes no system call",
      nearMiss: {
        name: "a handler in a read that only computes",
        scenario: `
          main:
            - sigaction: { signal: SIGINT, handler: on-sigint }
            - read: { from: pipe, bytes: 1 }
          handlers:
            on-sigint:
              - compute: 1us
          signals:
            - signal: SIGINT
              when: { thread: main, call: read }
        `,
        stacks: GRAPHENE,
        reaches: ["app.handler.enter", "libc read: shim_read()"],
      },
    },
    {
      text: "any other call has a number that is not 0: its context is saved",
      nearMiss: {
        name: "getpid in a handler inside nanosleep",
        scenario: `
          main:
            - sigaction: { signal: SIGINT, handler: on-sigint }
            - nanosleep: 50ms
          handlers:
            on-sigint:
              - getpid
          signals:
            - signal: SIGINT
              when: { thread: main, call: nanosleep }
        `,
        stacks: GRAPHENE,
        reaches: ["app.handler.enter", "libos.syscall.enter"],
      },
    },
  ],
  remedy: "A number that no call has stands for none (Graphene 5564cb0a5, 2019-06-18).",
  fix: null,
  isLatent: true,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.2 and 2.12",
  run,
  report: {
    title: ({ signal, call, inside }) =>
      `${inside || "a call"} in the handler of ${signalName(signal)} overwrites the context of ${call}: read is taken for no system call`,
    same: ({ signal, inside }) => [signal, callName(inside)],
    turn: ["overwritten"],
    captions: {
      called: ({ call }) => `the application calls ${call}, whose number is 0`,
      handled: () => "a handler runs inside it: the context is not saved",
      overwritten: ({ inside }) => `${inside || "a call"} writes its own over it`,
    },
  },
  invalid: [
    {
      name: "getpid in a handler inside read",
      scenario: `
        main:
          - sigaction: { signal: SIGINT, handler: on-sigint }
          - read: { from: pipe, bytes: 1 }
        handlers:
          on-sigint:
            - getpid
        signals:
          - signal: SIGINT
            when: { thread: main, call: read }
      `,
      stacks: GRAPHENE,
      found: [
        {
          title: "getpid() in the handler of SIGINT overwrites the context of read(pipe, 1): read is taken for no system call",
          evidence: ["called", "handled", "overwritten"],
        },
      ],
    },
  ],
});
