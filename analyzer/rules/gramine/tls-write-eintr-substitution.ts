/** Gramine today, N10. */

import { E, WRITES } from "../../../engine/index.ts";
import { HOW, NONE, only, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { calls } from "../common.ts";

interface Data {
  readonly before: string;
  readonly call: string;
  readonly sent: number;
  readonly answered: number;
}
type Id = "interrupted" | "called" | "sent" | "answered";

interface Write {
  readonly seq: number;
  readonly call: string;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** A write that was interrupted after its record was built. */
  const interrupted = m.notesOnThreads<Write>();
  /** On calls: what its last ocall has sent. */
  const sent = m.notesOnScopes<{ readonly seq: number; readonly bytes: number }>(over);

  function over({ seq, bytes }: { readonly seq: number; readonly bytes: number }, call: number): void {
    const before = interrupted.get(m.slot);
    if (m.how !== HOW.RETURNED) return;
    const label = m.labelOf(call);
    if (m.value === E.INTR && bytes === E.INTR) return interrupted.set(m.slot, { seq: m.seq, call: label });
    interrupted.remove(m.slot);
    if (before === null || before.call === label || bytes <= 0 || m.value <= 0 || bytes === m.value) return;
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "interrupted", seq: before.seq },
        { id: "called", seq: m.seqOf(call) },
        { id: "sent", seq },
        { id: "answered", seq: m.seq },
      ],
      data: { before: before.call, call: label, sent: bytes, answered: m.value },
    });
  }

  return {
    "ocall.return": only(calls(...WRITES), () => {
      const call = m.open(SCOPE.CALL);
      if (call === NONE || m.open(SCOPE.PAL_CALL) === NONE) return;
      sent.set(call, { seq: m.seq, bytes: m.value });
    }),
  };
}

export const tlsWriteEintrSubstitution = defineRule({
  id: "tls-write-eintr-substitution",
  title: "after an interrupted write the next one sends the old data, and answers its own length",
  severity: "medium",
  layers: ["pal"],
  generations: ["gramine"],
  what:
    "Under SGX pipes and UNIX sockets are TLS. A write that is interrupted when its record is built leaves the record behind, and the application " +
    "gets -EINTR: nothing was written. The next write, of whatever data, sends the old record and is told its own length.",
  why: "The other side gets what was never to be sent, and lacks what was: a stream of messages is torn for good.",
  recognise: "The rule looks for a write after an interrupted one whose ocall sent another number of bytes than the write answers.",
  ignore: [
    {
      text: "the same write is made again: its record is what was to be sent",
      nearMiss: {
        name: "a program that repeats its write",
        scenario: `
          options: [sigterm-injection]
          main:
            - sigaction: { signal: SIGTERM, handler: on-term }
            - write: { to: pipe, bytes: 4 }
            - write: { to: pipe, bytes: 4 }
          handlers:
            on-term:
              - compute: 1us
          signals:
            - signal: SIGTERM
              thread: main
              when: { thread: main, site: "do_syscall_intr: compare last_async_event with 0" }
              stacks: [gramine-sgx]
        `,
        stacks: ["gramine-sgx"],
        reaches: ["ocall.return", "app.handler.enter"],
      },
    },
  ],
  remedy: "Make the write again inside the PAL until its record is sent.",
  fix: "tls-write-eintr-substitution",
  cost: "nothing is wasted: it is 0",
  source: "gramine today, corrections N10; pal_pipes.c:360-420, enclave_framework.c:798-816",
  run,
  report: {
    title: ({ before, call, sent, answered }) => `${call} answers ${answered}, and ${sent} bytes of the interrupted ${before} were sent`,
    same: ({ before, call }) => [before, call],
    turn: ["sent"],
    captions: {
      interrupted: ({ before }) => `${before} answers -EINTR; its record is built`,
      called: ({ call }) => `the application calls ${call}`,
      sent: ({ sent }) => `${sent} bytes go out: the old record`,
      answered: ({ answered }) => `the application is told that ${answered} bytes were written`,
    },
  },
  invalid: [
    {
      name: "a signal in a write, then another write",
      scenario: `
        options: [sigterm-injection]
        main:
          - sigaction: { signal: SIGTERM, handler: on-term }
          - write: { to: pipe, bytes: 4 }
          - write: { to: pipe, bytes: 7 }
        handlers:
          on-term:
            - compute: 1us
        signals:
          - signal: SIGTERM
            thread: main
            when: { thread: main, site: "do_syscall_intr: compare last_async_event with 0" }
            stacks: [gramine-sgx]
      `,
      stacks: ["gramine-sgx"],
      found: [
        {
          title: "write(pipe, 7) answers 7, and 4 bytes of the interrupted write(pipe, 4) were sent",
          evidence: ["interrupted", "called", "sent", "answered"],
        },
      ],
    },
  ],
});
