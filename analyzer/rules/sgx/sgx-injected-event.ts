/** Reference 3.4 `sgx-injected-event`; step 5 of 2.2. */

import { isSyncEvent, signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { LINUX_PAL, SGX } from "../common.ts";

interface Data {
  readonly signal: number;
}
type Id = "sent" | "exit" | "entered" | "upcall";

interface Exit {
  readonly seq: number;
  readonly id: number;
  readonly signal: number;
  entered: number;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** Threads whose last instruction in the enclave faulted. */
  const faults = m.notesOnThreads<true>();
  const exits = m.notesOnThreads<Exit>();

  return {
    "app.fault": () => faults.set(m.slot, true),
    "sgx.aex"() {
      const byFault = faults.get(m.slot) !== null || m.value >= 0;
      faults.remove(m.slot);
      if (byFault) exits.remove(m.slot);
      else exits.set(m.slot, { seq: m.seq, id: m.extra, signal: m.signal, entered: NONE });
    },
    "sgx.eenter"() {
      const exit = exits.get(m.slot);
      if (exit !== null && m.value > 0) exit.entered = m.seq;
    },
    "libos.upcall.enter"() {
      const exit = exits.get(m.slot);
      if (exit === null || exit.entered === NONE || !isSyncEvent(m.value) || exit.id !== m.extra || m.open(SCOPE.PAL_CALL) !== NONE) return;
      exits.remove(m.slot);
      const sent = m.generatedSeq(exit.id);
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          ...(sent === NONE ? [] : [{ id: "sent" as const, seq: sent }]),
          { id: "exit", seq: exit.seq },
          { id: "entered", seq: exit.entered },
          { id: "upcall", seq: m.seq },
        ],
        data: { signal: exit.signal },
      });
    },
  };
}

const segv = (when: string): string => `
  main:
    - sigaction: { signal: SIGSEGV, handler: h }
    - compute: 2ms
    - fault: { what: memory, address: 4096 }
  handlers:
    h:
      - skip-fault
  ${when}
`;

export const sgxInjectedEvent = defineRule({
  id: "sgx-injected-event",
  title: "the host makes the enclave handle a fault that never happened",
  severity: "critical",
  layers: ["pal", "libos"],
  generations: ["graphene-2019"],
  what:
    "Stage one takes the event from a register that the host fills in, wherever EXITINFO is not valid. Nothing asks whether an exception has happened, or " +
    "whether the number is one of the seven events: the host can start the handler of SIGSEGV, SIGFPE or SIGILL at any instruction.",
  why:
    "A runtime that recovers from faults in its handler does so at a place of the host's choice: with half-made objects, and next to secrets. The " +
    "number is not even checked against the table.",
  recognise: "The rule looks for an exit from the enclave that no fault made, and the upcall of a fault for it.",
  ignore: [
    {
      text: "the instruction did fault",
      nearMiss: {
        name: "a bad pointer",
        scenario: segv("limit: { time: 100ms }"),
        stacks: SGX,
        reaches: ["app.fault", "sgx.aex", "libos.upcall.enter"],
      },
    },
    {
      text: "without an enclave nobody distrusts the host: kill -SEGV is a signal like another",
      nearMiss: {
        name: "the same on the Linux PAL",
        scenario: segv("signals: [{ signal: SIGSEGV, thread: main, when: { at: 1ms } }]"),
        stacks: LINUX_PAL,
        reaches: ["libos.upcall.enter", "app.handler.enter"],
      },
    },
  ],
  remedy:
    "Bounds of the table (Graphene 817f516fc, 2019-10-04; 18cbdda54, 2021-03-01); an event must fit what the processor says (Gramine a390e33e1, 2023-11-30).",
  fix: null,
  isLatent: true,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.4; 2.2",
  run,
  report: {
    title: ({ signal }) => `${signalName(signal)} of the host is handled as a fault that never happened`,
    same: ({ signal }) => [signal],
    turn: ["upcall"],
    captions: {
      sent: ({ signal }) => `the host sends ${signalName(signal)}`,
      exit: () => "the thread leaves the enclave; the processor reports no exception",
      entered: () => "stage one: the event is what the host says",
      upcall: () => "the LibOS is called for a fault",
    },
  },
  invalid: [
    {
      name: "SIGSEGV while the program computes",
      scenario: segv("signals: [{ signal: SIGSEGV, thread: main, when: { at: 1ms } }]"),
      stacks: SGX,
      found: [{ title: "SIGSEGV of the host is handled as a fault that never happened", evidence: ["sent", "exit", "entered", "upcall"] }],
    },
  ],
});
