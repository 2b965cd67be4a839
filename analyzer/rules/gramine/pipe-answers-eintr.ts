/** Gramine today, 8: not in the catalogue; read in the source. libos_pipe.c:37-47, beside libos_pollable_event.c:24-27. */

import type { ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { calls } from "../common.ts";
import { type Answered, type AnsweredId, answersOfOcalls } from "../ocall-answers.ts";

/** socketpair makes a restart code of it. */
const makesPipe = calls("pipe", "pipe2");

const run = (m: ThreadModel, found: (finding: Found<Answered, AnsweredId>) => void): Handlers => answersOfOcalls(m, found, makesPipe);

const WAKES = (site: string): string => `
  main:
    - call: { name: pipe2, takes: 1us, interruptible: false }
  signals:
    - signal: SIGCONT
      thread: main
      when: { thread: main, site: "${site}" }
      stacks: [gramine-sgx]
`;

export const pipeAnswersEintr = defineRule({
  id: "pipe-answers-eintr",
  title: "pipe answers -EINTR, with no handler anywhere",
  severity: "medium",
  layers: ["pal", "libos"],
  generations: ["gramine"],
  what:
    "A pipe is a connection between two sockets of the host. Under SGX the connect of it is an ocall that an event keeps from the host, and that the " +
    "PAL does not make again. The LibOS repeats the accept beside it when that is interrupted, not the connect: pipe and pipe2 give -EINTR to the application.",
  why: "No program expects that of pipe: Linux never answers so. Any wake-up at the wrong moment is enough, also one for an ignored signal; popen and the like fail.",
  recognise: "The rule looks for a pipe or pipe2 that answers -EINTR after an ocall of it did.",
  ignore: [
    {
      text: "the wake-up comes after the host's call",
      nearMiss: {
        name: "a SIGCONT at the end of the ocall",
        scenario: WAKES("do_syscall_intr: ret"),
        stacks: ["gramine-sgx"],
        reaches: ["ocall.return", "pal.event.pend"],
      },
    },
  ],
  remedy: "Make the connection again, as create_pollable_event does.",
  fix: "pipe-answers-eintr",
  cost: "nothing is wasted: it is 0",
  source: "gramine today 8; libos_pipe.c:37-47; pal_pipes.c:262-265; enclave_ocalls.c:1401-1413; libos_pollable_event.c:24-27",
  run,
  report: {
    title: ({ call }) => `${call} answers -EINTR`,
    same: ({ call }) => [call],
    turn: ["interrupted"],
    captions: {
      called: ({ call }) => `the application calls ${call}`,
      interrupted: () => "the ocall for the connect answers -EINTR in place of the host's call",
      answered: () => "the application gets it",
    },
  },
  invalid: [
    {
      name: "a SIGCONT before the host's connect",
      scenario: WAKES("do_syscall_intr: compare last_async_event with 0"),
      stacks: ["gramine-sgx"],
      found: [{ title: "pipe2 answers -EINTR", evidence: ["called", "interrupted", "answered"] }],
    },
  ],
});
