/** Reference 3.4 `sgx-eframe-stack-clobber`; step 12 of 2.2. */

import { CLOBBER, signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { followExits, palCallName, SGX } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly call: string;
}
type Id = "call" | "exit" | "entered" | "clobbered";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const exits = followExits(m);

  return {
    ...exits.listeners,
    "sgx.clobber"() {
      const exit = exits.last();
      if (m.value !== CLOBBER.STACK_WORDS || exit === null) return;
      const call = m.open(SCOPE.PAL_CALL);
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          ...(call === NONE ? [] : [{ id: "call" as const, seq: m.seqOf(call) }]),
          { id: "exit", seq: exit.exit },
          { id: "entered", seq: exit.entered },
          { id: "clobbered", seq: m.seq },
        ],
        data: { signal: exit.signal, call: palCallName(call === NONE ? "" : m.labelOf(call)) },
      });
    },
  };
}

const at = (call: string, place: string): string => `
  main:
    - sigaction: { signal: SIGINT, handler: h }
    - ${call}
    - getpid
  handlers:
    h:
      - compute: 1us
  signals:
    - { signal: SIGINT, thread: main, when: { thread: main, ${place} } }
  arrivals:
    - { to: pipe, bytes: 8, when: { at: 5ms } }
`;

export const sgxEframeStackClobber = defineRule({
  id: "sgx-eframe-stack-clobber",
  title: "the exception handler overwrites live words of the PAL function that it interrupts",
  severity: "critical",
  layers: ["pal"],
  generations: ["graphene-2019"],
  what:
    "Where the interrupted RIP is in the PAL and a PAL call is under way, stage two makes a second frame for the return by hand: it stores a " +
    "trampoline and the interrupted registers in 16 words above the frame pointer. Those words are in use.",
  why: "Saved registers, return addresses and variables of the PAL function are gone: it goes on with them, in the enclave.",
  recognise: "The rule looks for stage two with a PAL frame found, which stores the trampoline.",
  ignore: [
    {
      text: "the interrupted code is the application or the LibOS: there is no PAL frame, and nothing is stored",
      nearMiss: {
        name: "the program computes",
        scenario: "async-in-enclave",
        stacks: SGX,
        reaches: ["sgx.aex", "sgx.eexit", "sgx.eresume"],
      },
    },
  ],
  remedy: "The search for a frame is gone: an exception always goes back to its context (Graphene c6622ba12, 2019-12-03).",
  fix: null,
  isLatent: true,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.4; 2.2",
  run,
  report: {
    title: ({ signal, call }) => `${signalName(signal)} overwrites 16 words of the stack of ${call}`,
    same: ({ signal, call }) => [signal, call],
    turn: ["clobbered"],
    captions: {
      call: ({ call }) => `the LibOS is in ${call}`,
      exit: () => "the thread leaves the enclave, in code of the PAL",
      entered: ({ signal }) => `stage one for ${signalName(signal)}`,
      clobbered: () => "stage two finds the PAL's frame, and stores its trampoline over live words of it",
    },
  },
  invalid: [
    {
      name: "a signal while the PAL prepares an ocall",
      scenario: at("read: { from: pipe, bytes: 8 }", 'site: "DkStreamRead: ocall_sock_recv()"'),
      stacks: SGX,
      found: [{ title: "SIGINT overwrites 16 words of the stack of DkStreamRead", evidence: ["call", "exit", "entered", "clobbered"] }],
    },
  ],
});
