/** Enclave entry code and ocalls, seen from inside (reference, 1.3, 2.2 and 2.3). Runs with the untrusted RSP where it really does. */

import { goTo, hasBegun, newFrame } from "../../control.ts";
import { cut, push, stackOf, topFrame } from "../../cpu.ts";
import type { Flow } from "../../flow.ts";
import { enter, isFrameOf } from "../../frames.ts";
import { type SgxCpu as Cpu, sgxFlow as flow } from "../../generations/graphene-2019/flow.ts";
import { enclaveEntry } from "../../sgx/flows.ts";
import { eexit, fault } from "../../sgx/leaf.ts";
import { ENCLAVE, type Frame, HOST, type SsaFrame } from "../../state.ts";
import { KIND } from "../../transition.ts";
import { undefinedBehaviour } from "../../undefined.ts";
import { exceptionHandler, handleExternalEvent, ocallExit, sgxEntry, sgxEntryReturn, sgxOcall, sgxRaise } from "./flows.ts";
import { AFTER_RESUME } from "./untrusted.ts";

/** What `sgx.clobber` says is overwritten. */
export const CLOBBER = { STACK_WORDS: 1, RED_ZONE: 2, VECTORS: 3, UNTRUSTED_STACK: 4 } as const;

const ssa0 = (c: Cpu): SsaFrame => c.t.sgx.ssa[0] as SsaFrame;

/** EEXIT to an address that is no code: SIGSEGV in untrusted code. */
function exitToNowhere(c: Cpu): void {
  const t = c.t;
  eexit(t);
  cut(c, t, HOST, t.host.length - 1);
  fault(c, t);
}

const entry = flow(
  enclaveEntry,
  "pal",
  "2.2, 2.3",
  ({ act, test, at }) => [
    test("RAX != 0 (CSSA): jump to handle_resume()", (c) => c.t.sgx.cssa !== 0, "handle_resume"),
    test("exit_target == 0: an ecall", (c) => !c.t.sgx.exitTarget, "ecall"),
    act("jump to return_from_ocall()"),
    act("RSP = ocall stack (TLS.stack)", returnFromOcall),

    at("ecall"),
    test("is this a known ecall?", (_, v) => v.start >= 0, "known"),
    act("ecall index rejected, EEXIT to address 0", exitToNowhere, "sgx.eexit"),
    at("known"),
    act("handle_ecall: set exit_target, ustack_top; RSP = enclave stack", (c, v) => {
      const t = c.t;
      cut(c, t, HOST, t.host.length - 1);
      t.sgx.exitTarget = true;
      t.sgx.ustackTop = t.host.length;
      t.stack = ENCLAVE;
      push(t, newFrame(c.program, v.start, {}));
    }),

    at("handle_resume"),
    test("double-check: EXITINFO.valid?", (c) => ssa0(c).vector >= 0, "handle_exception"),
    act("double-check: RDI contains an event", (c, v) => {
      v.event = c.t.rdi & 0xff;
      c.value = v.event;
    }),
    test("event != 0", (_, v) => v.event !== 0, "handle_exception"),
    act("nothing to do: EEXIT(RDX)", stageOneDone, "sgx.eexit"),
    at("handle_exception"),
    act("jump to handle_exception()"),
    act(
      "create new enclave-thread stack frame and push GPRSGX registers on this frame",
      (c) => {
        c.value = underTheFrame(c, ssa0(c));
        if (c.value === 0) c.kind = KIND.step;
      },
      ["sgx.clobber", "step"],
    ),
    act("update GPRSGX = (RSP = new frame, RDI = event, RSI = new frame, RIP = _DkExceptionHandler)", (c, v) => {
      const ssa = ssa0(c);
      c.extra = c.t.eventSignalId;
      ssa.push.push(
        enter(c.program, exceptionHandler, {
          event: v.event,
          vector: ssa.vector,
          // A second frame keeps the stale vector, but its RIP is _DkExceptionHandler (3.4 sgx-exitinfo-stale).
          opcode: ssa.push.length === 0 ? ssa.opcode : "",
          vectors: c.t.app.vectors,
          id: c.t.eventSignalId,
          stack: ssa.stack,
          depth: ssa.depth + ssa.push.length,
          rax: ssa.rax,
          rdi: ssa.rdi,
          rsi: ssa.rsi,
          rdx: ssa.rdx,
          carried: ssa.id,
          frame: -1,
        }),
      );
    }),
    act("EEXIT(RDX = after_resume)", stageOneDone, "sgx.eexit"),
  ],
  { note: "The page's check of RDI is only: EXITINFO.valid, else event != 0; CSSA, range and thread state are not checked" },
);

/** What the new frame, directly below RSP, overwrites: the red zone of code that has one, all but the PAL's (3.4 sgx-redzone-clobber). */
function underTheFrame(c: Cpu, ssa: SsaFrame): number {
  if (ssa.stack === HOST) return CLOBBER.UNTRUSTED_STACK;
  const interrupted = ssa.push.at(-1) ?? c.t.enclave[ssa.depth - 1];
  return c.program.flows[interrupted?.flow ?? 0]?.layer === "pal" ? 0 : CLOBBER.RED_ZONE;
}

