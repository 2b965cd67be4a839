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
  /** Frames the exception path built on the interrupted stack; they run after ERESUME. */
  push: Frame[];
}

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
}
