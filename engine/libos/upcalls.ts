/** LibOS upcalls (reference, 2.11), one flow each; they end with DkExceptionReturn(event). */

import { running, stackOf } from "../cpu.ts";
import { atFault } from "../faulting.ts";
import { isVma, type Vma } from "../faults.ts";
import type { Flow, Mark, Step } from "../flow.ts";
import { findDown, localsOf } from "../frames.ts";
import { type Cpu, flow, type Steps } from "../generations/graphene-2019/flow.ts";
import { restoreRt } from "../host/flows.ts";
import { endProcess } from "../host/process-state.ts";
import { PAL_ERROR_BOUND } from "../pal/events.ts";
import {
  dkExceptionReturn,
  failureUpcall,
  genericEventTrigger,
  exceptionReturn as palExceptionReturn,
  UPCALLS,
  type Upcall,
} from "../pal/flows.ts";
import type { Ref } from "../ref.ts";
import { faultInfo, SI, sentBy } from "../siginfo.ts";
import { SIG } from "../signals.ts";
import type { Frame } from "../state.ts";
import { KIND, WHY } from "../transition.ts";
import { SCAN_ALL } from "./deliver.ts";
import { LIBOS } from "./flows.ts";
import { disablePreempt, enablePreempt } from "./preempt.ts";

export const finish = (s: Steps<Upcall>): (Step | Mark)[] => [
  s.call("DkExceptionReturn(event)", dkExceptionReturn),
  s.ret(
    "return",
    (c, v) => {
      c.value = v.event;
      c.extra = v.id;
    },
    "libos.upcall.return",
  ),
];

export const isInternal = (c: Cpu): boolean => c.t.internal;

/** is_internal: the interrupted RIP is LibOS text (1.1). PAL text is not: a fault there reaches the application (2.4). */
function ripInLibos(c: Cpu): boolean {
  const frame = interrupted(c);
  return frame !== undefined && c.program.flows[frame.flow]?.layer === "libos";
}

/** What the event interrupted. SGX: by the context's own RSP. Linux: what lies below the kernel's frame. */
export function interrupted(c: Cpu): Frame | undefined {
  const stack = running(c.t);
  const at = findDown(c, stack, genericEventTrigger);
  const event = localsOf(c, stack[at], genericEventTrigger);
  if (!event || !c.t.sgx?.exitTarget) return stack[findDown(c, stack, restoreRt, at) - 1];
  return stackOf(c.t, event.stack)[event.depth - 1];
}

/** SIGTERM and SIGINT: drop on internal threads, else deliver (info = SI_USER, si_pid = 0, no context). */
const asynchronous = (upcall: Ref<Upcall>, signal: number): Flow =>
  flow(upcall, "libos", "2.11", (s) => [
    s.test("internal Graphene thread (async or ipc helper)?", isInternal, "internal"),
    s.act(`siginfo_t info = (${signal === SIG.INT ? "SIGINT" : "SIGTERM"}, SI_USER, .si_pid = 0)`, (_, v) => {
      v.signal = signal;
    }),
    s.call("deliver_signal(info, context = NULL)", LIBOS.deliver_signal, (_, v) => ({
      signal: v.signal,
      id: v.id,
      info: sentBy(v.signal, 0),
      context: "none",
      stored: false,
      event: true,
    })),
    s.jump("return", "return"),
    s.at("internal"),
    s.act(
      "drop it",
      (c, v) => {
        c.signal = signal;
        c.value = 1;
        c.extra = v.id;
      },
      "libos.signal.lost",
    ),
    s.at("return"),
    ...finish(s),
  ]);

const resume = (fixed: boolean): Flow =>
  flow(
    UPCALLS.RESUME,
    "libos",
    "2.11",
    (s) => [
      s.test("internal Graphene thread (async or ipc helper)?", isInternal, "return"),
      disablePreempt(s),
      s.test("tcb.context.preempt > 1?  (nested signal)", (c) => c.t.libos.preempt > 1, "nested"),
      s.call("__handle_signal(signal-num = 0, context = NULL)", LIBOS.__handle_signal, () => ({ ...SCAN_ALL })),
      s.jump("enable"),
      s.at("nested"),
      fixed
        ? s.act("leave it for the delivery points")
        : s.act(
            "set SIGNAL_DELAYED",
            (c) => {
              c.t.libos.delayed = true;
              c.value = c.t.libos.preempt;
            },
            "libos.signal.delayed",
          ),
      s.at("enable"),
      enablePreempt(s),
      s.at("return"),
      ...finish(s),
    ],
    { note: "D10: when nested it also sets SIGNAL_DELAYED" },
  );

const INTERNAL = "internal Graphene thread or exception during LibOS/PAL?";
const internal = (c: Cpu): boolean => isInternal(c) || ripInLibos(c);

/** The siginfo of a sync event, e.g. "SIGFPE, FPE_INTDIV". */
const info = (s: Steps<Upcall>, signal: number, code: number, text: string): Step =>
  s.act(`siginfo_t info = (${text}, si_addr = <faulting addr from PAL>)`, (c, v) => {
    v.signal = signal;
    v.code = code;
    c.value = v.arg;
  });

