/**
 * The stub's exit, when an event finds it running: behind its last look at the flag nobody looks again before the application runs. The upcall
 * makes what is left of it in software, so that the application is what was interrupted (syscallas_return_emulate in shim_signal.c).
 */

import { isAt, isPast } from "../../control.ts";
import { running } from "../../cpu.ts";
import { writeFaults } from "../../faulting.ts";
import { isFrameOf } from "../../frames.ts";
import type { Frame } from "../../state.ts";
import { KIND } from "../../transition.ts";
import { PR } from "../graphene-pr347/flows.ts";
import { kernelFrame } from "../graphene-pr347/rip.ts";
import type { Cpu } from "./flow.ts";
import { PR1218 } from "./flows.ts";

/** Marks of the stub: __syscallas_return_begin to __syscallas_return_end, where isundef begins; what delivers lies before them. */
export const EXIT = {
  begin: "__syscallas_return_begin",
  jump: "__syscallas_return_before_jmp",
  deliver: "Ldeliver_signal",
  end: "isundef",
} as const;

const isReturning = (c: Cpu, frame: Frame): boolean =>
  isAt(c.program, frame, EXIT.end) || (isPast(c.program, frame, EXIT.begin) && !isPast(c.program, frame, EXIT.deliver));

/** It has given up its registers, and only jumps. */
const isAtJump = (c: Cpu, frame: Frame): boolean => isAt(c.program, frame, EXIT.jump);

/** Of a system call that the application has made for its result: whose end its rows tell. */
const isCall = (c: Cpu, frame: Frame): boolean =>
  !isFrameOf(c, frame, PR["syscalldb (rt_sigreturn)"]) && !isFrameOf(c, frame, PR1218["syscalldb (isundef)"]);

/** The registers of the interrupted stub become those of the application; the result is in RAX already. */
export function finishStub(c: Cpu): void {
  const there = kernelFrame(c);
  const stack = running(c.t);
  const stub = there && stack[there.at - 1];
  if (!there || !stub || !isReturning(c, stub)) return;
  // A number without a function has none: regs->r15 of NULL.
  if (!isAtJump(c, stub) && !c.t.libos.regs) return writeFaults(c, 0, NO_REGS);
  stack.splice(there.at - 1, 1);
  leaveStub(c);
  const { result } = stub.v;
  if (isCall(c, stub)) c.row(KIND["libos.syscall.exit"], typeof result === "number" ? result : 0, c.t.libos.palErrno);
}

/** Of a number without a function. */
export const NO_REGS = "tcb.context.regs is NULL";

/** tcb.context.regs := NULL. */
export function leaveStub(c: Cpu): void {
  c.t.libos.syscallNr = 0;
  c.t.libos.regs = false;
}
