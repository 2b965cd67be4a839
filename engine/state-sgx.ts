/** What the processor keeps of a thread in an enclave, and the enclave of its way in and out: plain data, part of the machine's state. */

import type { Frame, StackId } from "./state.ts";

/** Registers of an interrupted enclave thread in SSA[i].GPRSGX, as far as control flow needs them. */
export interface SsaFrame {
  stack: StackId;
  depth: number;
  rax: number;
  rdi: number;
  rsi: number;
  id: number;
  rdx: string;
  /** EXITINFO: exception vector, -1 when not valid. */
  vector: number;
  /** Detail of the exception that memory-safe code would look at: opcode of #UD. */
  opcode: string;
  /** EXINFO.MADDR: the address of a page fault, where the enclave has EXINFO; 0 else. */
  maddr: number;
  /** Frames the exception path built on the interrupted stack; they run after ERESUME. */
  push: Frame[];
}

/** What processor and driver do for an enclave, as far as exceptions go. */
export interface EnclaveKind {
  /** SECS.MISCSELECT.EXINFO: page and protection faults are reported in EXITINFO, a page fault with its address. */
  readonly exinfo: boolean;
  /** Its pages keep the rights that they are mapped with. Else they have all rights for good: only what lies outside of it faults. */
  readonly rights: boolean;
  /** A breakpoint is one, and not an invalid opcode. */
  readonly breakpoints: boolean;
}

/** SGX 1 as of 2019: a fault is what a scenario says it is. */
export const SGX1: EnclaveKind = { exinfo: false, rights: true, breakpoints: false };

/** Hardware and enclave TLS of one thread (reference, 1.3). */
export interface SgxState {
  /** current_tcs was set by map_tcs. */
  mapped: boolean;
  /** 1 in enclave mode. */
  inside: 0 | 1;
  cssa: number;
  ssa: (SsaFrame | null)[];
  /** The first ecall has set exit_target. */
  exitTarget: boolean;
  /** TLS.stack: where RSP stood at the last ocall; depth -1 before the first. */
  ocallStack: StackId;
  ocallDepth: number;
  /** TLS.ustack_top as depth of the untrusted stack. */
  ustackTop: number;
  /** The running instruction raised this exception: the next AEX reports it. -1 none or not reported. */
  faultVector: number;
  faultOpcode: string;
  faultAddress: number;
  /** SSA[0].GPRSGX.AEXNOTIFY: ERESUME of that frame is an EENTER. Never set without AEX-Notify. */
  aexNotify: boolean;
  kind: EnclaveKind;
}
