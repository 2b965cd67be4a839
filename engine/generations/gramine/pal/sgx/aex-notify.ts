/**
 * AEX-Notify as proposed (gramine-today.md 13; the branch dimakuv/aex-notify-part5): host handlers only note what came, the AEX code tells
 * the enclave in normal context, and stage one goes on to stage two by EDECCSSA, without leaving the enclave.
 */

import { isAt, skip } from "../../../../control.ts";
import { cut, push, running, stackOf } from "../../../../cpu.ts";
import type { Flow, Mark, Step } from "../../../../flow.ts";
import { enter, findDown, isFrameOf, localsOf } from "../../../../frames.ts";
import { exitArgs } from "../../../../host/calls.ts";
import { KERNEL, restoreRt } from "../../../../host/flows.ts";
import { aep, type Entry } from "../../../../sgx/flows.ts";
import { edeccssa, eresume } from "../../../../sgx/leaf.ts";
import { HOST } from "../../../../state.ts";
import { KIND, WHY } from "../../../../transition.ts";
import { type SgxCpu as Cpu, sgxFlow as flow, type SgxSteps as Steps } from "../../flow.ts";
import { EVENT, NO_EVENT } from "../errors.ts";
import type { Handler } from "../flows.ts";
import { failOnMorphedEresume, finalJump, maybeRaisePendingSignal, palExceptionHandler, sgxOcall, sgxRaise } from "./flows.ts";
import { hostTcb, keepEvent } from "./host-tcb.ts";

/** Mark of the EENTER of sgx_raise. */
export const EENTER_POINTER = "eenter_pointer";
/** RDX of a morphed ERESUME. */
export const FAIL = "sgx_fail_on_morphed_eresume";

/** Every exit asks for what is pending; the dummy INTERRUPTED is for an ERESUME that turns out to be an EENTER (A2, A4). */
const exitPointer = flow(
  aep,
  "untrusted-pal",
  "13 A2, A4",
  (s) => [
    s.act("is_in_aex := 1; count the AEX", (c) => {
      c.t.pal.sgx.inAex = true;
    }),
    s.call("maybe_raise_pending_signal()", maybeRaisePendingSignal),
    s.act("is_in_aex := 0", (c) => {
      c.t.pal.sgx.inAex = false;
    }),
    s.act("RDI := INTERRUPTED, RDX := sgx_fail_on_morphed_eresume", (c) => {
      c.t.rdi = EVENT.INTERRUPTED;
      c.t.rdx = FAIL;
      c.t.eventSignalId = 0;
    }),
    s.act("ERESUME", (c) => eresume(c, c.t), ["sgx.eresume", "sgx.eenter"]),
  ],
  { text: "aep" },
);

/** One of the two at a time, the fault first. An event that comes behind this waits for the next AEX, or the next return from an ocall. */
const raisePending = flow<{ event: number; id: number }>(maybeRaisePendingSignal, "untrusted-pal", "13 A2", (s) => [
  s.own({ event: NO_EVENT, id: 0 }),
  s.act(
    "last_sync_event exchanged with NO_EVENT",
    (c, v) => {
      const { sgx } = c.t.pal;
      v.event = sgx.lastSyncEvent;
      v.id = sgx.lastSyncId;
      sgx.lastSyncEvent = NO_EVENT;
      sgx.lastSyncId = 0;
      if (v.event !== NO_EVENT) c.row(KIND["pal.event.deliver"], v.event, v.id);
    },
    ["step", "pal.event.deliver"],
  ),
  s.test("there was one?", (_, v) => v.event !== NO_EVENT, "raise"),
  s.act(
    "last_async_event exchanged with NO_EVENT",
    (c, v) => {
      const { sgx } = c.t.pal;
      v.event = sgx.lastAsyncEvent;
      v.id = sgx.lastAsyncId;
      sgx.lastAsyncEvent = NO_EVENT;
      sgx.lastAsyncId = 0;
      if (v.event !== NO_EVENT) c.row(KIND["pal.event.deliver"], v.event, v.id);
    },
    ["step", "pal.event.deliver"],
  ),
  s.test("none?", (_, v) => v.event === NO_EVENT, "done"),
  s.at("raise"),
  s.call("sgx_raise(event)", sgxRaise, (_, v) => ({ event: v.event, id: v.id, signal: 0 })),
  s.at("done"),
  s.ret(),
]);

const failed = flow(failOnMorphedEresume, "untrusted-pal", "13 A4", (s) => [
  s.act('print "Bug in AEX-Notify flows"'),
  s.call("exit_group(1)", KERNEL.exit, () => exitArgs({ status: 1, group: true, how: 2, why: WHY.PAL })),
]);

