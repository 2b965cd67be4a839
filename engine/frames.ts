/** Frames by the flow they are of: to make one, to ask what one is, and for its locals with their type. */

import { newFrame } from "./control.ts";
import type { Cpu } from "./cpu.ts";
import { type Exactly, FlowError, type Program } from "./flow.ts";
import type { NoLocals, Ref } from "./ref.ts";
import type { Frame, Locals } from "./state.ts";

/** A reference whose locals do not matter. */
type Any = Pick<Ref<NoLocals>, "id">;

/** Number of a flow in a program, -1 when it has no such flow. */
export const numberOf = (program: Program, of: Any): number => program.numbers[of.id] ?? -1;

/** A call of the flow, for `callDynamic` and for those who put a frame onto a stack themselves. Throws when the stack has no such flow. */
export function enter<V extends object, const A extends V>(program: Program, callee: Ref<V>, v: Exactly<V, A>): Frame {
  const flow = numberOf(program, callee);
  if (flow < 0) throw new FlowError(`no flow "${callee.name}" in this stack`);
  return newFrame(program, flow, v as unknown as Locals);
}

export const isFrameOf = (c: Cpu, frame: Frame | undefined, of: Any): boolean =>
  frame !== undefined && frame.flow === numberOf(c.program, of);

/** The frame's locals when it is one of that flow, else null. */
export const localsOf = <V extends object>(c: Cpu, frame: Frame | undefined, of: Ref<V>): V | null =>
  isFrameOf(c, frame, of) ? ((frame as Frame).v as unknown as V) : null;

/** The nearest frame of a flow on a stack, searched from the top, below `depth`; -1 when there is none. */
export function findDown(c: Cpu, stack: readonly Frame[], of: Any, depth = stack.length): number {
  const flow = numberOf(c.program, of);
  for (let i = depth - 1; i >= 0; i -= 1) if (stack[i]?.flow === flow) return i;
  return -1;
}
