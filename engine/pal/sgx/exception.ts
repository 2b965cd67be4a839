/** Trusted PAL of Linux-SGX: exceptions, external events, generic handling and return (reference, 2.2 to 2.6). */

import { skipFault } from "../../control.ts";
import { cut, stackOf } from "../../cpu.ts";
import { VECTOR } from "../../faults.ts";
import type { Flow, Step } from "../../flow.ts";
import { findDown, isFrameOf, localsOf, numberOf } from "../../frames.ts";
import { type SgxCpu as Cpu, sgxFlow as flow } from "../../generations/graphene-2019/flow.ts";
import { ENCLAVE, type Frame } from "../../state.ts";
import { KIND } from "../../transition.ts";
import { undefinedBehaviour } from "../../undefined.ts";
import { palGivesUp } from "../calls.ts";
import { EVENT, EVENT_BOUND, PAL_ERROR } from "../events.ts";
import {
  DK,
  dkEvent,
  dkExit,
  dkMutex,
  exceptionReturn,
  failureUpcall,
  genericEventTrigger,
  genericSignalHandle,
  getExceptionHandler,
  type PalEvent,
  palEvent,
} from "../flows.ts";
import { handled, upcall } from "../handler-table.ts";
import { CLOBBER, getFrame, here } from "./entry.ts";
import { type Exception, exceptionHandler, handleExternalEvent, ocallCpuid, sgxOcall } from "./flows.ts";

/** `app.vectors`: the program's live values. */
const LIVE = 1;

/** Registers := the saved ones. Frames above are dropped, not unwound. */
function restore(c: Cpu, v: Exception, skip: boolean): void {
  const t = c.t;
  const frames = stackOf(t, v.stack);
  if (frames.length < v.depth) return undefinedBehaviour(c, t, "restore_sgx_context: the saved RSP points at dead stack frames");
  t.stack = v.stack;
  cut(c, t, v.stack, v.depth);
  t.rax = v.rax;
  t.rdi = v.rdi;
  t.rsi = v.rsi;
  t.rdx = v.rdx;
  t.eventSignalId = v.carried;
  if (skip) skipFault(c.program, stackOf(t, v.stack)[v.depth - 1]);
}

const handler = flow(
  exceptionHandler,
  "pal",
  "2.2, 2.4",
  ({ act, test, call, at }) => [
    test("exit_info.valid?", (_, v) => v.vector >= 0, "hardware"),
    act("event_num = exit_info = RDI", (c, v) => {
      c.value = v.event;
      c.extra = v.id;
    }),
    act("PAL_CONTEXT ctx = copy(uc) <interrupted-context frame>"),
    at("frame"),
    act("frame = get_frame(uc)", (c, v) => {
      v.frame = getFrame(c, v.stack, v.depth);
      c.value = v.frame;
    }),
    test("no PAL function was interrupted", (_, v) => v.frame < 0, "handle"),
    act(
      "_DkExceptionRealHandler: return trampoline over 16 words of the interrupted stack",
      (c) => {
        c.value = CLOBBER.STACK_WORDS;
      },
      "sgx.clobber",
    ),
    at("handle"),
    call("_DkGenericSignalHandle(event, ctx)", genericSignalHandle, (_, v) =>
      palEvent(v.event, v.id, { hasContext: true, frame: v.frame, stack: v.stack, depth: v.depth }),
    ),
    act(
      "restore_sgx_context(frame)",
      (c, v) => {
        c.value = 1;
        c.extra = v.id;
        restore(c, v, false);
      },
      "pal.exception.return",
    ),

    at("hardware"),
    test("vector 6 (#UD)?", (_, v) => v.vector === VECTOR.UD, "ud"),
    act("event_num = from vector: #DE arithmetic, #AC memory", (c, v) => {
      v.event = v.vector === VECTOR.DE ? EVENT.ARITHMETIC_ERROR : v.vector === VECTOR.AC ? EVENT.MEMFAULT : 0;
      c.value = v.event;
    }),
    test("event known?", (_, v) => v.event !== 0, "frame"),
    act("other vector: resume the faulting instruction", (c, v) => dropAndRestore(c, v, false), "pal.event.lost"),
    at("ud"),
    test("0xCC (breakpoint)?", (_, v) => v.opcode === "int3", "breakpoint"),
    test("CPUID or RDTSC?", (_, v) => v.opcode === "cpuid" || v.opcode === "rdtsc", "emulate"),
    act(
      'print "Illegal instruction executed in enclave"',
      (c, v) => {
        c.value = EVENT.ILLEGAL;
        c.extra = v.id;
      },
      "pal.event.lost",
    ),
    call("ocall_exit(1): this thread only", dkExit.DkThreadExit, () => palGivesUp(1)),
    at("emulate"),
    test("RDTSC?", (_, v) => v.opcode === "rdtsc", "skip"),
    call("ocall_cpuid()", sgxOcall, (c) => ({ code: numberOf(c.program, ocallCpuid), asked: -1, args: {}, result: 0 }), "ocall.enter"),
    at("skip"),
    act("RIP + 2, resume", (c, v) => dropAndRestore(c, v, true), "pal.event.lost"),
    at("breakpoint"),
    act("RIP + 1, resume", (c, v) => dropAndRestore(c, v, true), "pal.event.lost"),
  ],
  { note: "D1: frame and context are both passed on; D4: only an invalid EXITINFO is handled like an async event" },
);

