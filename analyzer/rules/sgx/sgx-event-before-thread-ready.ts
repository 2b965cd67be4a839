/** Reference 3.4 `sgx-event-before-thread-ready`; the branches of 2.1. */

import { signalName } from "../../../engine/index.ts";
import { NONE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { SGX } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly name: string;
}
type Id = "injected" | "refused" | "end";

interface Early {
  readonly injected: number;
  readonly signal: number;
  refused: number;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** Threads that have entered the enclave by their ecall. */
  const ready = m.notesOnThreads<true>();
  const early = m.notesOnThreads<Early>();

  return {
    "pal.event.inject"() {
      if (ready.get(m.slot) === null) early.set(m.slot, { injected: m.seq, signal: m.signal, refused: NONE });
    },
    "sgx.eenter"() {
      if (early.get(m.slot) === null) ready.set(m.slot, true);
    },
    "sgx.fault"() {
      const one = early.get(m.slot);
      if (one !== null && one.refused === NONE) one.refused = m.seq;
    },
    "thread.exit"() {
      const one = early.get(m.slot);
      if (one === null || one.refused === NONE) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "injected", seq: one.injected },
          { id: "refused", seq: one.refused },
          { id: "end", seq: m.seq },
        ],
        data: { signal: one.signal, name: m.nameOf() },
      });
    },
  };
}

const at = (thread: string, place: string): string => `
  main:
    - clone: b
    - nanosleep: 5ms
  programs:
    b:
      - compute: 1us
  signals:
    - { signal: SIGINT, thread: ${thread}, when: { thread: ${thread}, site: "${place}" } }
`;

export const sgxEventBeforeThreadReady = defineRule({
  id: "sgx-event-before-thread-ready",
  title: "a signal for a thread that the enclave does not know yet kills it",
  severity: "high",
  layers: ["untrusted-pal", "pal"],
  generations: ["graphene-2019"],
  what:
    "The host's handlers are registered before the thread has its TCS and before its first ecall. A signal in between is sent into the enclave like any " +
    "other: EENTER without a TCS faults, or the entry code takes it for an ecall of number -13 and leaves for address 0.",
  why: "A SIGTERM during the start ends the process with an odd message; one at the start of a thread ends that thread, and its creator waits for ever.",
  recognise:
    "The rule looks for registers that are rewritten in a thread that has not entered the enclave, a fault of the entry, and the end of the thread.",
  ignore: [
    {
      text: "the thread has entered the enclave: an event without a handler is dropped there",
      nearMiss: {
        name: "a signal before the LibOS has registered its upcalls",
        scenario: at("main", "shim_init: init_signal: DkSetExceptionHandler(PAL_EVENT_MEMFAULT)"),
        stacks: SGX,
        reaches: ["sgx.aex", "sgx.eresume"],
      },
    },
  ],
  remedy:
    "Checks of the ecall (Graphene 55a6ecb69, 2019-04-16) and a flag that the thread is ready for exceptions (5d0c147ba, 2019-04-16; set earlier by " +
    "9dfafc90b, 2019-12-30).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.4; 2.1",
  run,
  report: {
    title: ({ signal, name }) => `${signalName(signal)} kills thread ${name} before it is in the enclave`,
    same: ({ signal, name }) => [signal, name],
    turn: ["refused"],
    captions: {
      injected: ({ signal }) => `${signalName(signal)} comes before the first ecall; its event is to enter the enclave`,
      refused: () => "the enclave knows no such thread, or takes the event for an ecall",
      end: () => "the fault of that ends the thread",
    },
  },
  invalid: [
    {
      name: "between the TCS and the first ecall",
      scenario: at("main", "load_enclave: ecall_enclave_start()"),
      stacks: SGX,
      found: [{ title: "SIGINT kills thread main before it is in the enclave", evidence: ["injected", "refused", "end"] }],
    },
    {
      name: "a new thread without a TCS",
      scenario: at("b", "thread_start (untrusted): map_tcs(gettid): current_tcs := first free TCS"),
      stacks: SGX,
      found: [{ title: "SIGINT kills thread b before it is in the enclave", evidence: ["injected", "refused", "end"] }],
    },
  ],
});
