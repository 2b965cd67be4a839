/**
 * rt_sigreturn, which the restorer of the application's libc calls: a system call like others, which only changes where it returns to
 * (shim_sigaction.c, shim_signal.c at 32a89d1d2). With another signal in the ring the frame is used again, and neither its siginfo is written
 * anew nor a default action asked for: sighandler_kill is where the call returns to then, on the application's stack, as if it were a handler.
 */

import { become, resumeAt, skipFault } from "../../control.ts";
import { running } from "../../cpu.ts";
import type { Flow, Mark, Step } from "../../flow.ts";
import { localsOf, numberOf } from "../../frames.ts";
import { LIBOS } from "../../libos/flows.ts";
import { KIND } from "../../transition.ts";
import { userFrame, userFrameAt } from "../graphene-pr347/chain.ts";
import { addressZero, type Found, PR, userRestorer } from "../graphene-pr347/flows.ts";
import { handlerEntered, laidDown } from "../graphene-pr347/frame.ts";
import { isDefault, NOTHING_FOUND } from "../graphene-pr347/handler.ts";
import { restore } from "../graphene-pr347/sigreturn.ts";
import { type Cpu, flow, type Steps } from "./flow.ts";
import { PR1218 } from "./flows.ts";

export interface SigreturnFixes {
  readonly staleInfo: boolean;
  readonly defaultAction: boolean;
}

/** The frame and what has called its restorer are no more: the stub returns into what the frame had interrupted. */
function putBack(c: Cpu, v: { rax: number; vectors: number }): void {
  const stack = running(c.t);
  const at = userFrameAt(c);
  const frame = localsOf(c, stack[at], userRestorer);
  if (!frame) throw new Error("rt_sigreturn: RSP is not at a signal frame");
  c.signal = frame.signal;
  c.row(KIND["libos.sigreturn"], 0, frame.id);
  v.rax = frame.rax;
  v.vectors = frame.vectors;
  c.t.app.stackFull = frame.full;
  if (frame.skip) skipFault(c.program, stack[at - 1]);
  stack.splice(at, 1);
}

const doSigreturn = flow<{ rax: number; vectors: number }>(PR.shim_do_sigreturn, "libos", "pr1218 7", (s) => [
  s.own({ rax: 0, vectors: 0 }),
  s.call("handle_next_signal(user_uc)", PR.handle_next_signal),
  s.test("it returned 1: another handler", (c) => c.t.rax === 1, "next"),
  s.act("regs := user_uc->uc_mcontext", putBack, "libos.sigreturn"),
  s.act("xstate_restore(fpregs)", (c, v) => {
    c.t.app.vectors = v.vectors;
  }),
  s.ret("return gregs[REG_RAX]", (c, v) => {
    c.t.rax = v.rax;
    c.value = v.rax;
  }),
  s.at("next"),
  s.act("xstate_reset()", (c) => {
    c.t.app.vectors = 0;
  }),
  s.ret("return 0", (c) => {
    c.t.rax = 0;
  }),
]);

/** What was a frame of the restorer is one of the new action's: of one without a restorer that is NULL. */
function useAgain(c: Cpu, v: Found, writesInfo: boolean): void {
  const at = userFrameAt(c);
  const there = running(c.t)[at];
  const frame = userFrame(c);
  if (!there || !frame) return;
  if (writesInfo) frame.info = v.info;
  c.signal = v.found;
  c.row(KIND["libos.sigframe"], frame.alt ? 1 : 0, v.id);
  const handler = laidDown(c, handlerEntered({ signal: v.found, id: v.id, handler: v.handler, info: frame.info }));
  Object.assign(frame, { signal: v.found, id: v.id });
  if (v.restorer === numberOf(c.program, addressZero)) become(c.program, there, v.restorer, {});
  else resumeAt(there, 0);
  running(c.t).splice(at + 1, 0, handler);
}

const callDefault = (s: Steps<Found>): (Step | Mark)[] => [
  s.test("no default action?", (c, v) => !isDefault(c, v), "handler"),
  s.call("handler(sig, &signal->info): it does not return", PR1218.sighandler_kill, (_, v) => ({
    signal: v.found,
    id: v.id,
    event: 0,
    info: v.info,
  })),
  s.at("handler"),
];

const handleNext = (fix: SigreturnFixes): Flow =>
  flow<Found>(PR.handle_next_signal, "libos", "pr1218 7", (s) => [
    s.own({ ...NOTHING_FOUND }),
    s.call("get_signal_to_deliver(&deliver)", PR1218.get_signal_to_deliver),
    s.test("false?", (_, v) => v.found === 0, "none"),
    ...(fix.defaultAction ? callDefault(s) : []),
    s.act(
      `sigframe: restorer${fix.staleInfo ? ", siginfo" : ""}; regs: RIP := handler, RSP := the same sigframe`,
      (c, v) => useAgain(c, v, fix.staleInfo),
      "libos.sigframe",
    ),
    s.call("free(signal)", LIBOS.free),
    s.ret("return 1", (c) => {
      c.t.rax = 1;
      c.value = 1;
    }),
    s.at("none"),
    s.ret("return 0", (c) => {
      c.t.rax = 0;
    }),
  ]);

export const sigreturnFlows = (fix: SigreturnFixes): Flow[] => [restore, doSigreturn, handleNext(fix)];
