/** Trusted PAL of Linux-SGX: exceptions, external events, generic handling and return (reference, 2.2 to 2.6). */

import { skipFault } from "../../control.ts";
import { type Cpu, cut, findDown, stackOf } from "../../cpu.ts";
import { VECTOR } from "../../faults.ts";
import { type Flow, flow, type Step } from "../../flow.ts";
import { copyOf, ENCLAVE, type StackId } from "../../state.ts";
import { KIND } from "../../transition.ts";
import { undefinedBehaviour } from "../../undefined.ts";
import { palGivesUp } from "../calls.ts";
import { EVENT, EVENT_BOUND, PAL_ERROR } from "../events.ts";
import { handled, upcallName } from "../handler-table.ts";
import { CLOBBER, getFrame, here, triggerFrame } from "./entry.ts";

/** The interrupted registers (sgx_context_t): where they are on the stack is `stack` and `depth`. */
interface Exception {
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

/** `app.vectors`: the program's live values. */
const LIVE = 1;

interface Handle {
  event: number;
  id: number;
  /** Index of the pal_frame's function, -1 = NULL. */
  frame: number;
  /** Interrupted context, depth -1 = NULL. */
  stack: StackId;
  depth: number;
  rax: number;
  skip: boolean;
  handled: boolean;
}

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

const handler = flow<Exception>(
  "_DkExceptionHandler",
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
    call("_DkGenericSignalHandle(event, ctx)", "_DkGenericSignalHandle", (_, v) => ({
      event: v.event,
      id: v.id,
      frame: v.frame,
      stack: v.stack,
      depth: v.depth,
      rax: v.rax,
      skip: false,
      handled: false,
    })),
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
    call("ocall_exit(1): this thread only", "DkThreadExit", () => palGivesUp(1)),
    at("emulate"),
    test("RDTSC?", (_, v) => v.opcode === "rdtsc", "skip"),
    call("ocall_cpuid()", "sgx_ocall", () => ({ code: "ocall_cpuid", args: {}, result: 0 }), "ocall.enter"),
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
  flow<{ event: number; id: number; frame: number; handled: boolean }>(
    "_DkHandleExternalEvent",
    "pal",
    "2.3 step 6",
    ({ act, test, call, at, ret }) => {
      const failure: Step = call(
        "_DkRaiseFailure(PAL_ERROR_INTERRUPTED): keep the code",
        "handle_failure",
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
        test(
          "RESUME while in DkObjectsWaitAny?",
          (c, v) => v.event === EVENT.RESUME && v.frame >= 0 && nameAt(c, v.frame).startsWith("DkObjectsWaitAny"),
          "resume in wait",
        ),
        fixed ? failure : null,
        call("_DkGenericSignalHandle(event, frame)", "_DkGenericSignalHandle", (c, v) => ({
          event: v.event,
          id: v.id,
          frame: v.frame >= 0 ? v.frame : here(c),
          stack: ENCLAVE,
          depth: -1,
          rax: 0,
          skip: false,
          handled: false,
        })),
        test("handled, or RESUME?", (c, v) => c.t.rax === 1 || v.event === EVENT.RESUME, "done"),
        act("no handler: the thread ends"),
        call("_DkThreadExit()", "DkThreadExit", () => palGivesUp(0)),
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
    },
  );

function nameAt(c: Cpu, index: number): string {
  const frame = stackOf(c.t, c.t.stack)[index];
  return frame ? (c.program.flows[frame.flow]?.name ?? "") : "";
}

const handle = flow<Handle>("_DkGenericSignalHandle", "pal", "2.6", ({ act, test, call, at, ret }) => [
  call("upcall = _DkGetExceptionHandler(event)", "_DkGetExceptionHandler", (_, v) => ({ event: v.event, found: false })),
  test("event inside the table?", (_, v) => v.event < EVENT_BOUND, "known"),
  act(
    "read past the end of the table, call what is there",
    (c) => undefinedBehaviour(c, c.t, "handlers[event]: the event number is out of the table"),
    "undefined",
  ),
  at("known"),
  test("upcall == NULL?", (c) => c.t.rax === 0, "none"),
  call("_DkGenericEventTrigger(event, upcall, frame/ctx)", "_DkGenericEventTrigger", (_, v) => copyOf(v)),
  act("handled", (_, v) => {
    v.handled = true;
  }),
  at("none"),
  ret("return", handled),
]);

const trigger = flow<Handle>(
  "_DkGenericEventTrigger",
  "pal",
  "2.6",
  ({ act, callDynamic, ret }) => [
    act("event = struct exception_event(event_num, context = ctx, frame = frame)"),
    callDynamic(
      "upcall(event, ctx)",
      (c, v) => {
        c.value = v.event;
        c.extra = v.id;
        return {
          flow: c.flowOf(upcallName(v.event)),
          v: { event: v.event, id: v.id, arg: 0, hasContext: v.depth >= 0, signal: 0, code: 0, mode: 0 },
        };
      },
      "libos.upcall.enter",
    ),
    ret(),
  ],
  { note: "D5: the fault address is always 0" },
);

/** DkExceptionReturn of the event on this stack: context first, then frame, else plain return (D1). */
const exceptionReturn = flow("_DkExceptionReturn", "pal", "2.6", ({ act, test, at, ret }) => [
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
  act("update registers with event.context registers (including RSP): context is reset, no unwinding", resumeContext),
  at("return"),
  ret(),
]);

function eventHere(c: Cpu): Handle | null {
  const frame = stackOf(c.t, c.t.stack)[triggerFrame(c)];
  return frame ? (frame.v as unknown as Handle) : null;
}

function abandon(c: Cpu): void {
  const event = eventHere(c);
  if (!event) return;
  const t = c.t;
  c.extra = event.id;
  c.value = t.libos.palErrno;
  // Branch c of 2.3: the fake frame is this very function, so its caller sees it return and the code is kept.
  if (nameAt(c, event.frame) === "_DkHandleExternalEvent") c.kind = KIND["pal.exception.return"];
  cut(c, t, t.stack, event.frame);
  t.rax = 0;
}

function resumeContext(c: Cpu): void {
  const event = eventHere(c);
  const stack = stackOf(c.t, c.t.stack);
  const at = findDown(stack, c.flowOf("_DkExceptionHandler"));
  const frame = stack[at];
  if (!event || !frame) return undefinedBehaviour(c, c.t, "DkExceptionReturn: no interrupted context on this stack");
  const exception = frame.v as unknown as Exception;
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
  exceptionReturn,
];