function returnFromOcall(c: Cpu): void {
  const t = c.t;
  const { ocallStack, ocallDepth, ustackTop } = t.sgx;
  cut(c, t, HOST, ocallStack === HOST ? Math.min(ocallDepth, t.host.length) : ustackTop);
  t.stack = ocallStack;
  const stack = stackOf(t, ocallStack);
  if (ocallDepth < 0 || stack.length < ocallDepth)
    return undefinedBehaviour(c, t, "return from an ocall: TLS.stack points at dead stack frames");
  cut(c, t, ocallStack, ocallDepth);
}

function stageOneDone(c: Cpu): void {
  const t = c.t;
  if (t.rdx !== "after_resume") return exitToNowhere(c);
  c.row(KIND["sgx.eexit"], 1, t.eventSignalId);
  eexit(t);
  cut(c, t, HOST, t.host.length - 1);
  // Rewritten registers lead here by way of sgx_entry_return, which has no stack of its own: that of the interrupted sgx_raise goes on.
  while (isFrameOf(c, topFrame(t), sgxEntryReturn)) cut(c, t, HOST, t.host.length - 1);
  const raise = topFrame(t);
  if (!isFrameOf(c, raise, sgxRaise)) throw new Error("EEXIT to after_resume, but not on the stack of sgx_raise");
  goTo(c.program, raise, AFTER_RESUME);
}

/** The trusted half of an ocall, as explicit steps because a signal between any two of them matters (3.4 sgx-*-window). */
const ocall = flow(sgxOcall, "pal", "1.3, 2.3", ({ act, test, call, at, ret }) => [
  act(
    "sgx_ocalloc: copy the arguments to the untrusted stack",
    (c) => {
      if (!outerOcall(c)) return;
      c.kind = KIND["sgx.clobber"];
      c.value = CLOBBER.UNTRUSTED_STACK;
    },
    ["step", "sgx.clobber"],
  ),
  act("save registers and FPU state, TLS.stack = RSP", (c) => {
    c.t.sgx.ocallStack = c.t.stack;
    c.t.sgx.ocallDepth = stackOf(c.t, c.t.stack).length;
  }),
  act("RSP = ustack, clear registers", (c, v) => {
    const t = c.t;
    // From here to EEXIT the enclave runs on the untrusted stack. Its registers are its own, whatever TLS.stack says by now.
    t.stack = HOST;
    cut(c, t, HOST, t.sgx.ustackTop);
    push(t, enter(c.program, ocallExit, { code: v.code, asked: v.asked, args: v.args }));
  }),
  act("restore FSBASE, FXSAVE area and registers", (c, v) => {
    v.result = c.t.rdi;
  }),
  test("RSI == 0?", (c) => c.t.rsi === 0, "done"),
  call("_DkHandleExternalEvent(event, uc)", handleExternalEvent, (c) => ({
    event: c.t.rsi,
    id: c.t.eventSignalId,
    frame: -1,
    handled: false,
  })),
  at("done"),
  ret(
    "return the ocall's result",
    (c, v) => {
      c.t.rax = v.result;
      c.value = v.result;
    },
    "ocall.return",
  ),
]);

/**
 * Each ocall resets the untrusted stack to its top. An outer one that an exception cut short has its arguments or results there still
 * (3.4 sgx-ustack-reset-clobber); one that an external event cut short is over: its result is -PAL_ERROR_INTERRUPTED (2.3).
 */
function outerOcall(c: Cpu): boolean {
  const { enclave, host, stack } = c.t;
  const own = stackOf(c.t, stack)[here(c)];
  return hasUnfinished(c, enclave, own) || hasUnfinished(c, host, own);
}

function hasUnfinished(c: Cpu, stack: readonly Frame[], own: Frame | undefined): boolean {
  for (let i = 0; i < stack.length; i += 1) {
    const frame = stack[i];
    if (frame === undefined || !isFrameOf(c, frame, sgxOcall) || frame === own || !hasBegun(frame)) continue;
    if (!isFrameOf(c, stack[i + 1], handleExternalEvent)) return true;
  }
  return false;
}

const exit = flow(ocallExit, "pal", "1.3, 2.3", ({ act }) => [
  act(
    "EEXIT(exit_target)",
    (c, v) => {
      const t = c.t;
      eexit(t);
      cut(c, t, HOST, t.host.length - 1);
      push(t, enter(c.program, sgxEntry, { code: v.code, asked: v.asked, args: v.args }));
    },
    "sgx.eexit",
  ),
]);

/** The Dk* frame whose pal_frame magic is set, walking down while return addresses are PAL text; -1 when there is none (2.3 step 6). */
export function getFrame(c: Cpu, stack: 0 | 1, depth: number): number {
  const frames = stackOf(c.t, stack);
  for (let i = depth - 1; i >= 0; i -= 1) {
    const frame = frames[i];
    if (!frame || c.program.flows[frame.flow]?.text !== "pal") return -1;
    if (frame.v.magic === true) return i;
  }
  return -1;
}

/** Index of the frame that runs now. */
export const here = (c: Cpu): number => stackOf(c.t, c.t.stack).length - 1;

export const entryFlows: readonly Flow[] = [entry, ocall, exit];
