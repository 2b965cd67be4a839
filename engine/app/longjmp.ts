/** siglongjmp: libc sets RSP and RIP, and nobody is asked. */

import { resumeAt } from "../control.ts";
import { type Cpu, cut, stackOf } from "../cpu.ts";
import { keyOf } from "../state.ts";
import { undefinedBehaviour } from "../undefined.ts";

/**
 * What siglongjmp does to the LibOS: nothing but the mask system call; preempt stays as it was (3.2 handler-longjmp-preempt-leak).
 * A place that was never set, or whose function has returned, is undefined in C.
 */
export function longjmp(c: Cpu, place: string): void {
  const t = c.t;
  const target = t.app.places[keyOf(place)];
  const frame = target && stackOf(t, target.stack)[target.depth - 1];
  c.value = target?.depth ?? -1;
  if (!target || frame?.flow !== target.flow)
    return undefinedBehaviour(c, t, "siglongjmp: the place was not set, or its function has returned");
  t.stack = target.stack;
  cut(c, t, target.stack, target.depth);
  resumeAt(frame, target.pc);
}