/** How a sync upcall ends: deliver_signal with the interrupted context, or an internal fault. */
const deliverOrFault = (s: Steps<Upcall>): (Step | Mark)[] => [
  s.call("deliver_signal(info, context)", LIBOS.deliver_signal, (_, v) => ({
    signal: v.signal,
    id: v.id,
    info: faultInfo(v.signal, v.code, v.arg),
    context: v.hasContext ? "pal" : "none",
    stored: false,
    event: true,
  })),
  s.jump("return", "return"),
  s.at("fault"),
  s.act("print panic message, execute a breakpoint instruction", internalFault, "libos.fault"),
  s.at("return"),
  ...finish(s),
];

const arithmetic = flow(UPCALLS.ARITHMETIC_ERROR, "libos", "2.11", (s) => [
  s.test(INTERNAL, internal, "fault"),
  info(s, SIG.FPE, SI.FPE_INTDIV, "SIGFPE, FPE_INTDIV"),
  ...deliverOrFault(s),
]);

const illegal = flow(UPCALLS.ILLEGAL, "libos", "2.11", (s) => [
  s.test(INTERNAL, internal, "fault"),
  s.test("no VMA for the address (always so under SGX, where it is 0)?", (_, v) => v.arg === 0, "fault"),
  info(s, SIG.ILL, SI.ILL_ILLOPC, "SIGILL, ILL_ILLOPC"),
  ...deliverOrFault(s),
]);

/** Probing user memory: the fault is forwarded to the probe's own recovery address. Never under SGX, where arg is 0. */
const probing = (s: Steps<Upcall>): (Step | Mark)[] => [
  s.test("exception during test_user_memory/string?", (c, v) => c.t.libos.probing && v.arg !== 0, "probe"),
  s.jump("no probe"),
  s.at("probe"),
  s.act(
    "update RIP to ret_fault",
    (c, v) => {
      c.extra = v.id;
      c.t.libos.probing = false;
      // Of this event: below it may be others, whose handlers run (a probe in a handler).
      const stack = running(c.t);
      const event = localsOf(c, stack[findDown(c, stack, genericEventTrigger)], genericEventTrigger);
      if (event) event.skip = true;
    },
    "signal.take",
  ),
  s.jump("return", "return"),
  s.at("no probe"),
];

/** What lookup_vma finds for the address: what the faulting operation says. Under SGX there is no address to look for. */
function vma(c: Cpu, v: Upcall): Vma {
  const frame = interrupted(c);
  return v.arg !== 0 && frame && atFault(c, frame) && isVma(frame.v.vma) ? frame.v.vma : "unmapped";
}

/** In the order of the code: by the VMA of the address, SIGSEGV or SIGBUS, or nobody's business but the LibOS's. */
const memfault = flow(UPCALLS.MEMFAULT, "libos", "2.11", (s) => [
  ...probing(s),
  s.test(INTERNAL, internal, "fault"),
  s.test("no address, or no VMA for it?", (c, v) => vma(c, v) === "unmapped", "no VMA"),
  s.test("an internal VMA?", (c, v) => vma(c, v) === "internal", "fault"),
  s.test("a file's VMA, past the end of the file?", (c, v) => vma(c, v) === "file-end", "bus"),
  // What is left: a write to a file's VMA that is not writable, and any access to another VMA that its protection forbids.
  info(s, SIG.SEGV, SI.SEGV_ACCERR, "SIGSEGV, SEGV_ACCERR"),
  s.jump("deliver", "deliver it"),
  s.at("bus"),
  info(s, SIG.BUS, SI.BUS_ADRERR, "SIGBUS, BUS_ADRERR"),
  s.jump("deliver", "deliver it"),
  s.at("no VMA"),
  info(s, SIG.SEGV, SI.SEGV_MAPERR, "SIGSEGV, SEGV_MAPERR"),
  s.at("deliver"),
  ...deliverOrFault(s),
]);

/** D11: the breakpoint is SIGTRAP on Linux (kills); under SGX it is skipped and the fault repeats. */
function internalFault(c: Cpu, v: Upcall): void {
  c.value = v.event;
  c.extra = v.id;
  if (c.t.sgx?.exitTarget) return;
  endProcess(c, c.process(c.t), { status: -SIG.TRAP, why: WHY.FAULT, signal: SIG.TRAP });
}

/** FAILURE: the PAL's way to hand over an error. */
const failure = flow(failureUpcall, "libos", "2.11", ({ act, ret }) => [
  act(
    "tcb.pal_errno := arg (0 if above the bound)",
    (c, v) => {
      c.t.libos.palErrno = v.error > PAL_ERROR_BOUND ? 0 : v.error;
      c.row(KIND["pal.errno.set"], c.t.libos.palErrno);
    },
    "pal.errno.set",
  ),
  ret(
    "return",
    (c, v) => {
      c.value = 7;
      c.extra = v.error;
    },
    "libos.upcall.return",
  ),
]);

const exceptionReturn = flow(dkExceptionReturn, "pal", "2.6, 2.10", ({ call, ret }) => [
  call("_DkExceptionReturn(event)", palExceptionReturn),
  ret(),
]);

/** All but RESUME. */
export const otherUpcalls: readonly Flow[] = [
  asynchronous(UPCALLS.QUIT, SIG.TERM),
  asynchronous(UPCALLS.SUSPEND, SIG.INT),
  arithmetic,
  memfault,
  illegal,
  failure,
  exceptionReturn,
];

export const upcallFlows = (fixes: { delayedBit: boolean }): Flow[] => [...otherUpcalls, resume(fixes.delayedBit)];
