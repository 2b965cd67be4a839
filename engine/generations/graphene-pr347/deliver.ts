/**
 * The LibOS decides about a signal that an upcall brings (pr347.md c1, c2; shim_signal.c at 54d9f053c): a frame on the application's stack where
 * that is what was interrupted, else a bit, and the signal is kept nowhere.
 */

import type { Flow, Mark, Step } from "../../flow.ts";
import { fetchNext, noSignal, SCAN_ALL } from "../../libos/deliver.ts";
import { LIBOS } from "../../libos/flows.ts";
import { args, type Delivery, type Signal } from "../../libos/handle-one.ts";
import { dkQuiet } from "../../libos/io.ts";
import { disablePreempt, enablePreempt } from "../../libos/preempt.ts";
import { reservation, store } from "../../libos/ring.ts";
import { isAlive } from "../../libos/thread-list.ts";
import { finish, isInternal } from "../../libos/upcalls.ts";
import { UPCALLS } from "../../pal/flows.ts";
import { hasSignal } from "../../signals.ts";
import { extended } from "../../state.ts";
import { KIND } from "../../transition.ts";
import { completeJump } from "./chain.ts";
import { type Cpu, flow, type Steps } from "./flow.ts";
import { PR } from "./flows.ts";
import { IGNORED, isDefault, NO_DEFAULT } from "./handler.ts";
import { atJump, hasContext, inLibos, inPal } from "./rip.ts";

export interface DeliverFixes {
  /** What finds the LibOS or the PAL running is kept. */
  readonly lost: boolean;
  readonly sameNumber: boolean;
  readonly defaultAction: boolean;
  readonly delayedBit: boolean;
  readonly yieldAfterSignal: boolean;
}

/** Why a signal is lost: `value` of the row. */
const LOST = { interrupted: 4, sameNumber: 5 } as const;

const isDeferred = (c: Cpu, v: Delivery): boolean => c.t.libos.preempt > 1 || hasSignal(c.t.libos.mask, v.signal) || !v.event;

const signalOf = ({ signal, id, info, context, stored }: Signal): Signal => ({ signal, id, info, context, stored });

/** Into the thread's own ring. */
const keep = <V extends Signal>(s: Steps<V>, done: string): (Step | Mark)[] => [
  s.call("malloc(shim_signal)", LIBOS.malloc),
  s.call("allocate_signal_log(sig): reserve a slot", LIBOS.allocate_signal_log, (c, v) => reservation(c.t.id, v)),
  s.act("append signal to thread->signal_logs[sig]", (c, v) => store(c, c.t.id, v), "libos.signal.append"),
  s.test("it has a slot?", (c) => c.t.rax >= 0, done),
  s.call('sys_printf("signal queue is full")', LIBOS.sys_printf),
  s.call("free(shim_signal)", LIBOS.free),
];

const deliver = (fix: DeliverFixes): Flow =>
  flow(PR.deliver_signal, "libos", "pr347 c1, c2, c7", (s) => [
    s.test("tcb.tp == NULL or thread not alive?", (c) => !c.t.libos.ready || !isAlive(c), "lost"),
    disablePreempt(s),
    s.act("shim_signal signal = (info, context_stored, context, pal_context)", args),
    s.act(
      "preempt > 1, or the mask blocks it, or event == NULL: sent to self",
      (c, v) => {
        args(c, v);
        c.value = isDeferred(c, v) ? 1 : 0;
      },
      "libos.signal.decide",
    ),
    s.test("into the ring?", isDeferred, "keep"),
    s.call("__handle_signal(sig, &signal->context, event)", PR.__handle_signal, (_, v) => ({
      ...SCAN_ALL,
      only: v.signal,
      at: v.signal,
      uc: true,
    })),
    s.test(
      "it returned 1: one of this number was in the ring?",
      (c, v) => takenInItsPlace(c, v, fix.sameNumber),
      fix.sameNumber ? "keep" : "enable",
      ["branch", "libos.signal.lost"],
    ),
    s.call("__handle_one_signal(sig, signal, event)", PR.__handle_one_signal, (_, v) => signalOf(v)),
    s.jump("enable", "done"),
    s.at("keep"),
    ...keep(s, "enable"),
    s.at("enable"),
    enablePreempt(s),
    s.jump("return", "return"),
    s.at("lost"),
    s.act(
      "return silently",
      (c, v) => {
        args(c, v);
        c.value = c.t.libos.ready ? 3 : 2;
      },
      "libos.signal.lost",
    ),
    s.at("return"),
    s.ret(),
  ]);

/** Nobody looks at the new one any more. */
function takenInItsPlace(c: Cpu, v: Delivery, fixed: boolean): boolean {
  if (c.t.rax !== 1) return false;
  if (!fixed) {
    args(c, v);
    c.row(KIND["libos.signal.lost"], LOST.sameNumber, v.id);
  }
  return true;
}

