/** Flows of the SGX PAL that others name: entry code, ocalls, signal handlers. */

import type { HandlerLocals } from "../../host/flows.ts";
import { ref, refs } from "../../ref.ts";
import type { Locals, StackId } from "../../state.ts";
import { OCALL_NAMES } from "../host-calls.ts";

/** An ocall on its way out of the enclave. */
export interface Leaving {
  /** Flow of the untrusted function. */
  code: number;
  /** Flow of the host call it is to make, and that call's locals; -1: none. */
  asked: number;
  args: Locals;
}

export interface SgxOcall extends Leaving {
  result: number;
}

export const sgxOcall = ref<SgxOcall>("sgx_ocall");
export const ocallExit = ref<Leaving>("sgx_ocall (untrusted RSP)");
export const sgxEntry = ref<Leaving>("sgx_entry");
export const sgxEntryReturn = ref("sgx_entry_return");

/** Locals of an ocall's untrusted function. */
export interface Ocall {
  asked: number;
  args: Locals;
  /** Of pthread_create. */
  tid: number;
}
export const OCALLS = refs<(typeof OCALL_NAMES)[number], Ocall>(OCALL_NAMES, (name) => name);
export const ocallCpuid = ref<Ocall>("ocall_cpuid");

/** The interrupted registers (sgx_context_t): where they are on the stack is `stack` and `depth`. */
export interface Exception {
  event: number;
  vector: number;
  opcode: string;
  /** What the vector registers held: remembered for the trace, not saved by the code (3.4 sgx-xstate-not-saved). */
  vectors: number;
  id: number;
  stack: StackId;
  depth: number;
  rax: number;
  rdi: number;
  rsi: number;
  rdx: string;
  carried: number;
  frame: number;
}
export const exceptionHandler = ref<Exception>("_DkExceptionHandler");
export const handleExternalEvent = ref<{ event: number; id: number; frame: number; handled: boolean }>("_DkHandleExternalEvent");

/** Locals of the PAL's signal handlers. */
export interface Handler extends HandlerLocals {
  event: number;
}
export const terminateSighandler = ref<Handler>("_DkTerminateSighandler");
export const resumeSighandler = ref<Handler>("_DkResumeSighandler");
export const sgxRaise = ref<{ event: number; id: number; signal: number }>("sgx_raise");

export const sgxSignalSetup = ref("sgx_signal_setup");
export const asyncSignals = ref("set_sighandler (async signals)");
export const syncSignals = ref("set_sighandler (sync signals)");
export const loadEnclave = ref("load_enclave");
export const threadStart = ref<{ start: number }>("thread_start (untrusted)");
export const ecall = ref<{ start: number }>("ecall");