function dropAndRestore(c: Cpu, v: Exception, skip: boolean): void {
  c.extra = v.id;
  c.value = v.event;
  restore(c, v, skip);
}

const external = (fixed: boolean): Flow =>
  flow(handleExternalEvent, "pal", "2.3 step 6", ({ act, test, call, at, ret }) => {
    const failure: Step = call(
      "_DkRaiseFailure(PAL_ERROR_INTERRUPTED): keep the code",
      failureUpcall,
      (c) => {
        c.value = EVENT.FAILURE;
        c.extra = PAL_ERROR.INTERRUPTED;
        return { error: PAL_ERROR.INTERRUPTED };
      },
      "libos.upcall.enter",
    );
    return [
      act("frame = get_frame(uc) <finds outermost PAL function>", (c, v) => {
        v.frame = getFrame(c, c.t.stack, here(c));
        c.value = v.frame;
      }),
      test("RESUME while in DkObjectsWaitAny?", (c, v) => v.event === EVENT.RESUME && isWait(c, v.frame), "resume in wait"),
      fixed ? failure : null,
      call("_DkGenericSignalHandle(event, frame)", genericSignalHandle, (c, v) =>
        palEvent(v.event, v.id, { frame: v.frame >= 0 ? v.frame : here(c), stack: ENCLAVE }),
      ),
      test("handled, or RESUME?", (c, v) => c.t.rax === 1 || v.event === EVENT.RESUME, "done"),
      act("no handler: the thread ends"),
      call("_DkThreadExit()", dkExit.DkThreadExit, () => palGivesUp(0)),
      at("resume in wait"),
      act(
        "return at once: the code survives, no upcall",
        (c, v) => {
          c.value = v.event;
          c.extra = v.id;
        },
        "pal.event.deliver",
      ),
      at("done"),
      ret(),
    ];
  });

const WAITS = [DK.DkObjectsWaitAny, dkMutex.DkObjectsWaitAny, dkEvent.DkObjectsWaitAny];

const frameAt = (c: Cpu, index: number): Frame | undefined => stackOf(c.t, c.t.stack)[index];

/** DkObjectsWaitAny, whatever it waits for. */
const isWait = (c: Cpu, index: number): boolean => WAITS.some((wait) => isFrameOf(c, frameAt(c, index), wait));

