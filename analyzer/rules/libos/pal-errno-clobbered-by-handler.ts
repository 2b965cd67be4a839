/** Reference 3.2 `pal-errno-clobbered-by-handler`. */

import { resultText } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callName, callOf, LINUX_PAL, SGX } from "../common.ts";

interface Data {
  readonly call: string;
  readonly inside: string;
  readonly result: number;
}
type Id = "raised" | "clobbered" | "read";

interface Raised {
  readonly code: number;
  readonly seq: number;
  /** An error of a PAL call inside a handler came after it. */
  by: { readonly code: number; readonly seq: number; readonly inside: string } | null;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** On PAL calls: the error that they have raised. On threads: that of the last one which is over. */
  const raised = m.notesOnScopes<Raised>(palCallOver);
  const over = m.notesOnThreads<Raised>();

  function palCallOver(note: Raised): void {
    if (note.by !== null && m.slot !== NONE) over.set(m.slot, note);
  }

  function set(): void {
    const call = m.open(SCOPE.PAL_CALL);
    if (call === NONE) return;
    over.remove(m.slot);
    const handler = m.open(SCOPE.HANDLER);
    if (handler !== NONE && m.seqOf(handler) < m.seqOf(call))
      for (let outer = m.around(call); outer !== NONE; outer = m.around(outer)) {
        const note = raised.get(outer);
        if (note !== null && note.code !== m.value && m.seqOf(outer) < m.seqOf(handler))
          note.by = { code: m.value, seq: m.seq, inside: callOf(m) };
      }
    raised.set(call, { code: m.value, seq: m.seq, by: null });
  }

  function read(): void {
    const note = over.get(m.slot);
    if (note === null) return;
    over.remove(m.slot);
    if (note.by === null || m.extra !== note.by.code) return;
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "raised", seq: note.seq },
        { id: "clobbered", seq: note.by.seq },
        { id: "read", seq: m.seq },
      ],
      data: { call: callOf(m), inside: note.by.inside, result: m.value },
    });
  }

  return { "pal.errno.set": set, "pal.errno.read": read };
}

const TWO_READS = `
        objects:
          other: { kind: pipe, nonblock: true }
        main:
          - sigaction: { signal: SIGINT, handler: on-sigint }
          - read: { from: pipe, bytes: 2 }
        handlers:
          on-sigint:
            - read: { from: other, bytes: 1 }
        signals:
          - signal: SIGINT
            when: { thread: main, call: read }
      `;

export const palErrnoClobberedByHandler = defineRule({
  id: "pal-errno-clobbered-by-handler",
  title: "an interrupted call returns the error of a call that its handler made",
  severity: "medium",
  layers: ["libos", "pal"],
  generations: ["graphene-2019"],
  what:
    "The PAL hands an error over in a variable of the thread, tcb.pal_errno. Between the error of an interrupted PAL call and the LibOS's look at it a " +
    "handler runs; what fails in the handler overwrites the variable.",
  why: "The application gets -EAGAIN or -ENOENT from a call for which neither makes sense, instead of -EINTR, and takes the wrong path.",
  recognise:
    "The rule looks for an error that a PAL call raises, another one that a PAL call in a handler raises before the first is over, and a result that the " +
    "LibOS makes of the second.",
  ignore: [
    {
      text: "the call in the handler does not fail",
      nearMiss: {
        name: "a handler that makes a call which succeeds",
        scenario: `
          main:
            - sigaction: { signal: SIGINT, handler: on-sigint }
            - read: { from: pipe, bytes: 1 }
          handlers:
            on-sigint:
              - write: { to: other, bytes: 1 }
          signals:
            - signal: SIGINT
              when: { thread: main, call: read }
        `,
        stacks: LINUX_PAL,
        reaches: ["pal.errno.set", "pal.errno.read", "app.handler.enter"],
      },
    },
    {
      text: "the call in the handler fails with the same error: the result is right by luck",
      nearMiss: {
        name: "the read of the handler is interrupted, too",
        scenario: `
          main:
            - sigaction: { signal: SIGINT, handler: on-sigint }
            - read: { from: pipe, bytes: 1 }
          handlers:
            on-sigint:
              - read: { from: other, bytes: 1 }
          signals:
            - signal: SIGINT
              thread: main
              when: { thread: main, call: read }
            - signal: SIGTERM
              thread: main
              when: { thread: main, handler: SIGINT, call: 1 }
        `,
        stacks: LINUX_PAL,
        fixes: ["signal-delayed-breaks-preempt-assert"],
        reaches: ["pal.errno.set", "pal.errno.read", "app.handler.enter"],
      },
    },
  ],
  remedy: "PAL calls return their error (Graphene 7f186ba30, 2021-02-25).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.2",
  run,
  report: {
    title: ({ call, inside, result }) => `${call} returns ${resultText(result)}: the error of ${inside || "a call"} in the handler`,
    same: ({ call, inside, result }) => [callName(call), callName(inside), result],
    turn: ["clobbered"],
    captions: {
      raised: ({ call }) => `the PAL call of ${call} is interrupted: its error is noted`,
      clobbered: ({ inside }) => `${inside || "a call"} in the handler fails, and notes its own`,
      read: ({ result }) => `the LibOS makes ${resultText(result)} of it`,
    },
  },
  invalid: [
    {
      name: "a read of the handler finds nothing",
      scenario: TWO_READS,
      stacks: LINUX_PAL,
      found: [
        { title: "read(pipe, 2) returns -EAGAIN: the error of read(other, 1) in the handler", evidence: ["raised", "clobbered", "read"] },
      ],
    },
    {
      name: "under SGX, where the error of the interrupted ocall is noted",
      scenario: TWO_READS,
      stacks: SGX,
      fixes: ["sgx-interrupted-code-lost"],
      found: [
        { title: "read(pipe, 2) returns -EAGAIN: the error of read(other, 1) in the handler", evidence: ["raised", "clobbered", "read"] },
      ],
    },
  ],
});
