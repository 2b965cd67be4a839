/** Reference 3.4 `sgx-redzone-clobber`; step 6 of 2.2. */

import { CLOBBER, signalName } from "../../../engine/index.ts";
import type { ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { followExits, SGX } from "../common.ts";

interface Data {
  readonly signal: number;
}
type Id = "exit" | "entered" | "clobbered";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const exits = followExits(m);

  return {
    ...exits.listeners,
    "sgx.clobber"() {
      const exit = exits.last();
      if (m.value !== CLOBBER.RED_ZONE || exit === null) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "exit", seq: exit.exit },
          { id: "entered", seq: exit.entered },
          { id: "clobbered", seq: m.seq },
        ],
        data: { signal: exit.signal },
      });
    },
  };
}

export const sgxRedzoneClobber = defineRule({
  id: "sgx-redzone-clobber",
  title: "the exception frame overwrites the red zone of the interrupted code",
  severity: "high",
  layers: ["pal"],
  generations: ["graphene-2019"],
  what:
    "Stage one builds its frame of 0x90 bytes directly below the interrupted stack pointer. The System V ABI gives the 128 bytes there to the " +
    "function that runs: a leaf function keeps its variables in them. The way back also writes RIP below the stack pointer.",
  why: "Local variables of whatever function the signal found change at random: wrong results that no run shows twice.",
  recognise:
    "The rule looks for stage one for a thread that was interrupted in code which is compiled with a red zone: all but that of the PAL.",
  ignore: [
    {
      text: "the interrupted code is the PAL, which is compiled without a red zone",
      nearMiss: {
        name: "a signal while the PAL prepares an ocall",
        scenario: `
          main:
            - sigaction: { signal: SIGINT, handler: h }
            - read: { from: pipe, bytes: 8 }
          handlers:
            h:
              - compute: 1us
          signals:
            - { signal: SIGINT, thread: main, when: { thread: main, site: "DkStreamRead: ocall_sock_recv()" } }
          arrivals:
            - { to: pipe, bytes: 8, when: { at: 5ms } }
        `,
        stacks: SGX,
        reaches: ["sgx.aex", "sgx.eexit", "sgx.eresume"],
      },
    },
    {
      text: "the signal finds the thread outside the enclave: no frame is built",
      nearMiss: { name: "a signal during a read", scenario: "async-outside-enclave", stacks: SGX, reaches: ["pal.event.inject"] },
    },
  ],
  remedy: "Stage one goes 128 bytes further down (Graphene bf87ac02f, 2019-04-29).",
  fix: null,
  isLatent: true,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.4; 2.2",
  run,
  report: {
    title: ({ signal }) => `the frame of ${signalName(signal)} overwrites the red zone of the code that it interrupts`,
    same: ({ signal }) => [signal],
    turn: ["clobbered"],
    captions: {
      exit: () => "the thread leaves the enclave, in a function of the application or the LibOS",
      entered: ({ signal }) => `stage one for ${signalName(signal)}`,
      clobbered: () => "its frame begins at the stack pointer, where the function may have variables",
    },
  },
  invalid: [
    {
      name: "the program computes",
      scenario: "async-in-enclave",
      stacks: SGX,
      found: [
        { title: "the frame of SIGINT overwrites the red zone of the code that it interrupts", evidence: ["exit", "entered", "clobbered"] },
      ],
    },
  ],
});
