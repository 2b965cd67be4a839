/**
 * Stage one of an exception (gramine-today.md 4.3; enclave_entry.S, cssa1_exception): at CSSA 1 it rewrites SSA[0], so that ERESUME leads to
 * stage two, or back into the ocall that was interrupted.
 */

import { goTo, isAt } from "../../../../control.ts";
import { cut, stackOf } from "../../../../cpu.ts";
import { E } from "../../../../errno.ts";
import type { Mark, Step } from "../../../../flow.ts";
import { enter, isFrameOf } from "../../../../frames.ts";
import type { Entry } from "../../../../sgx/flows.ts";
import { SIG } from "../../../../signals.ts";
import { ENCLAVE, type Frame, HOST, type SsaFrame } from "../../../../state.ts";
import { KIND } from "../../../../transition.ts";
import { NOTHING_BUILT } from "../../context.ts";
import type { SgxCpu as Cpu, SgxSteps as Steps } from "../../flow.ts";
import { EVENT, NO_EVENT } from "../errors.ts";
import { eexitPrepare, palExceptionHandler, restoreSgxContext, type Saved, sgxOcall } from "./flows.ts";
import { AFTER_STACK_RESTORE, EEXIT_PREPARE } from "./ocall.ts";
import { INST0, INST1, INST2, restoreIn } from "./restore.ts";

/** Frames that find place in the upper half of the signal stack of 16 pages, with the registers of AVX-512 ([GI 108]). */
const MOST_FRAMES = 9;

const ssa0 = (c: Cpu): SsaFrame => c.t.sgx.ssa[0] as SsaFrame;

/** The function at the interrupted RIP. */
function interrupted(c: Cpu): Frame | undefined {
  const ssa = ssa0(c);
  return ssa.push.at(-1) ?? stackOf(c.t, ssa.stack)[ssa.depth - 1];
}

/** RIP in [eexit_prepare, eexit_done). */
function beforeEexit(c: Cpu): boolean {
  const frame = interrupted(c);
  if (frame === undefined) return false;
  return isFrameOf(c, frame, eexitPrepare) || (isFrameOf(c, frame, sgxOcall) && isAt(c.program, frame, EEXIT_PREPARE));
}

/** RSP := pre_ocall_stack, RIP := the place after it is restored: what was on the untrusted stack of the ocall is left. */
function backIntoOcall(c: Cpu): void {
  const t = c.t;
  const ssa = ssa0(c);
  const depth = t.pal.sgx.preOcallStack;
  if (ssa.stack === HOST) t.host.splice(t.sgx.ustackTop, ssa.depth - t.sgx.ustackTop);
  ssa.stack = ENCLAVE;
  ssa.depth = depth;
  cut(c, t, ENCLAVE, depth);
  goTo(c.program, t.enclave[depth - 1] as Frame, AFTER_STACK_RESTORE);
  t.pal.sgx.preOcallStack = -1;
}

/** At one of the last three instructions of _restore_sgx_context: RSP may be the application's already, and R15 and RIP are still to come. */
function atRestore(c: Cpu): boolean {
  const frame = interrupted(c);
  return (
    frame !== undefined && isFrameOf(c, frame, restoreSgxContext) && [INST0, INST1, INST2].some((mark) => isAt(c.program, frame, mark))
  );
}

function finishRestore(c: Cpu): void {
  const ssa = ssa0(c);
  const { rdi, rsi, carried, rax, depth } = restoreIn(c, interrupted(c)?.v as unknown as Saved);
  Object.assign(ssa, { rdi, rsi, id: carried, rax, depth });
}

/** Frames of exceptions and of ocalls that lie on the signal stack. */
function framesOnSignalStack(c: Cpu): number {
  const ssa = ssa0(c);
  const frames = [...c.t.enclave.slice(0, ssa.depth), ...ssa.push];
  return frames.filter((frame) => isFrameOf(c, frame, palExceptionHandler) || isFrameOf(c, frame, sgxOcall)).length;
}

/** The registers go into the new frame; SSA[0] becomes a call of _PalExceptionHandler on it. */
function rewire(c: Cpu, v: Entry): void {
  const ssa = ssa0(c);
  const depth = ssa.depth + ssa.push.length;
  const id = c.t.eventSignalId;
  c.value = v.event;
  c.extra = id;
  ssa.push.push(
    enter(c.program, palExceptionHandler, {
      event: v.event,
      id,
      vector: ssa.vector,
      opcode: ssa.opcode,
      maddr: ssa.maddr,
      depth,
      rax: ssa.rax,
      rdi: ssa.rdi,
      rsi: ssa.rsi,
      carried: ssa.id,
      restart: false,
      skip: false,
      vectors: c.t.app.vectors,
      full: c.t.app.stackFull,
      built: NOTHING_BUILT,
    }),
  );
}