/** `jmp *R11`: what stage one has made of the interrupted context goes on. */
const jump = flow(finalJump, "pal", "13 A5", (s) => [s.ret("jump to R11")]);

/** A5: the way to stage two. The stack of the AEX code is left behind. */
export const toStageTwo = (s: Steps<Entry>): (Step | Mark)[] => [
  s.act("R11 := SSA[0].RIP"),
  s.act("SSA[0].AEXNOTIFY := 0", (c) => {
    c.t.sgx.aexNotify = false;
  }),
  s.act("registers := those of SSA[0]"),
  s.act(
    "EDECCSSA",
    (c) => {
      const t = c.t;
      const ssa = edeccssa(c, t);
      cut(c, t, HOST, t.sgx.ustackTop);
      t.stack = ssa.stack;
      t.rax = ssa.rax;
      t.rdi = ssa.rdi;
      t.rsi = ssa.rsi;
      t.rdx = ssa.rdx;
      t.eventSignalId = ssa.id;
      stackOf(t, t.stack).push(...ssa.push);
      push(t, enter(c.program, finalJump, {}));
    },
    "sgx.edeccssa",
  ),
];

/** A1: the event is noted; whoever handles the exit takes it. */
export function noteSync(c: Cpu, v: Handler): void {
  const tcb = hostTcb(c);
  if (!tcb) return;
  tcb.lastSyncEvent = v.event;
  tcb.lastSyncId = v.id;
  c.signal = v.signal;
  c.row(KIND["pal.event.pend"], v.event, v.id);
}

/** A3: #GP of the EENTER in sgx_raise, because stage one was running: the event goes back, and the instruction is skipped. */
export const putBack = (s: Steps<Handler>): (Step | Mark)[] => [
  s.test("not in AEX code, or RIP not at the EENTER?", (c) => !atEenter(c), "not EENTER"),
  s.act(
    "last_async_event := RDI, unless QUIT is there; skip EENTER",
    (c) => {
      const stack = running(c.t);
      const at = findDown(c, stack, restoreRt);
      const uc = localsOf(c, stack[at], restoreRt);
      const interrupted = stack[at - 1];
      if (!uc || !interrupted || !hostTcb(c)) return;
      skip(interrupted);
      keepEvent(c, { event: uc.rdi, id: uc.carried });
    },
    ["pal.event.pend", "pal.event.lost"],
  ),
  s.ret("signal handler done"),
  s.at("not EENTER"),
];

function atEenter(c: Cpu): boolean {
  const stack = running(c.t);
  const frame = stack[findDown(c, stack, restoreRt) - 1];
  return hostTcb(c)?.inAex === true && frame !== undefined && isFrameOf(c, frame, sgxRaise) && isAt(c.program, frame, EENTER_POINTER);
}

/** A6: the outermost restore asks to be told again. */
export function notifyAgain(c: Cpu, depth: number): void {
  const { readyForAexNotify, stoppingAexNotify } = c.t.pal.sgx;
  const below = c.t.enclave.slice(0, depth);
  const onSignalStack = below.some((frame) => isFrameOf(c, frame, palExceptionHandler) || isFrameOf(c, frame, sgxOcall));
  if (!readyForAexNotify || stoppingAexNotify || onSignalStack) return;
  c.t.sgx.aexNotify = true;
  c.value = 1;
}

/** init_aex_notify_for_thread, fini_aex_notify_for_thread. */
export const initAexNotify = <V extends object>(s: Steps<V>): Step[] => [
  s.act("init_aex_notify_for_thread: ready_for_aex_notify := 1", (c) => {
    c.t.pal.sgx.readyForAexNotify = true;
  }),
  s.act("init_aex_notify_for_thread: SSA[0].AEXNOTIFY := 1", (c) => {
    c.t.sgx.aexNotify = true;
  }),
];
export const finiAexNotify = <V extends object>(s: Steps<V>): Step[] => [
  s.act("fini_aex_notify_for_thread: stopping_aex_notify := 1", (c) => {
    c.t.pal.sgx.stoppingAexNotify = true;
  }),
  s.act("fini_aex_notify_for_thread: SSA[0].AEXNOTIFY := 0", (c) => {
    c.t.sgx.aexNotify = false;
  }),
  s.act("fini_aex_notify_for_thread: ready_for_aex_notify := 0", (c) => {
    c.t.pal.sgx.readyForAexNotify = false;
  }),
];

export const aexNotifyFlows: readonly Flow[] = [exitPointer, raisePending, failed, jump];
