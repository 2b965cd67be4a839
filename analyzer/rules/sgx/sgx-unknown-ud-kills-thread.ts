/** Reference 3.4 `sgx-unknown-ud-kills-thread`; the branch of vector 6 in 2.4. */

import { signalName } from "../../../engine/index.ts";
import { NONE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { SGX } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly what: string;
}
type Id = "fault" | "exit" | "printed" | "end";

interface Illegal {
  readonly fault: number;
  readonly what: string;
  readonly exit: number;
  readonly signal: number;
  readonly id: number;
  printed: number;
}

/** Vector of an invalid opcode. */
const UD = 6;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const faults = m.notesOnThreads<{ readonly seq: number; readonly what: string }>();
  const illegal = m.notesOnThreads<Illegal>();

  return {
    "app.fault": () => faults.set(m.slot, { seq: m.seq, what: m.text() }),
    "sgx.aex"() {
      const fault = faults.get(m.slot);
      illegal.remove(m.slot);
      faults.remove(m.slot);
      if (m.value !== UD || fault === null) return;
      illegal.set(m.slot, { fault: fault.seq, what: fault.what, exit: m.seq, signal: m.signal, id: m.extra, printed: NONE });
    },
    "pal.event.lost"() {
      const one = illegal.get(m.slot);
      if (one?.id === m.extra) one.printed = m.seq;
    },
    "app.call": illegal.whileAny(() => illegal.remove(m.slot)),
    "thread.exit"() {
      const one = illegal.get(m.slot);
      if (one === null || one.printed === NONE || m.value !== 2) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "fault", seq: one.fault },
          { id: "exit", seq: one.exit },
          { id: "printed", seq: one.printed },
          { id: "end", seq: m.seq },
        ],
        data: { signal: one.signal, what: one.what },
      });
    },
  };
}

const instruction = (what: string): string => `
  main:
    - sigaction: { signal: SIGILL, handler: h }
    - clone: other
    - fault: ${what}
    - getpid
  programs:
    other:
      - nanosleep: 3ms
  handlers:
    h:
      - skip-fault
`;
const ENDS = ["fault", "exit", "printed", "end"];

export const sgxUnknownUdKillsThread = defineRule({
  id: "sgx-unknown-ud-kills-thread",
  title: "an instruction that is illegal in the enclave kills the thread: no SIGILL comes",
  severity: "high",
  layers: ["pal"],
  generations: ["graphene-2019"],
  what:
    "The processor reports an invalid opcode. The PAL emulates int3, CPUID and RDTSC; for any other it prints a line and ends the thread by itself. The " +
    "LibOS is not asked, so a handler of SIGILL never runs, and nobody else hears of the end.",
  why:
    "Programs probe for instructions by SIGILL. A syscall instruction outside libc (Go, static binaries) is such an opcode: its thread is gone, the " +
    "process stays, and whoever waits for the thread waits for ever.",
  recognise:
    "The rule looks for an instruction that leaves the enclave with vector 6, an event that ends in the PAL, and the end of the thread.",
  ignore: [
    {
      text: "the opcode is one that the PAL emulates",
      nearMiss: { name: "CPUID", scenario: instruction("cpuid"), stacks: SGX, reaches: ["sgx.aex", "pal.event.lost", "app.fault"] },
    },
    {
      text: "another signal was taken for the exception (sgx-exitinfo-stale)",
      nearMiss: {
        name: "SIGINT after stage one of a CPUID",
        scenario: `${instruction("cpuid")}
  signals:
    - { signal: SIGINT, thread: main, when: { thread: main, site: "async_exit_pointer: ERESUME", nth: 2 } }
`,
        stacks: SGX,
        reaches: ["pal.event.lost", "thread.exit"],
      },
    },
  ],
  remedy: "Unknown opcodes are an event for the LibOS (Graphene e9435c68d, 2019-04-13), which emulates syscall (6abaa112f, 2019-05-14).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.4; 2.4",
  run,
  report: {
    title: ({ signal, what }) => `${what || "an illegal instruction"} ends the thread, and ${signalName(signal)} never comes`,
    same: ({ signal, what }) => [signal, what],
    turn: ["printed"],
    captions: {
      fault: ({ what }) => `${what || "an instruction"} is not allowed in an enclave`,
      exit: () => "the processor leaves the enclave and reports vector 6",
      printed: () => "the PAL does not know the opcode, prints a line, and does not tell the LibOS",
      end: () => "the thread is gone; its locks stay held, and nobody is told",
    },
  },
  invalid: [
    {
      name: "a syscall instruction of the application",
      scenario: instruction("syscall"),
      stacks: SGX,
      found: [{ title: "syscall ends the thread, and SIGILL never comes", evidence: ENDS }],
    },
    {
      name: "an opcode that no processor knows, with a handler of SIGILL",
      scenario: instruction("illegal"),
      stacks: SGX,
      found: [{ title: "illegal ends the thread, and SIGILL never comes", evidence: ENDS }],
    },
  ],
});
