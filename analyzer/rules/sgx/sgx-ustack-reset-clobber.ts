/** Reference 3.4 `sgx-ustack-reset-clobber`; sgx_ocalloc (1.3). */

import { CLOBBER } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { ocallName, SGX } from "../common.ts";

interface Data {
  readonly outer: string;
  readonly inner: string;
}
type Id = "outer" | "exit" | "inner" | "clobbered";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const exits = m.notesOnScopes<number>();

  return {
    "sgx.aex"() {
      const ocall = m.open(SCOPE.OCALL);
      if (ocall !== NONE) exits.set(ocall, m.seq);
    },
    "sgx.clobber"() {
      const inner = m.open(SCOPE.OCALL);
      const outer = inner === NONE ? NONE : m.around(inner);
      const exit = exits.get(outer);
      if (m.value !== CLOBBER.UNTRUSTED_STACK || exit === null || exit > m.seqOf(inner)) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "outer", seq: m.seqOf(outer) },
          { id: "exit", seq: exit },
          { id: "inner", seq: m.seqOf(inner) },
          { id: "clobbered", seq: m.seq },
        ],
        data: { outer: m.labelOf(outer), inner: m.labelOf(inner) },
      });
    },
  };
}

const at = (place: string): string => `
  main:
    - sigaction: { signal: SIGINT, handler: h }
    - read: { from: pipe, bytes: 8 }
    - getpid
  handlers:
    h:
      - write: { to: log, bytes: 3 }
  signals:
    - { signal: SIGINT, thread: main, when: { thread: main, ${place} } }
  arrivals:
    - { to: pipe, bytes: 8, when: { at: 5ms } }
`;

export const sgxUstackResetClobber = defineRule({
  id: "sgx-ustack-reset-clobber",
  title: "an ocall of a handler overwrites the arguments of the ocall below it",
  severity: "high",
  layers: ["pal", "untrusted-pal"],
  generations: ["graphene-2019"],
  what:
    "The arguments and results of an ocall are copied to the untrusted stack, and each ocall begins at its top. A handler that runs between the copy " +
    "and EEXIT, or before the results are fetched, begins there, too.",
  why: "The outer ocall is made with the arguments of the inner one, or takes its results: another buffer, another length, another descriptor.",
  recognise:
    "The rule looks for an exit from the enclave inside an ocall, and another ocall that copies its arguments before the first is over.",
  ignore: [
    {
      text: "the signal finds the ocall outside: the PAL call is over with that, and nobody needs its arguments any more",
      nearMiss: {
        name: "a signal during the read",
        scenario: at("call: read"),
        stacks: SGX,
        reaches: ["pal.event.inject", "pal.call.abandon", "app.handler.enter"],
      },
    },
  ],
  remedy: "Frames on the untrusted stack that are pushed and popped (Graphene 3a846af07, 2020-03-17; 0dd84ddf9, 2020-04-07).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.4; 1.3",
  run,
  report: {
    title: ({ outer, inner }) => `${ocallName(inner)} of a handler overwrites the arguments of ${ocallName(outer)}`,
    same: ({ outer, inner }) => [ocallName(outer), ocallName(inner)],
    turn: ["clobbered"],
    captions: {
      outer: ({ outer }) => `the enclave makes ${ocallName(outer)}: its arguments go to the top of the untrusted stack`,
      exit: () => "a signal comes before the ocall is over",
      inner: ({ inner }) => `its handler makes ${ocallName(inner)}`,
      clobbered: () => "its arguments go to the top as well, over those of the first",
    },
  },
  invalid: [
    {
      name: "a signal after the arguments are copied",
      scenario: at('site: "sgx_ocall: save registers and FPU state, TLS.stack = RSP", nth: 3'),
      stacks: SGX,
      found: [
        {
          title: "ocall_sock_send() of a handler overwrites the arguments of ocall_sock_recv()",
          evidence: ["outer", "exit", "inner", "clobbered"],
        },
      ],
    },
  ],
});
