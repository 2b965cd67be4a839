/** Gramine today, N8. */

import { E } from "../../../engine/index.ts";
import { HOW, NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callName, calls } from "../common.ts";

interface Data {
  readonly call: string;
}
type Id = "called" | "interrupted" | "answered";

/** They work on files: Linux never interrupts them. */
const isOfFile = calls("pread64", "pwrite64", "preadv", "pwritev", "sendfile");

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** On calls: an ocall that returned -EINTR. */
  const interrupted = m.notesOnScopes<number>(over);

  function over(seq: number, call: number): void {
    if (m.how !== HOW.RETURNED || m.value !== E.INTR) return;
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "called", seq: m.seqOf(call) },
        { id: "interrupted", seq },
        { id: "answered", seq: m.seq },
      ],
      data: { call: callName(m.labelOf(call)) },
    });
  }

  return {
    "ocall.return"() {
      const call = m.open(SCOPE.CALL);
      if (m.value === E.INTR && call !== NONE && isOfFile(m.labelOf(call))) interrupted.set(call, m.seq);
    },
  };
}

export const plainEintrFromFileIo = defineRule({
  id: "plain-eintr-from-file-io",
  title: "reading a file answers -EINTR, with no handler anywhere",
  severity: "medium",
  layers: ["pal", "libos"],
  generations: ["gramine"],
  what:
    "Under SGX pread64, pwrite64 and sendfile of a regular file are ocalls that an event interrupts: between the return from the enclave and the " +
    "host's system call -EINTR takes the place of the call. The LibOS gives it to the application as it is, where read and write of the same file " +
    "are made again.",
  why: "Databases live on pread and pwrite, and have no loop for EINTR: Linux does not interrupt them. Any wake-up is enough, also one for an ignored signal.",
  recognise: "The rule looks for such a call that answers -EINTR after an ocall of it did.",
  ignore: [
    {
      text: "the wake-up comes after the host's call",
      nearMiss: {
        name: "a SIGCONT at the end of the ocall",
        scenario: `
          main:
            - call: { name: pread64, takes: 1ms, interruptible: false }
          signals:
            - signal: SIGCONT
              thread: main
              when: { thread: main, site: "do_syscall_intr: ret" }
              stacks: [gramine-sgx]
        `,
        stacks: ["gramine-sgx"],
        reaches: ["ocall.return", "pal.event.pend"],
      },
    },
  ],
  remedy: "Make the call again in the PAL, or answer -ERESTARTSYS in the LibOS.",
  fix: "plain-eintr-from-file-io",
  cost: "nothing is wasted: it is 0",
  source: "gramine today, corrections 8.M4, N8; libos_open.c:256-345",
  run,
  report: {
    title: ({ call }) => `${call} of a file answers -EINTR`,
    same: ({ call }) => [call],
    turn: ["answered"],
    captions: {
      called: ({ call }) => `the application calls ${call}`,
      interrupted: () => "the ocall answers -EINTR in place of the host's call",
      answered: () => "the application gets it",
    },
  },
  invalid: [
    {
      name: "a SIGCONT before the host's call",
      scenario: `
        main:
          - call: { name: pread64, takes: 1ms, interruptible: false }
        signals:
          - signal: SIGCONT
            thread: main
            when: { thread: main, site: "do_syscall_intr: compare last_async_event with 0" }
            stacks: [gramine-sgx]
      `,
      stacks: ["gramine-sgx"],
      found: [{ title: "pread64 of a file answers -EINTR", evidence: ["called", "interrupted", "answered"] }],
    },
  ],
});
