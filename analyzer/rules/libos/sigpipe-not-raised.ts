/** Errata A5 and C47; errata-2 A5: a write that nobody reads. */

import { E, resultText, SIG, WRITES } from "../../../engine/index.ts";
import { NONE, only, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callName, calls, GRAPHENE } from "../common.ts";

interface Data {
  readonly call: string;
  readonly result: number;
}
type Id = "called" | "host" | "returned";

const isWrite = calls(...WRITES);

interface Write {
  readonly host: number;
  raised: boolean;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** On calls: the host has said -EPIPE. */
  const broken = m.notesOnScopes<Write>();

  const raised = (): void => {
    const write = m.signal === SIG.PIPE ? broken.get(m.open(SCOPE.CALL)) : null;
    if (write !== null) write.raised = true;
  };

  return {
    "host.syscall.exit": only(isWrite, () => {
      const call = m.value === E.PIPE && m.hasLibos ? m.open(SCOPE.CALL) : NONE;
      if (call !== NONE && m.open(SCOPE.UPCALL) === NONE) broken.set(call, { host: m.seq, raised: false });
    }),
    "libos.signal.append": raised,
    "libos.signal.decide": raised,
    "app.return": broken.whileAny(() => {
      const write = broken.get(m.closed);
      if (write === null || write.raised || m.value >= 0) return;
      // Who ignores the signal is told by the result alone.
      if (m.value === E.PIPE && m.actionOf(SIG.PIPE)?.action === 1) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "called", seq: m.seqOf(m.closed) },
          { id: "host", seq: write.host },
          { id: "returned", seq: m.seq },
        ],
        data: { call: m.labelOf(m.closed), result: m.value },
      });
    }),
  };
}

export const sigpipeNotRaised = defineRule({
  id: "sigpipe-not-raised",
  title: "a write that nobody reads raises no SIGPIPE and has another error",
  severity: "medium",
  layers: ["libos", "pal"],
  generations: ["graphene-2019"],
  what:
    "The PAL catches the host's SIGPIPE, or asks for none (MSG_NOSIGNAL), and makes one error of EPIPE and ECONNRESET. The LibOS raises no signal of its own: " +
    "the write returns -ECONNRESET, with or without a handler.",
  why: "`yes | head` does not end: a filter that counts on SIGPIPE goes on, and one that looks for EPIPE takes the error for another.",
  recognise: "The rule looks for a write for which the host has said -EPIPE, and that returns an error without a SIGPIPE of the LibOS.",
  ignore: [
    {
      text: "the peer is there: nothing is broken",
      nearMiss: {
        name: "a write to a pipe",
        scenario: `
          main:
            - write: { to: pipe, bytes: 8 }
        `,
        stacks: GRAPHENE,
        reaches: ["host.syscall.exit", "app.return"],
      },
    },
    {
      text: "Gramine raises the signal (that it is for the process, is sigpipe-process-directed)",
      nearMiss: {
        name: "a write that nobody reads, on Gramine",
        scenario: `
          main:
            - sigaction: { signal: SIGPIPE, handler: on-pipe }
            - close: { what: pipe }
            - write: { to: pipe, bytes: 8 }
          handlers:
            on-pipe:
              - compute: 1us
        `,
        stacks: ["gramine-linux"],
        reaches: ["app.handler.enter", "app.return"],
      },
    },
  ],
  remedy: "Raise it in the LibOS, as Gramine does.",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference errata A5, C47; errata-2 A5",
  run,
  report: {
    title: ({ call, result }) => `${call} returns ${resultText(result)} without SIGPIPE; on Linux it is SIGPIPE and -EPIPE`,
    same: ({ call }) => [callName(call)],
    turn: ["returned"],
    captions: {
      called: ({ call }) => `the application calls ${call}`,
      host: () => "the host says -EPIPE",
      returned: ({ result }) => `the call returns ${resultText(result)}, and no SIGPIPE was raised`,
    },
  },
  invalid: [
    {
      name: "a write that nobody reads",
      scenario: `
        main:
          - sigaction: { signal: SIGPIPE, handler: on-pipe }
          - close: { what: pipe }
          - write: { to: pipe, bytes: 8 }
        handlers:
          on-pipe:
            - compute: 1us
      `,
      stacks: [...GRAPHENE, "graphene-pr347", "graphene-pr1218"],
      found: [
        {
          title: "write(pipe, 8) returns -ECONNRESET without SIGPIPE; on Linux it is SIGPIPE and -EPIPE",
          evidence: ["called", "host", "returned"],
        },
      ],
    },
  ],
});
