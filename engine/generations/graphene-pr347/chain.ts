/**
 * Frames on the application's stack, from the side of those who come back to them: how a frame is used again for another handler (c8), and the
 * jump back into what it has interrupted (c9, c10). errata-2, section 3, and the head of `sigreturn.ts`.
 */

import { become, resumeAt, skipFault } from "../../control.ts";
import { cut, running } from "../../cpu.ts";
import { findDown, localsOf, numberOf } from "../../frames.ts";
import { ref } from "../../ref.ts";
import type { SigInfo } from "../../siginfo.ts";
import { KIND } from "../../transition.ts";
import type { Cpu } from "./flow.ts";
import { addressZero, PR, type UserFrame, userRestorer } from "./flows.ts";
import { handlerEntered, laidDown } from "./frame.ts";
import { kernelFrame } from "./rip.ts";

/** A handler that is to use the frame again: tcb.context.ret_ip, and the word of the frame. */
export type Next = { readonly signal: number; readonly id: number; readonly handler: number; readonly restorer: number };

/** Of the stub of rt_sigreturn: tcb.context as __setup_next_sig_frame leaves it. */
export interface SigreturnStub {
  next: Next | null;
}
/** The same flow as PR's, with its own variables. */
const sigreturnStub = ref<SigreturnStub>(PR["syscalldb (rt_sigreturn)"].name);

/** The innermost one. */
export const stubBelow = (c: Cpu): SigreturnStub | null =>
  localsOf(c, running(c.t)[findDown(c, running(c.t), sigreturnStub)], sigreturnStub);

/** The frame that the running sigreturn is about. */
export const userFrameAt = (c: Cpu): number => findDown(c, running(c.t), userRestorer);
export const userFrame = (c: Cpu): UserFrame | null => localsOf(c, running(c.t)[userFrameAt(c)], userRestorer);

/** The word of the frame leads to the restorer's start, or to NULL: an action that was never set has no restorer. */
export function restart(c: Cpu, at: number, next: Next): void {
  const frame = running(c.t)[at];
  if (!frame) return;
  if (next.restorer !== numberOf(c.program, userRestorer)) return become(c.program, frame, numberOf(c.program, addressZero), {});
  Object.assign(frame.v, { signal: next.signal, id: next.id });
  resumeAt(frame, 0);
}

/** The handler stands on the frame, which is to be returned to. */
export function stand(c: Cpu, at: number, next: Next, info: SigInfo): void {
  restart(c, at - 1, next);
  running(c.t).splice(at, 0, laidDown(c, handlerEntered({ ...next, info })));
}

/** tcb.context as the frame that is built above the stub at `at` takes it. Returns how many frames came to be below the stub. */
export function goOnAtNext(c: Cpu, at: number): number {
  const stub = localsOf(c, running(c.t)[at], sigreturnStub);
  const frame = localsOf(c, running(c.t)[at - 1], userRestorer);
  if (!stub?.next || !frame) return 0;
  stand(c, at, stub.next, frame.info);
  stub.next = null;
  return 1;
}

function tell(c: Cpu, frame: UserFrame | null): void {
  c.signal = frame?.signal ?? 0;
  c.row(KIND["libos.sigreturn"], 0, frame?.id ?? 0);
}

/** Into what the frame at `at` has interrupted, with all above the frame gone. */
export function jumpBack(c: Cpu, at: number): void {
  const frame = localsOf(c, running(c.t)[at], userRestorer);
  tell(c, frame);
  cut(c, c.t, c.t.stack, at);
  if (frame?.skip) skipFault(c.program, running(c.t).at(-1));
}

/** The same jump, made by the upcall that has interrupted it: below the kernel's frame is the application again. */
export function completeJump(c: Cpu): void {
  const there = kernelFrame(c);
  if (!there) return;
  const stack = running(c.t);
  const from = findDown(c, stack, userRestorer, there.at);
  const frame = localsOf(c, stack[from], userRestorer);
  tell(c, frame);
  stack.splice(from, there.at - from);
  if (frame?.skip) skipFault(c.program, stack[from - 1]);
}