const handle = flow(genericSignalHandle, "pal", "2.6", ({ act, test, call, at, ret }) => [
  call("upcall = _DkGetExceptionHandler(event)", getExceptionHandler, (_, v) => ({ event: v.event, found: false })),
  test("event inside the table?", (_, v) => v.event < EVENT_BOUND, "known"),
  act(
    "read past the end of the table, call what is there",
    (c) => undefinedBehaviour(c, c.t, "handlers[event]: the event number is out of the table"),
    "undefined",
  ),
  at("known"),
  test("upcall == NULL?", (c) => c.t.rax === 0, "none"),
  call("_DkGenericEventTrigger(event, upcall, frame/ctx)", genericEventTrigger, (_, v) => v),
  act("handled", (_, v) => {
    v.handled = true;
  }),
  at("none"),
  ret("return", handled, ["return", "pal.event.lost"]),
]);

const trigger = flow(
  genericEventTrigger,
  "pal",
  "2.6",
  ({ act, callDynamic, ret }) => [
    act("event = struct exception_event(event_num, context = ctx, frame = frame)"),
    callDynamic("upcall(event, ctx)", upcall, "libos.upcall.enter"),
    ret(),
  ],
  { note: "D5: the fault address is always 0" },
);

/** DkExceptionReturn of the event on this stack: context first, then frame, else plain return (D1). */
const goBack = flow(exceptionReturn, "pal", "2.6", ({ act, test, at, ret }) => [
  act(
    "event.context, event.frame: how to go back",
    (c) => {
      const event = eventHere(c);
      c.extra = event?.id ?? 0;
      c.value = !event ? 0 : event.depth >= 0 ? 1 : event.frame >= 0 ? 2 : 0;
      c.t.rsi = 0;
    },
    "pal.exception.return",
  ),
  test("event.context is not NULL", (c) => (eventHere(c)?.depth ?? -1) >= 0, "context"),
  test("event.frame is NULL", (c) => (eventHere(c)?.frame ?? -1) < 0, "return"),
  act("update registers with event.frame registers, RAX = 0; return to LibOS (as if PAL function returned)", abandon, "pal.call.abandon"),
  at("context"),
  act("update registers with event.context registers (including RSP): context is reset, no unwinding", resumeContext, [
    "step",
    "sgx.clobber",
  ]),
  at("return"),
  ret(),
]);

/** The event of the nearest upcall on the running stack. */
function eventHere(c: Cpu): PalEvent | null {
  const stack = stackOf(c.t, c.t.stack);
  return localsOf(c, stack[findDown(c, stack, genericEventTrigger)], genericEventTrigger);
}

function abandon(c: Cpu): void {
  const event = eventHere(c);
  if (!event) return;
  const t = c.t;
  c.extra = event.id;
  c.value = t.libos.palErrno;
  // Branch c of 2.3: the fake frame is this very function, so its caller sees it return and the code is kept.
  if (isFrameOf(c, frameAt(c, event.frame), handleExternalEvent)) c.kind = KIND["pal.exception.return"];
  cut(c, t, t.stack, event.frame);
  t.rax = 0;
}

function resumeContext(c: Cpu): void {
  const event = eventHere(c);
  const stack = stackOf(c.t, c.t.stack);
  const exception = localsOf(c, stack[findDown(c, stack, exceptionHandler)], exceptionHandler);
  if (!event || !exception) return undefinedBehaviour(c, c.t, "DkExceptionReturn: no interrupted context on this stack");
  if (exception.vectors === LIVE && c.t.app.vectors !== LIVE) {
    c.kind = KIND["sgx.clobber"];
    c.value = CLOBBER.VECTORS;
  }
  restore(c, exception, event.skip);
}

export const exceptionFlows = (fixes: { interruptedCode: boolean }): Flow[] => [
  handler,
  external(fixes.interruptedCode),
  handle,
  trigger,
  goBack,
];
