/** Instructions that fault: what the processor makes of them, with and without an enclave, and then the kernel (reference, 1.3, 2.4, 2.9). */

import { nextStep, retry } from "./control.ts";
import { type Cpu, inEnclave, topFrame } from "./cpu.ts";
import { type Fault, VECTOR, type Vma } from "./faults.ts";
import { generateFault } from "./host/generate.ts";
import { byKernel, faultInfo, SI, type SigInfo } from "./siginfo.ts";
import { SIG } from "./signals.ts";
import type { Frame, SgxState } from "./state.ts";
import { KIND } from "./transition.ts";

interface Exception {
  /** `value` of the row. */
  readonly code: number;
  readonly signal: number;
  /** What EXITINFO reports; `exinfo`: where the enclave has it. */
  readonly vector: number;
  readonly exinfo?: number;
  /** Legal outside an enclave. */
  readonly enclaveOnly?: boolean;
  /** Outside an enclave a trap: RIP is past the instruction. */
  readonly trap?: boolean;
}

const EXCEPTIONS: Readonly<Record<Fault, Exception>> = {
  divide: { code: 1, signal: SIG.FPE, vector: VECTOR.DE },
  // A division by zero in a vector register, where MXCSR does not mask it.
  float: { code: 1, signal: SIG.FPE, vector: VECTOR.XM },
  memory: { code: 2, signal: SIG.SEGV, vector: VECTOR.NONE, exinfo: VECTOR.PF },
  align: { code: 2, signal: SIG.BUS, vector: VECTOR.AC },
  illegal: { code: 3, signal: SIG.ILL, vector: VECTOR.UD },
  // In an enclave the breakpoint instruction is an invalid opcode (2.4: #UD with 0xCC).
  int3: { code: 3, signal: SIG.TRAP, vector: VECTOR.UD, trap: true },
  cpuid: { code: 3, signal: SIG.ILL, vector: VECTOR.UD, enclaveOnly: true },
  rdtsc: { code: 3, signal: SIG.ILL, vector: VECTOR.UD, enclaveOnly: true },
  syscall: { code: 3, signal: SIG.ILL, vector: VECTOR.UD, enclaveOnly: true },
  // #GP: SIGSEGV without an address.
  hlt: { code: 2, signal: SIG.SEGV, vector: VECTOR.NONE, exinfo: VECTOR.GP },
  noncanonical: { code: 2, signal: SIG.SEGV, vector: VECTOR.NONE, exinfo: VECTOR.GP },
  // In an enclave input and output are invalid opcodes. A protection fault without more is one of these.
  in: { code: 2, signal: SIG.SEGV, vector: VECTOR.UD },
  protection: { code: 2, signal: SIG.SEGV, vector: VECTOR.UD },
  // The guard page below the stack.
  stack: { code: 2, signal: SIG.SEGV, vector: VECTOR.NONE, exinfo: VECTOR.PF },
};

/** The running step's instruction faults: RIP stays at it. An instruction that is legal here is simply executed. */
export function faultAt(c: Cpu, what: Fault, address: number, vma: Vma = "unmapped"): void {
  const exception = EXCEPTIONS[what];
  c.value = exception.code;
  const trapped = what === "syscall" && !inEnclave(c.t) && c.process(c.t).seccomp;
  if ((exception.enclaveOnly && !inEnclave(c.t) && !trapped) || isAllowed(c, what, vma)) {
    c.kind = KIND.step;
    return;
  }
  const trap = exception.trap && (!inEnclave(c.t) || c.t.sgx.kind.breakpoints);
  if (!trap) retry(topFrame(c.t));
  if (inEnclave(c.t)) report(c.t.sgx, exception, what, address);
  if (what === "stack") c.t.app.stackFull = true;
  const signal = trapped ? SIG.SYS : signalOf(c, exception, vma);
  const info = trapped ? faultInfo(SIG.SYS, SI.SYS_SECCOMP, address) : infoOf(what, signal, address, vma);
  const alive = generateFault(c, c.t, info);
  if (alive) c.value = exception.code;
  c.extra = alive ? address : c.extra;
  c.detail = c.text(vma === "unmapped" ? what : `${what}, ${vma}`);
}

/** Code of a library OS writes to memory that it may not write to. */
export function writeFaults(c: Cpu, address: number, what: string): void {
  retry(topFrame(c.t));
  if (inEnclave(c.t)) report(c.t.sgx, EXCEPTIONS.memory, "memory", address);
  c.row(KIND["app.fault"], EXCEPTIONS.memory.code, address);
  c.detail = c.text(what);
  if (generateFault(c, c.t, faultInfo(SIG.SEGV, SI.SEGV_ACCERR, address))) c.value = EXCEPTIONS.memory.code;
}

/** An access within the enclave to a page whose rights nobody keeps. */
const isAllowed = ({ t }: Cpu, what: Fault, vma: Vma): boolean =>
  inEnclave(t) && !t.sgx.kind.rights && (what === "stack" || (what === "memory" && vma !== "unmapped"));

/** What the next AEX tells of it. */
function report(sgx: SgxState, { vector, exinfo = VECTOR.NONE, trap }: Exception, what: Fault, address: number): void {
  const reported = sgx.kind.exinfo && exinfo !== VECTOR.NONE ? exinfo : vector;
  sgx.faultVector = trap && sgx.kind.breakpoints ? VECTOR.BP : reported;
  sgx.faultOpcode = what;
  sgx.faultAddress = reported === VECTOR.PF ? address : 0;
}

/** The kernel's signal: for it there is no file behind the pages of an enclave, and a breakpoint there is no breakpoint. */
function signalOf(c: Cpu, { signal, trap, vector }: Exception, vma: Vma): number {
  if (inEnclave(c.t)) return vector === VECTOR.UD && !(trap && c.t.sgx.kind.breakpoints) ? SIG.ILL : signal;
  return vma === "file-end" ? SIG.BUS : signal;
}

/** si_code and si_addr as the kernel's trap handlers give them (arch/x86/kernel/traps.c, arch/x86/mm/fault.c). */
function infoOf(what: Fault, signal: number, address: number, vma: Vma): SigInfo {
  switch (what) {
    case "divide":
      return faultInfo(signal, SI.FPE_INTDIV, address);
    case "float":
      return faultInfo(signal, SI.FPE_FLTDIV, address);
    case "memory":
      if (vma === "file-end") return faultInfo(signal, SI.BUS_ADRERR, address);
      return faultInfo(signal, vma === "unmapped" ? SI.SEGV_MAPERR : SI.SEGV_ACCERR, address);
    case "stack":
      return faultInfo(signal, SI.SEGV_MAPERR, address);
    case "hlt":
    case "in":
    case "protection":
    case "noncanonical":
      return signal === SIG.SEGV ? byKernel(signal) : faultInfo(signal, SI.ILL_ILLOPN, address);
    case "align":
      return faultInfo(signal, SI.BUS_ADRALN, 0);
    case "int3":
      return signal === SIG.TRAP ? byKernel(signal) : faultInfo(signal, SI.ILL_ILLOPN, address);
    default:
      return faultInfo(signal, SI.ILL_ILLOPN, address);
  }
}

/** The frame's next instruction is one that faulted. */
export const atFault = (c: Cpu, frame: Frame): boolean => nextStep(c.program, frame)?.kind === KIND["app.fault"];
