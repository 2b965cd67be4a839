/** LibOS upcalls (reference, 2.11), one flow each; they end with DkExceptionReturn(event). */

import type { Cpu } from "../cpu.ts";
import { running } from "../cpu.ts";
import { type Flow, flow, type Mark, type Step, type Steps } from "../flow.ts";
import { endProcess } from "../host/signal.ts";
import { PAL_ERROR_BOUND } from "../pal/events.ts";
import { SIG } from "../signals.ts";

interface Upcall {
  event: number;
  id: number;
  /** Fault address; 0 under SGX. */
  arg: number;
  hasContext: boolean;
  signal: number;
  code: number;
}

const finish = (s: Steps<Upcall>): (Step | Mark)[] => [
  s.call("DkExceptionReturn(event)", "DkExceptionReturn"),
  s.ret(
    "return",
    (c, v) => {
      c.value = v.event;
      c.extra = v.id;
    },
    "libos.upcall.return",
  ),
];

const isInternal = (c: Cpu): boolean => c.t.internal;

/** LibOS-internal RIP: the code the event interrupted, found below the PAL frames of the upcall. */
function ripInLibos(c: Cpu): boolean {
  const stack = running(c.t);
  for (let i = stack.length - 2; i >= 0; i -= 1) {
    const flow = c.program.flows[stack[i]?.flow ?? 0];
    if (!flow || flow.layer === "pal" || flow.layer === "untrusted-pal" || flow.layer === "host") continue;
    return flow.layer === "libos";
  }
  return false;
}

/** SIGTERM and SIGINT: drop on internal threads, else deliver (info = SI_USER, si_pid = 0, no context). */
const asynchronous = (name: string, signal: number): Flow =>
  flow<Upcall>(name, "libos", "2.11", (s) => [
    s.test("internal Graphene thread (async or ipc helper)?", isInternal, "internal"),
    s.act(`siginfo_t info = (${signal === SIG.INT ? "SIGINT" : "SIGTERM"}, SI_USER, .si_pid = 0)`, (_, v) => {
      v.signal = signal;
    }),
    s.call("deliver_signal(info, context = NULL)", "deliver_signal", (_, v) => ({
      signal: v.signal,
      id: v.id,
      from: 0,
      hasContext: false,
      stored: false,
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
  flow<Upcall>(
    "resume_upcall",
    "libos",
    "2.11",
    (s) => [
      s.test("internal Graphene thread (async or ipc helper)?", isInternal, "return"),
      s.act("tcb.context.preempt + 1  < __disable_preempt() >", (c) => {
        c.t.libos.preempt += 1;
      }),
      s.test("tcb.context.preempt > 1?  (nested signal)", (c) => c.t.libos.preempt > 1, "nested"),
      s.call("__handle_signal(signal-num = 0, context = NULL)", "__handle_signal", () => ({ only: 0, at: 1, found: 0, id: 0, from: 0 })),
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
      s.act("tcb.context.preempt - 1  < __enable_preempt() >", (c) => {
        c.t.libos.preempt -= 1;
      }),
      s.at("return"),
      ...finish(s),
    ],
    { note: "D10: when nested it also sets SIGNAL_DELAYED" },
  );

/** Sync upcalls: an internal fault, or deliver_signal with the interrupted context. */
const synchronous = (name: string, signal: number, code: string, before: (s: Steps<Upcall>) => (Step | Mark)[] = () => []): Flow =>
  flow<Upcall>(name, "libos", "2.11", (s) => [
    ...before(s),
    s.test("internal Graphene thread or exception during LibOS/PAL?", (c) => isInternal(c) || ripInLibos(c), "fault"),
    ...(name === "illegal_upcall"
      ? [s.test("no VMA for the address (always so under SGX, where it is 0)?", (_, v) => v.arg === 0, "fault")]
      : []),
    s.act(`siginfo_t info = (${code}, si_addr = <faulting addr from PAL>)`, (c, v) => {
      v.signal = signal;
      c.value = v.arg;
    }),
    s.call("deliver_signal(info, context)", "deliver_signal", (_, v) => ({
      signal: v.signal,
      id: v.id,
      from: 0,
      hasContext: true,
      stored: false,
    })),
    s.jump("return", "return"),
    s.at("fault"),
    s.act("print panic message, execute a breakpoint instruction", internalFault, "libos.fault"),
    s.at("return"),
    ...finish(s),
  ]);

/** D11: the breakpoint is SIGTRAP on Linux (kills); under SGX it is skipped and the fault repeats. */
function internalFault(c: Cpu, v: Upcall): void {
  c.value = v.event;
  c.extra = v.id;
  if (c.t.sgx.exitTarget) return;
  endProcess(c, c.process(c.t), -SIG.TRAP);
}

/** Probing user memory: the fault is forwarded to the probe's own recovery address. Never under SGX, where arg is 0. */
const probing = (s: Steps<Upcall>): (Step | Mark)[] => [
  s.test("exception during test_user_memory/string?", (c, v) => c.t.libos.probing && v.arg !== 0, "probe"),
  s.jump("no probe"),
  s.at("probe"),
  s.act("update RIP to ret_fault", (c) => {
    c.t.libos.probing = false;
    const trigger = running(c.t).find((frame) => frame.flow === c.wiring.trigger);
    if (trigger) trigger.v.skip = true;
  }),
  s.jump("return", "return"),
  s.at("no probe"),
];

/** FAILURE: the PAL's way to hand over an error. */
const failure = flow<{ error: number }>("handle_failure", "libos", "2.11", ({ act, ret }) => [
  act("tcb.pal_errno := arg (0 if above the bound)", (c, v) => {
    c.t.libos.palErrno = v.error > PAL_ERROR_BOUND ? 0 : v.error;
    c.value = c.t.libos.palErrno;
  }),
  ret(
    "return",
    (c, v) => {
      c.value = 7;
      c.extra = v.error;
    },
    "libos.upcall.return",
  ),
]);

const exceptionReturn = flow("DkExceptionReturn", "pal", "2.6, 2.10", ({ call, ret }) => [
  call("_DkExceptionReturn(event)", "_DkExceptionReturn"),
  ret(),
]);

export const upcallFlows = (fixes: { delayedBit: boolean }): Flow[] => [
  asynchronous("quit_upcall", SIG.TERM),
  asynchronous("suspend_upcall", SIG.INT),
  resume(fixes.delayedBit),
  synchronous("arithmetic_error_upcall", SIG.FPE, "SIGFPE, FPE_INTDIV"),
  synchronous("memfault_upcall", SIG.SEGV, "SIGSEGV, SEGV_MAPERR", probing),
  synchronous("illegal_upcall", SIG.ILL, "SIGILL, ILL_ILLOPC"),
  failure,
  exceptionReturn,
];
