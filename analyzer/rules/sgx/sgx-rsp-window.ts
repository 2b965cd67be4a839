/** Reference 3.4 `sgx-rsp-window`; step 6 of 2.2, and the entry code of an ocall (1.3, 2.3). */

import { CLOBBER, signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { followExits, ocallName, SGX } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly ocall: string;
}
type Id = "ocall" | "exit" | "entered" | "built";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const exits = followExits(m);

  return {
    ...exits.listeners,
    "sgx.clobber"() {
      const exit = exits.last();
      const ocall = m.open(SCOPE.OCALL);
      if (m.value !== CLOBBER.UNTRUSTED_STACK || !(m.cssa() >= 1) || !exit || ocall === NONE) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "ocall", seq: m.seqOf(ocall) },
          { id: "exit", seq: exit.exit },
          { id: "entered", seq: exit.entered },
          { id: "built", seq: m.seq },
        ],
        data: { signal: exit.signal, ocall: m.labelOf(ocall) },
      });
    },
  };
}

const at = (site: string, nth = 1): string => `
  main:
    - sigaction: { signal: SIGINT, handler: h }
    - read: { from: pipe, bytes: 8 }
    - getpid
  handlers:
    h:
      - compute: 1us
  signals:
    - { signal: SIGINT, thread: main, when: { thread: main, site: "${site}", nth: ${nth} } }
  arrivals:
    - { to: pipe, bytes: 8, when: { at: 5ms } }
`;
const FOUND = { title: "the exception frame of SIGINT lies in untrusted memory: it came on the edge of ocall_sock_recv()" };
const ROAD = ["ocall", "exit", "entered", "built"];

export const sgxRspWindow = defineRule({
  id: "sgx-rsp-window",
  title: "an exception frame is built in untrusted memory",
  severity: "critical",
  layers: ["pal"],
  generations: ["graphene-2019"],
  what:
    "Around EEXIT and EENTER of an ocall the enclave runs for some instructions with the untrusted stack pointer. A signal just then makes stage one " +
    "build the frame with the interrupted registers below that pointer: outside the enclave.",
  why: "The host can read and write the frame before the enclave goes back to it. Whoever controls RIP and the registers of an enclave has the enclave.",
  recognise:
    "The rule looks for an exit from the enclave inside an ocall, stage one for its signal, and a frame that is written to the untrusted stack.",
  ignore: [
    {
      text: "a thread that has no stack in the enclave yet",
      nearMiss: {
        name: "a signal before the first ecall has set the stack",
        scenario: at("enclave_entry: handle_ecall: set exit_target, ustack_top; RSP = enclave stack"),
        stacks: SGX,
        reaches: ["sgx.aex", "sgx.clobber"],
      },
    },
    {
      text: "a signal while the ocall has the thread outside: no frame is built",
      nearMiss: {
        name: "a signal during the read",
        scenario: at("ocall_sock_recv: take the arguments"),
        stacks: SGX,
        reaches: ["ocall.enter", "pal.event.inject"],
      },
    },
  ],
  remedy:
    "Stage one takes the saved ocall stack where RSP is not inside the enclave; TLS.stack is 0 when no ocall is under way (Graphene 6d91f7fb2, 2019-04-01).",
  fix: null,
  isLatent: true,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.4; 1.3, 2.2",
  run,
  report: {
    title: ({ signal, ocall }) =>
      `the exception frame of ${signalName(signal)} lies in untrusted memory: it came on the edge of ${ocallName(ocall)}`,
    same: ({ signal, ocall }) => [signal, ocall],
    turn: ["built"],
    captions: {
      ocall: ({ ocall }) => `the enclave makes ${ocallName(ocall)}`,
      exit: () => "a signal takes it out of the enclave while RSP is the untrusted one",
      entered: ({ signal }) => `stage one for ${signalName(signal)}`,
      built: () => "the frame is built below RSP, where the host can write",
    },
  },
  invalid: [
    {
      name: "before EEXIT",
      scenario: at("sgx_ocall (untrusted RSP): EEXIT(exit_target)", 3),
      stacks: SGX,
      found: [{ ...FOUND, evidence: ROAD }],
    },
    {
      name: "after EENTER",
      scenario: at("enclave_entry: RSP = ocall stack (TLS.stack)", 3),
      stacks: SGX,
      found: [{ ...FOUND, evidence: ROAD }],
    },
  ],
});
