/** Gramine today, N8. */

import type { ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { calls } from "../common.ts";
import { type Answered, type AnsweredId, answersOfOcalls } from "../ocall-answers.ts";

/** They work on files: Linux never interrupts them. */
const isOfFile = calls("pread64", "pwrite64", "preadv", "pwritev", "sendfile");

const run = (m: ThreadModel, found: (finding: Found<Answered, AnsweredId>) => void): Handlers => answersOfOcalls(m, found, isOfFile);

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
