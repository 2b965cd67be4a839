/**
 * A signal that an upcall brings, or that the thread has sent to itself: first into the ring, then a look at what was interrupted. The
 * application: a frame for it, now. LibOS or PAL: the flag, and the end of the call sees to it (shim_signal.c at 32a89d1d2).
 */

import { running } from "../../cpu.ts";
import { writeFaults } from "../../faulting.ts";
import type { Flow } from "../../flow.ts";
import { findDown, localsOf } from "../../frames.ts";
import { fetchNext, noSignal, type Scan } from "../../libos/deliver.ts";
import { LIBOS } from "../../libos/flows.ts";
import { args, type Delivery } from "../../libos/handle-one.ts";
import { disablePreempt, enablePreempt } from "../../libos/preempt.ts";
import { reservation, store } from "../../libos/ring.ts";
import { isAlive } from "../../libos/thread-list.ts";
import { copyOf } from "../../state.ts";
import { KIND } from "../../transition.ts";
import { type OneSignal, PR, userRestorer } from "../graphene-pr347/flows.ts";
import { build } from "../graphene-pr347/frame.ts";
import { IGNORED, isDefault, NO_DEFAULT } from "../graphene-pr347/handler.ts";
import { hasContext, inLibos, inPal, kernelFrame } from "../graphene-pr347/rip.ts";
import { type Cpu, flow } from "./flow.ts";
import { PR1218 } from "./flows.ts";

export const setBit = (c: Cpu): void => {
  c.t.libos.sigpending = true;
};

/** A default action that is none, or SIG_IGN: the handler is NULL. */
export const isIgnored = (v: { handler: number }): boolean => v.handler === IGNORED || v.handler === NO_DEFAULT;

const deliver = flow(PR.deliver_signal, "libos", "pr1218 1", (s) => [
  s.test("tcb.tp == NULL or thread not alive?", (c) => !c.t.libos.ready || !isAlive(c), "lost"),
  s.call("calloc(shim_signal)", LIBOS.malloc),
  disablePreempt(s),
  s.call("allocate_signal_log(sig): reserve a slot", LIBOS.allocate_signal_log, (c, v) => reservation(c.t.id, v)),
  s.act("append signal to thread->signal_logs[sig]", (c, v) => store(c, c.t.id, v), "libos.signal.append"),
  s.test("it has a slot?", (c) => c.t.rax >= 0, "look"),
  s.call('SYS_PRINTF("signal queue is full")', LIBOS.sys_printf),
  s.call("free(signal)", LIBOS.free),
  s.at("look"),
  s.act(
    "preempt > 1?",
    (c, v) => {
      args(c, v);
      c.value = c.t.libos.preempt > 1 ? 1 : 0;
    },
    "libos.signal.decide",
  ),
  s.test("left in the ring?", (c) => c.t.libos.preempt > 1, "enable"),
  s.call("__handle_signal(tcb, sig, context)", PR.__handle_signal, (c, v) => ({
    only: v.signal,
    at: Math.max(1, v.signal),
    found: 0,
    id: 0,
    info: v.info,
    context: "none",
    uc: v.event && hasContext(c),
  })),
  s.at("enable"),
  enablePreempt(s),
  s.jump("return", "return"),
  s.at("lost"),
  s.act("return silently", silently, "libos.signal.lost"),
  s.at("return"),
  s.ret(),
]);

/** No thread control block, or a thread that is not alive. */
function silently(c: Cpu, v: Delivery): void {
  args(c, v);
  c.value = c.t.libos.ready ? 3 : 2;
}

/** One signal at most: the first that the mask lets through, of all numbers from 1 to 31 or of one. */
const handleSignal = flow<Scan & { uc: boolean; handler: number; restorer: number }>(PR.__handle_signal, "libos", "pr1218 2", (s) => [
  s.own({ uc: false, handler: NO_DEFAULT, restorer: 0 }),
  s.test("context == NULL, or RIP in the LibOS or the PAL?", (c, v) => !v.uc || inLibos(c) || inPal(c), "interrupted"),
  s.test("has_signal == 0?", noSignal, "return"),
  s.act("the first that the mask lets through", fetchNext, "libos.signal.fetch"),
  s.test("none?", (_, v) => v.found === 0, "return"),
  s.call("get_sighandler(thread, sig, &handler, &restorer)", PR1218.get_sighandler, (_, v) => ({ signal: v.found, id: v.id })),
  s.test("handler == NULL?", (_, v) => isIgnored(v), "ignored"),
  s.call("setup_sigframe(thread, sig, signal, context, handler, restorer)", PR1218.setup_sigframe, (_, v) => ({
    signal: v.found,
    id: v.id,
    info: v.info,
    context: "none",
    stored: false,
    handler: v.handler,
    restorer: v.restorer,
  })),
  s.jump("free", "free"),
  s.at("ignored"),
  s.act("ignored", (c, v) => endIgnored(c, v), "libos.signal.ignore"),
  s.at("free"),
  s.call("free(signal)", LIBOS.free),
  s.jump("return", "return"),
  s.at("interrupted"),
  s.act("set SHIM_FLAG_MAY_DELIVER_SIGNAL", setBit),
  s.at("return"),
  s.ret(),
]);

export function endIgnored(c: Cpu, v: { found: number; id: number; handler: number }): void {
  c.signal = v.found;
  c.row(KIND["libos.signal.ignore"], v.handler === IGNORED ? 1 : 0, v.id);
}

/** There is an alternate stack, and so the frame comes to lie on it: SA_ONSTACK is not looked at. */
export const hasAlt = ({ t: { libos } }: Cpu): boolean => libos.altStack > 0 && !libos.altDisabled;

/** RSP is on the alternate stack: the frame nearest to it is there. */
export const isOnAlt = (c: Cpu): boolean => localsOf(c, running(c.t)[findDown(c, running(c.t), userRestorer)], userRestorer)?.alt === true;

/** The guard page below the stack. */
export const GUARD = 0x7fff_0000;

/** What the host's sigreturn takes back: the handler instead of what was interrupted. Nobody asks whether there is room. */
function redirect(c: Cpu, v: OneSignal): void {
  const there = kernelFrame(c);
  if (!there) return;
  const { uc } = there;
  const alt = hasAlt(c);
  c.signal = v.signal;
  c.row(KIND["libos.sigframe"], alt ? 1 : 0, v.id);
  if (uc.full && !alt) return writeFaults(c, GUARD, "the signal frame does not fit on the stack");
  const { signal, id, info, handler, restorer } = copyOf(v);
  uc.built = build({ signal, id, info, handler, restorer, rax: uc.rax, vectors: uc.vectors, mask: [0, 0], alt, full: uc.full });
  uc.rax = 0;
  uc.vectors = 0;
  if (alt) uc.full = false;
}

const setup = flow(PR1218.setup_sigframe, "libos", "pr1218 4", (s) => [
  s.test("no default action?", (c, v) => !isDefault(c, v), "stack"),
  s.call("handler(sig, &signal->info): it does not return", PR1218.sighandler_kill, (_, { signal, id, info }) => ({
    signal,
    id,
    event: 0,
    info,
  })),
  s.at("stack"),
  s.act("get_signal_stack: RSP - 128, or the top of the alternate stack"),
  s.act("sigframe: fpstate, siginfo, ucontext, restorer; context: RIP := handler, RSP := sigframe, RAX := 0, no fpregs", redirect, [
    "libos.sigframe",
    "app.fault",
    "host.signal.default",
  ]),
  s.ret(),
]);

export const deliverFlows: readonly Flow[] = [deliver, handleSignal, setup];
