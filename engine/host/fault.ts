/** Instructions that fault: which exception they raise, with and without an enclave (reference, 1.3, 2.4, 2.9). */

import { type Cpu, inEnclave, topFrame } from "../cpu.ts";
import { VECTOR } from "../sgx/leaf.ts";
import { SIG } from "../signals.ts";
import { KIND } from "../transition.ts";
import { generateFault } from "./signal.ts";

export type Fault = "divide" | "memory" | "illegal" | "cpuid" | "rdtsc" | "syscall";

const EXCEPTIONS: Readonly<Record<Fault, { code: number; signal: number; vector: number; enclaveOnly: boolean }>> = {
  divide: { code: 1, signal: SIG.FPE, vector: VECTOR.DE, enclaveOnly: false },
  // #PF is not reported in EXITINFO.
  memory: { code: 2, signal: SIG.SEGV, vector: VECTOR.NONE, enclaveOnly: false },
  illegal: { code: 3, signal: SIG.ILL, vector: VECTOR.UD, enclaveOnly: false },
  cpuid: { code: 3, signal: SIG.ILL, vector: VECTOR.UD, enclaveOnly: true },
  rdtsc: { code: 3, signal: SIG.ILL, vector: VECTOR.UD, enclaveOnly: true },
  syscall: { code: 3, signal: SIG.ILL, vector: VECTOR.UD, enclaveOnly: true },
};

/** The running step's instruction faults: RIP stays at it. An instruction that is legal here is simply executed. */
export function faultAt(c: Cpu, what: Fault, address: number): void {
  const { code, signal, vector, enclaveOnly } = EXCEPTIONS[what];
  c.value = code;
  if (enclaveOnly && !inEnclave(c.t)) {
    c.kind = KIND.step;
    return;
  }
  topFrame(c.t).pc -= 1;
  c.t.sgx.faultVector = vector;
  c.t.sgx.faultOpcode = what;
  const alive = generateFault(c, c.t, signal);
  if (alive) c.value = code;
  c.extra = alive ? address : c.extra;
  c.detail = c.text(what);
}
