/**
 * The SGX leaves and the asynchronous exit, in the manual's order of checks (reference, 1.3). Each is atomic: a plain function
 * called by one step.
 */

import { retry } from "../control.ts";
import { costOf } from "../costs.ts";
import { type Cpu, cut, push, stackOf } from "../cpu.ts";
import { VECTOR } from "../faults.ts";
import { enter } from "../frames.ts";
import { generateFault } from "../host/generate.ts";
import { OUTSIDE } from "../host/outside.ts";
import { byKernel } from "../siginfo.ts";
import { SIG } from "../signals.ts";
import { ENCLAVE, HOST, type HostSignal, type SgxState, type SsaFrame, setAt, type Thread } from "../state.ts";
import { KIND } from "../transition.ts";
import { aep, type Entry, enclaveEntry } from "./flows.ts";

/** SSA frames per thread: both in the loader and the signer. */
export const NSSA = 2;

/** A thread of a stack with an enclave. */
type Enclosed = Thread & { sgx: SgxState };

const AEX_NS = costOf("sgx.aex");

/**
 * Asynchronous exit: registers to SSA[CSSA], CSSA + 1, continue at the AEP on the untrusted stack. One transition. `cause` is the signal that
 * comes next; null: a timer interrupt of the host or a page fault.
 */
export function aex(c: Cpu, t: Enclosed, cause: HostSignal | null): void {
  c.begin(t, KIND["sgx.aex"]);
  const sgx = t.sgx;
  if (sgx.cssa >= NSSA) throw new Error(`AEX with CSSA ${sgx.cssa}: an enclave thread cannot run without a free SSA frame`);
  setAt(sgx.ssa, sgx.cssa, {
    stack: t.stack,
    depth: stackOf(t, t.stack).length,
    rax: t.rax,
    rdi: t.rdi,
    rsi: t.rsi,
    rdx: t.rdx,
    id: t.eventSignalId,
    vector: sgx.faultVector,
    opcode: sgx.faultOpcode,
    maddr: sgx.faultAddress,
    push: [],
  });
  c.signal = cause?.signal ?? 0;
  c.row(KIND["sgx.aex"], sgx.faultVector, cause?.id ?? 0);
  if (t.stack !== ENCLAVE) c.detail = c.text("the stack pointer is outside the enclave");
  sgx.faultVector = VECTOR.NONE;
  sgx.faultOpcode = "";
  sgx.faultAddress = 0;
  sgx.cssa += 1;
  sgx.inside = 0;
  t.stack = HOST;
  push(t, enter(c.program, aep, {}));
  c.happen(t, OUTSIDE.aex, KIND["sgx.aex"], AEX_NS);
}

/** EENTER(RBX = TCS, RCX = AEP). Refused without a TCS or a free SSA frame: #GP, SIGSEGV at this very instruction. */
export function eenter(c: Cpu, t: Enclosed, entry: Entry): boolean {
  const sgx = t.sgx;
  c.value = sgx.cssa;
  c.extra = t.rdi;
  if (!sgx.mapped || sgx.cssa >= NSSA) {
    const frame = t.host[t.host.length - 1];
    if (frame) retry(frame);
    fault(c, t);
    return false;
  }
  sgx.inside = 1;
  push(t, enter(c.program, enclaveEntry, entry));
  return true;
}

/** SIGSEGV in untrusted code, at an enclave instruction or where it led. */
export function fault(c: Cpu, t: Enclosed): void {
  if (!generateFault(c, t, byKernel(SIG.SEGV))) return;
  c.kind = KIND["sgx.fault"];
  c.value = t.sgx.cssa;
}

/**
 * ERESUME: CSSA - 1, registers from SSA[CSSA]; runs what the exception path put on top of the interrupted code. Of a frame with AEX-Notify it
 * is an EENTER, which tells the enclave of the exit.
 */
export function eresume(c: Cpu, t: Enclosed): void {
  const sgx = t.sgx;
  if (sgx.aexNotify && sgx.cssa === 1) {
    c.kind = KIND["sgx.eenter"];
    eenter(c, t, { start: -1, event: 0 });
    return;
  }
  const ssa = sgx.ssa[sgx.cssa - 1] as SsaFrame | null;
  if (!ssa) throw new Error("ERESUME without an SSA frame: the AEP is only reached by an AEX");
  cut(c, t, HOST, t.host.length - 1);
  sgx.cssa -= 1;
  setAt(sgx.ssa, sgx.cssa, null);
  sgx.inside = 1;
  t.stack = ssa.stack;
  t.rax = ssa.rax;
  t.rdi = ssa.rdi;
  t.rsi = ssa.rsi;
  t.rdx = ssa.rdx;
  t.eventSignalId = ssa.id;
  const event = ssa.push.at(-1);
  c.row(KIND["sgx.eresume"], event ? 1 : 0, event ? Number(event.v.id) : 0);
  stackOf(t, t.stack).push(...ssa.push);
}

/** EDECCSSA: CSSA - 1, and nothing else. The frame that it leaves is given back: what stage one made of it. */
export function edeccssa(c: Cpu, t: Enclosed): SsaFrame {
  const sgx = t.sgx;
  const ssa = sgx.ssa[sgx.cssa - 1] as SsaFrame | null;
  if (!ssa) throw new Error("EDECCSSA with CSSA 0");
  sgx.cssa -= 1;
  setAt(sgx.ssa, sgx.cssa, null);
  c.row(KIND["sgx.edeccssa"], sgx.cssa, t.eventSignalId);
  return ssa;
}

/** EEXIT: enclave mode ends; the stack is the caller's business. CSSA is unchanged. */
export function eexit(t: Enclosed): void {
  t.sgx.inside = 0;
}
