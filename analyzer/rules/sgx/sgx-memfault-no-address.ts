/** Reference 3.4 `sgx-memfault-no-address`; D5 of 0.2. */

import { signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { isProtectionFault, LINUX_PAL, NATIVE, SGX } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly address: number;
}
type Id = "fault" | "handled" | "read";

/** `extra` of app.siginfo.more: si_addr. */
const SI_ADDR = 2;

/** `value` of app.fault. */
const MEMORY = 2;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const faults = m.notesOnThreads<{ readonly seq: number; readonly signal: number; readonly address: number }>();

  return {
    "app.fault"() {
      if (m.value === MEMORY && !isProtectionFault(m.text())) faults.set(m.slot, { seq: m.seq, signal: m.signal, address: m.extra });
      else faults.remove(m.slot);
    },
    "app.siginfo.more"() {
      const fault = faults.get(m.slot);
      const handler = m.open(SCOPE.HANDLER);
      if (fault === null || handler === NONE || m.seqOf(handler) < fault.seq || m.signalOf(handler) !== fault.signal) return;
      faults.remove(m.slot);
      if (fault.address === 0 || m.extra !== SI_ADDR || m.value !== 0) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "fault", seq: fault.seq },
          { id: "handled", seq: m.seqOf(handler) },
          { id: "read", seq: m.seq },
        ],
        data: { signal: m.signalOf(handler), address: fault.address },
      });
    },
  };
}

const fault = (address: string): string => `
  main:
    - sigaction: { signal: SIGSEGV, handler: h }
    - fault: { what: memory, address: ${address} }
    - getpid
  handlers:
    h:
      - skip-fault
`;

export const sgxMemfaultNoAddress = defineRule({
  id: "sgx-memfault-no-address",
  title: "the handler of a memory fault is not told the address",
  severity: "medium",
  layers: ["pal", "libos"],
  generations: ["graphene-2019"],
  what:
    "The upcall of a memory fault gets 0 for the address, whatever was touched: the enclave learns it from nobody that it trusts. The handler reads " +
    "si_addr 0.",
  why: "Garbage collectors, JIT compilers and databases look the address up to decide what the fault means. With 0 it is a null pointer to them: they abort.",
  recognise: "The rule looks for a fault with an address, and si_addr 0 in its handler.",
  ignore: [
    {
      text: "the address is 0",
      nearMiss: { name: "a null pointer", scenario: fault("0"), stacks: SGX, reaches: ["app.fault", "app.siginfo.more"] },
    },
    {
      text: "the host tells the address",
      nearMiss: {
        name: "without an enclave",
        scenario: fault("4096"),
        stacks: [...LINUX_PAL, ...NATIVE],
        reaches: ["app.fault", "app.siginfo.more"],
      },
    },
  ],
  remedy: "The address is taken from EXINFO, where the processor has it (Graphene e307eca02, 2019-05-14; Gramine 9f80c4245, 2023-09-19).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.4; 2.4",
  run,
  report: {
    title: ({ signal, address }) => `the handler of ${signalName(signal)} reads si_addr 0: the fault was at 0x${address.toString(16)}`,
    same: ({ signal }) => [signal],
    turn: ["read"],
    captions: {
      fault: ({ address }) => `an instruction touches 0x${address.toString(16)}`,
      handled: () => "its handler is entered",
      read: () => "si_addr is 0",
    },
  },
  invalid: [
    {
      name: "a bad pointer",
      scenario: fault("4096"),
      stacks: SGX,
      found: [{ title: "the handler of SIGSEGV reads si_addr 0: the fault was at 0x1000", evidence: ["fault", "handled", "read"] }],
    },
  ],
});