/** Where it is so the event is over. */
const endsHere = (s: Steps<Entry>, label: string, when: (c: Cpu) => boolean, to: string): Step =>
  s.test(
    label,
    (c, v) => {
      if (!when(c)) return false;
      c.row(KIND["pal.event.lost"], v.event, c.t.eventSignalId);
      return true;
    },
    to,
    ["branch", "pal.event.lost"],
  );

/** What EENTER brought with the ocall's result is in RSI until the ocall's stack is back: an event that interrupts there takes its place. */
function rsiIsEvent(c: Cpu, v: Entry, keepsQuit: boolean): void {
  const ssa = ssa0(c);
  const brought = beforeEexit(c) ? NO_EVENT : ssa.rsi;
  if (keepsQuit && brought === EVENT.QUIT) return c.row(KIND["pal.event.lost"], v.event, c.t.eventSignalId);
  if (brought !== NO_EVENT) c.stray(c.t, { signal: signalOf(brought), id: ssa.id }, KIND["pal.event.lost"], brought);
  ssa.rsi = v.event;
  ssa.id = c.t.eventSignalId;
  c.value = v.event;
  c.extra = ssa.id;
}

const signalOf = (event: number): number => (event === EVENT.QUIT ? SIG.TERM : SIG.CONT);

interface Ways {
  /** Marks: of FAIL_LOOP, and of the EEXIT without more. */
  readonly fail: string;
  readonly ignored: string;
  /** An event of a thread that is not ready is no failure. */
  readonly ignoresEarly: boolean;
  /** A QUIT that came back with an ocall's result is not written over. */
  readonly keepsQuit: boolean;
}

/** Steps of `enclave_entry`; behind them comes the EEXIT. */
export const stageOne = (s: Steps<Entry>, { fail, ignored, ignoresEarly, keepsQuit }: Ways): (Step | Mark)[] => [
  s.test("CSSA != 1? FAIL_LOOP", (c) => c.t.sgx.cssa !== 1, fail),
  s.act("R14 := SSA[0].EXITINFO", (c) => {
    c.value = ssa0(c).vector;
  }),
  s.act("R15 := event & 0xff", (c, v) => {
    v.event = c.t.rdi & 0xff;
    c.value = v.event;
    c.extra = c.t.eventSignalId;
  }),
  ignoresEarly
    ? endsHere(s, "ready_for_exceptions == 0: ignored", (c) => !c.t.pal.sgx.readyForExceptions, ignored)
    : s.test("ready_for_exceptions == 0? FAIL_LOOP", (c) => !c.t.pal.sgx.readyForExceptions, fail),
  s.test("pre_ocall_stack == NULL: no ocall is on its way", (c) => c.t.pal.sgx.preOcallStack < 0, "no ocall"),
  s.test("RIP not in [eexit_prepare, eexit_done): case C", (c) => !beforeEexit(c), "case C"),
  s.act("case A: SSA[0].RDI := -EINTR", (c) => {
    ssa0(c).rdi = E.INTR;
  }),
  s.at("case C"),
  keepsQuit
    ? s.act("SSA[0].RSI := event, unless QUIT is there", (c, v) => rsiIsEvent(c, v, true), ["step", "pal.event.lost"])
    : s.act("SSA[0].RSI := event", (c, v) => rsiIsEvent(c, v, false)),
  s.act("SSA[0].RIP := ocall_return_after_stack_restore, RSP := pre_ocall_stack; pre_ocall_stack := NULL", backIntoOcall),
  s.jump("eexit", "done"),
  s.at("no ocall"),
  endsHere(s, "ocall_exit_called: ignored", (c) => c.t.pal.sgx.ocallExitCalled, ignored),
  s.test("RIP not in the last three instructions of _restore_sgx_context?", (c) => !atRestore(c), "rewire"),
  s.act("finish them: SSA[0].R15, RSP, RIP", finishRestore),
  s.at("rewire"),
  s.act("a frame on the signal stack, below what is there", (c) => {
    c.value = framesOnSignalStack(c) + 1;
  }),
  s.test("in its lower half? FAIL_LOOP", (c) => framesOnSignalStack(c) >= MOST_FRAMES, fail),
  s.act("copy registers, EXINFO and xstate to the frame; SSA[0] := _PalExceptionHandler(EXITINFO, event, frame)", rewire),
  s.act("SSA[0].EXITINFO := 0", (c) => {
    ssa0(c).vector = -1;
  }),
  s.at("eexit"),
];
