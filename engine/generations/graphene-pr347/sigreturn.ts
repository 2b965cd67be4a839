/**
 * rt_sigreturn, which the restorer of the application's libc calls (pr347.md c8 to c10; shim_sigaction.c, syscallas.S at 54d9f053c).
 *
 * With another signal in the ring the frame is to be used again. What is written for that is tcb.context, and the word in which the stub has its
 * return address: it lies where the frame has its restorer. The stub returns by that word, to the restorer's start. The handler is not entered, and
 * its signal is gone; only when a third signal makes the stub build another frame does that one's context lead to it. (errata-2 section 3 takes the
 * word for the return address still, and so the program for running on behind the restorer.)
 */

import { assertPreempt, counter } from "../../app/syscalls.ts";
import { running } from "../../cpu.ts";
import type { Flow } from "../../flow.ts";
import { KIND } from "../../transition.ts";
import { jumpBack, restart, type SigreturnStub, stand, stubBelow, userFrame, userFrameAt } from "./chain.ts";
import { type Cpu, flow } from "./flow.ts";
import { type Found, PR, type UserFrame, userRestorer } from "./flows.ts";
import { callDefault, NOTHING_FOUND } from "./handler.ts";
import { RETURN } from "./rip.ts";
import { isdef, type StubExit, type StubFixes, stubExit } from "./stub.ts";

export interface SigreturnFixes extends StubFixes {
  readonly defaultAction: boolean;
  readonly staleInfo: boolean;
  readonly chain: boolean;
}

/** rt_sigreturn's number. */
const NUMBER = 15;
const NOT_ENTERED = 6;

export const restore = flow<UserFrame>(userRestorer, "app", "pr347 c9", (s) => [
  s.call("rt_sigreturn: movq $15, %rax; call *syscalldb", PR["syscalldb (rt_sigreturn)"]),
]);

/** By the word that holds its return address. Unless a frame was built above the stub, that is the restorer's again. */
function returnByWord(c: Cpu, v: SigreturnStub, fixed: boolean): void {
  const { next } = v;
  if (!next) return;
  const at = running(c.t).length - 1;
  c.signal = next.signal;
  if (fixed) {
    stand(c, at, next, userFrame(c)?.info ?? NOTHING_FOUND.info);
    return;
  }
  restart(c, at - 1, next);
  c.row(KIND["libos.signal.lost"], NOT_ENTERED, next.id);
}

const stub = (fix: SigreturnFixes): Flow =>
  flow<SigreturnStub & StubExit>(PR["syscalldb (rt_sigreturn)"], "libos", "pr347 c8", (s) => [
    s.own({ ret: 0, pending: false, next: null }),
    ...isdef(s, NUMBER),
    s.call("shim_rt_sigreturn()", PR.shim_rt_sigreturn),
    ...stubExit(
      s,
      fix,
      s.ret(fix.chain ? "popq; jmp tcb.context.ret_ip" : "popq; retq by the word of the frame", (c, v) => returnByWord(c, v, fix.chain), [
        "return",
        "libos.signal.lost",
      ]),
    ),
  ]);

/** It comes back only with another handler to enter. */
const shim = flow<{ entry: number; ret: number }>(PR.shim_rt_sigreturn, "libos", "pr347 c8, c9", (s) => [
  s.own({ entry: 0, ret: 0 }),
  s.act("BEGIN_SHIM: preempt", (c, v) => {
    v.entry = counter(c);
    c.value = v.entry;
  }),
  s.call("shim_do_sigreturn()", PR.shim_do_sigreturn),
  ...assertPreempt(s),
  s.call("handle_sysret_signal()", PR.handle_sysret_signal),
  s.ret("return 0", (c) => {
    c.t.rax = 0;
  }),
]);

const clearBit = (c: Cpu): void => {
  c.t.libos.sigpending = false;
};

const doSigreturn = flow(PR.shim_do_sigreturn, "libos", "pr347 c8, c9", (s) => [
  s.act("clear SHIM_FLAG_SIGPENDING", clearBit),
  s.at("again"),
  s.call("handle_next_signal(user_uc)", PR.handle_next_signal),
  s.test("it returned 1: another handler", (c) => c.t.rax === 1, "next"),
  s.act("xrstor64 user_uc->uc_mcontext.fpregs", (c) => {
    c.t.app.vectors = userFrame(c)?.vectors ?? 0;
  }),
  s.call("__sigreturn(&user_uc->uc_mcontext)", PR.__sigreturn),
  s.act("a signal has come since: clear SHIM_FLAG_SIGPENDING", clearBit),
  s.jump("again", "try again"),
  s.at("next"),
  s.ret("return 0", (c) => {
    c.t.rax = 0;
  }),
]);

const handleNext = (fix: SigreturnFixes): Flow =>
  flow<Found>(PR.handle_next_signal, "libos", "pr347 c8", (s) => [
    s.own({ ...NOTHING_FOUND }),
    s.call("__get_signal_to_deliver(&deliver)", PR.__get_signal_to_deliver),
    s.test("false?", (_, v) => v.found === 0, "none"),
    ...(fix.defaultAction ? callDefault(s) : []),
    s.call("__setup_next_sig_frame(tcb, sig, signal, user_uc, handler, restorer)", PR.__setup_next_sig_frame, (_, v) => ({
      found: v.found,
      id: v.id,
      info: v.info,
      handler: v.handler,
      restorer: v.restorer,
    })),
    s.ret("return 1", (c) => {
      c.t.rax = 1;
      c.value = 1;
    }),
    s.at("none"),
    s.ret("return 0", (c) => {
      c.t.rax = 0;
    }),
  ]);

const setupNext = (fix: SigreturnFixes): Flow =>
  flow(PR.__setup_next_sig_frame, "libos", "pr347 c8, errata-2 section 3", (s) => [
    fix.staleInfo
      ? s.act("user_sigframe->info := signal->info", (c, v) => {
          const frame = userFrame(c);
          if (frame) frame.info = v.info;
        })
      : null,
    s.act("user_sigframe->restorer := restorer; tcb.context := handler, sigframe", (c, v) => {
      const stub = stubBelow(c);
      if (stub) stub.next = { signal: v.found, id: v.id, handler: v.handler, restorer: v.restorer };
      c.signal = v.found;
      c.extra = v.id;
    }),
    s.act("fninit"),
    s.ret(),
  ]);

const sigreturn = flow(PR.__sigreturn, "libos", "pr347 c9, c10", (s) => [
  s.test("CHECK_SIGNAL_PENDING_BIT; jnc .Lno_more_signal", takeBit, RETURN.begin),
  s.ret("retq"),
  s.at(RETURN.begin),
  s.act("CLEAR_SAVED_AREA_IN_SHIM_TLS", (c) => {
    c.t.libos.syscallNr = 0;
    c.t.libos.regs = false;
  }),
  s.act("RSP := uc_mcontext; popq; the word below the red zone := RIP", (c) => {
    c.t.rax = userFrame(c)?.rax ?? 0;
    c.value = c.t.rax;
  }),
  s.at(RETURN.jump),
  s.act("jmp *-128-8(%rsp)", (c) => jumpBack(c, userFrameAt(c)), "libos.sigreturn"),
]);

/** Test and clear. */
function takeBit(c: Cpu): boolean {
  const clear = !c.t.libos.sigpending;
  c.t.libos.sigpending = false;
  return clear;
}

export const sigreturnFlows = (fix: SigreturnFixes): Flow[] => [
  restore,
  stub(fix),
  shim,
  doSigreturn,
  handleNext(fix),
  setupNext(fix),
  sigreturn,
];
