/**
 * Where the interrupted RIP is: what decides whether a handler may run now. The head of the pull request calls DkInPal and has none; taken for
 * "in the text of the PAL", as its author's later tree does.
 */

import { isPast } from "../../control.ts";
import { running } from "../../cpu.ts";
import { findDown, localsOf, numberOf } from "../../frames.ts";
import { restoreRt, type SignalFrame } from "../../host/flows.ts";
import { interrupted } from "../../libos/upcalls.ts";
import { genericEventTrigger } from "../../pal/flows.ts";
import type { Frame } from "../../state.ts";
import type { Cpu } from "./flow.ts";
import { PR } from "./flows.ts";

/** Marks of the stub: where the first range ends, where the second begins and ends. */
export const STUB = { isdef: "isdef", begin: "signal allowed 1", end: "signal pending" } as const;
/** Marks of __sigreturn: the begin of the third range, and its last instruction. */
export const RETURN = { begin: "no more signal", jump: "need emulate jmp" } as const;

const has = (c: Cpu, frame: Frame, mark: string): boolean => c.program.flows[frame.flow]?.marks.has(mark) ?? false;

/** is_signal_allowed: LibOS text that has not begun with the call, or is over with it. */
function isAllowed(c: Cpu, frame: Frame): boolean {
  const { program } = c;
  if (has(c, frame, STUB.isdef))
    return !isPast(program, frame, STUB.isdef) || (isPast(program, frame, STUB.begin) && !isPast(program, frame, STUB.end));
  return isPast(program, frame, RETURN.begin);
}

const layerOf = (c: Cpu, frame: Frame): string | undefined => c.program.flows[frame.flow]?.layer;
const textOf = (c: Cpu, frame: Frame): string | undefined => c.program.flows[frame.flow]?.text;

/** is_internal and not is_signal_allowed. */
export function inLibos(c: Cpu): boolean {
  const frame = interrupted(c);
  return frame !== undefined && layerOf(c, frame) === "libos" && !isAllowed(c, frame);
}

/** DkInPal. */
export function inPal(c: Cpu): boolean {
  const frame = interrupted(c);
  return frame !== undefined && textOf(c, frame) === "pal";
}

/** is_sigreturn_jmp_emulation: RIP is at the jump back into the application. */
export function atJump(c: Cpu): boolean {
  const frame = interrupted(c);
  return frame !== undefined && frame.flow === numberOf(c.program, PR.__sigreturn) && isPast(c.program, frame, RETURN.jump);
}

/** event->uc is not NULL: what the running upcall tells of was not kept until a PAL call's end. */
export function hasContext(c: Cpu): boolean {
  const stack = running(c.t);
  return localsOf(c, stack[findDown(c, stack, genericEventTrigger)], genericEventTrigger)?.hasContext ?? false;
}

/** event->uc: the kernel's frame of the running upcall, where the registers are that its sigreturn takes back. */
export function kernelFrame(c: Cpu): { uc: SignalFrame; at: number } | null {
  const stack = running(c.t);
  const at = findDown(c, stack, restoreRt, findDown(c, stack, genericEventTrigger));
  const uc = localsOf(c, stack[at], restoreRt);
  return uc ? { uc, at } : null;
}