/** Of the ring the first that the mask lets through: all of 1..31, or of one number. RAX: 1 one was taken, whatever became of it. */
const handleSignal = (fix: DeliverFixes): Flow =>
  flow(PR.__handle_signal, "libos", "pr347 c1, c2, c6", (s) => [
    s.own({ uc: false }),
    s.test("uc == NULL or event == NULL?", (_, v) => !v.uc, "none"),
    fix.lost
      ? s.test("no context, or RIP in the LibOS or the PAL?", (c) => !hasContext(c) || inLibos(c) || inPal(c), "none")
      : s.test("RIP in the LibOS and in the PAL?", (c) => hasContext(c) && inLibos(c) && inPal(c), "none"),
    s.test("has_signal == 0?", noSignal, "none"),
    s.act("the first that the mask lets through", fetchNext, "libos.signal.fetch"),
    s.test("none?", (_, v) => v.found === 0, "none"),
    s.call("__handle_one_signal(sig, signal, event)", PR.__handle_one_signal, (_, { found, id, info, context }) => ({
      signal: found,
      id,
      info,
      context,
      stored: false,
    })),
    s.call("free(signal)", LIBOS.free),
    fix.yieldAfterSignal ? null : dkQuiet(s, "DkThreadYieldExecution()", "DkThreadYieldExecution"),
    s.act("clear SIGNAL_DELAYED", (c) => {
      c.t.libos.delayed = false;
    }),
    s.ret("return 1", (c) => {
      c.t.rax = 1;
      c.value = 1;
    }),
    s.at("none"),
    s.ret("return 0", (c) => {
      c.t.rax = 0;
    }),
  ]);

interface Meeting extends Signal {
  handler: number;
  restorer: number;
}

/** The context of an event that a PAL call's end brings was never written: what it says is left to chance. As a rule it is no address of the application. */
const looksInterrupted = (c: Cpu): boolean => (hasContext(c) ? inLibos(c) || inPal(c) : c.choose("stale", 2) === 0);

function lost(c: Cpu, v: Signal): void {
  c.t.libos.sigpending = true;
  args(c, v);
  c.row(KIND["libos.signal.lost"], LOST.interrupted, v.id);
}

const handleOne = (fix: DeliverFixes): Flow =>
  flow<Meeting>(PR.__handle_one_signal, "libos", "pr347 c1, c2, c10", (s) => [
    s.own({ handler: NO_DEFAULT, restorer: 0 }),
    s.call("get_signal_handler(thread, sig, &handler, &restorer)", PR.get_signal_handler, (_, { signal, id }) => ({ signal, id })),
    s.test("SIG_IGN, or a default action that is none?", (_, v) => v.handler === IGNORED || v.handler === NO_DEFAULT, "ignore"),
    fix.lost
      ? s.test("no context, or RIP in the LibOS or the PAL?", (c) => !hasContext(c) || inLibos(c) || inPal(c), "interrupted")
      : s.test("event->context: RIP in the LibOS or the PAL?", looksInterrupted, "interrupted"),
    fix.defaultAction ? s.test("a default action?", isDefault, "default") : null,
    s.test("not at the jump of __sigreturn?", (c) => !hasContext(c) || !atJump(c), "frame"),
    s.act("RIP := the word below the red zone", completeJump, "libos.sigreturn"),
    s.at("frame"),
    s.call("__setup_sig_frame(tcb, sig, signal, event, handler, restorer)", PR.__setup_sig_frame, (_, v) =>
      extended(signalOf(v), { handler: v.handler, restorer: v.restorer }),
    ),
    s.jump("return"),
    s.at("interrupted"),
    ...(fix.lost ? keep(s, "kept") : []),
    s.at("kept"),
    fix.lost
      ? s.act("set SHIM_FLAG_SIGPENDING", (c) => {
          c.t.libos.sigpending = true;
        })
      : s.act("set SHIM_FLAG_SIGPENDING", lost, "libos.signal.lost"),
    s.jump("return"),
    ...(fix.defaultAction
      ? [
          s.at("default"),
          s.call("handler(sig, &signal->info): no frame", PR.sighandler_kill, (_, { signal, id, info }) => ({ signal, id, info })),
        ]
      : []),
    s.at("ignore"),
    s.act(
      "return",
      (c, v) => {
        args(c, v);
        c.value = v.handler === IGNORED ? 1 : 0;
      },
      "libos.signal.ignore",
    ),
    s.at("return"),
    s.ret(),
  ]);

const resume = (fix: DeliverFixes): Flow =>
  flow(UPCALLS.RESUME, "libos", "pr347 c1, c2", (s) => [
    s.test("internal Graphene thread (async or ipc helper)?", isInternal, "return"),
    disablePreempt(s),
    s.test("tcb.context.preempt > 1?  (nested signal)", (c) => c.t.libos.preempt > 1, "nested"),
    s.call("__handle_signal(0, event->uc, event)", PR.__handle_signal, (c) => ({ ...SCAN_ALL, uc: hasContext(c) })),
    s.jump("enable"),
    s.at("nested"),
    fix.delayedBit
      ? s.act("leave it for the end of the call")
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
  ]);

export const deliverFlows = (fix: DeliverFixes): Flow[] => [deliver(fix), handleSignal(fix), handleOne(fix), resume(fix)];
