/**
 * PAL_CONTEXT: where the application goes on when LibOS and PAL are left. The frame of whoever has it on its stack holds it: the system
 * call's (`libos_emulate_syscall`), or that of the PAL that called an upcall. `handle_signal` rewrites it, nobody pushes a handler.
 */

import { goTo, skipFault } from "../../control.ts";
import { cut, running, topFrame } from "../../cpu.ts";
import { findDown } from "../../frames.ts";
import type { Entered } from "../../host/flows.ts";
import { enterAll } from "../../host/signal.ts";
import { type NoLocals, type Ref, ref } from "../../ref.ts";
import type { Cpu } from "./flow.ts";

export interface Context {
  /** RSP: how many frames of the running stack are the application's, and stay. */
  depth: number;
  rax: number;
  /** RIP is the entry of system calls: the one at the top of those frames is made again. */
  restart: boolean;
  /** RIP is past the instruction that has faulted. */
  skip: boolean;
  /** What the vector registers hold. */
  vectors: number;
  /** The stack has no room left for a signal frame. */
  full: boolean;
  /** Signal frame and handler that were laid on top, outermost first. */
  built: readonly Entered[];
}

export const NOTHING_BUILT: readonly Entered[] = [];

/** The registers as they are, with the application's frames up to `depth`. */
export const contextAt = (c: Cpu, depth: number): Context => ({
  depth,
  rax: c.t.rax,
  restart: false,
  skip: false,
  vectors: c.t.app.vectors,
  full: c.t.app.stackFull,
  built: NOTHING_BUILT,
});

type Holder = Pick<Ref<NoLocals>, "id" | "name">;

/** Flows whose frames hold a context. Filled by the files that declare them, so that this one names no layer. */
const HOLDERS: Holder[] = [];

/** Declares a reference whose frames hold a context. */
export function contextHolder<V extends Context>(name: string): Ref<V> {
  const made = ref<V>(name);
  HOLDERS.push(made);
  return made;
}

/** The context that the running function was given: of the nearest frame below that holds one. */
export function contextOf(c: Cpu): Context {
  const stack = running(c.t);
  let at = -1;
  for (const holder of HOLDERS) at = Math.max(at, findDown(c, stack, holder));
  if (at < 0) throw new Error("handle_signal without a PAL_CONTEXT");
  return stack[at]?.v as unknown as Context;
}

/** The time-out that a call made again is given: it lies in the application's memory, or is put there. */
export function goOnWith(c: Cpu, timeLeft: number): void {
  const caller = running(c.t)[contextOf(c).depth - 1];
  if (caller && "timeout" in caller.v) caller.v.timeout = timeLeft;
}

/** Mark of a libc function's system call, to which a restart leads. */
export const SYSCALL = "syscall";

/** Jumps to what the context says: what lies above the application's frames is left. */
export function jumpTo(c: Cpu, v: Context): void {
  const t = c.t;
  const { depth, rax, restart, skip, vectors, full, built } = v;
  cut(c, t, t.stack, depth);
  t.rax = rax;
  t.app.vectors = vectors;
  t.app.stackFull = full;
  if (skip) skipFault(c.program, topFrame(t));
  if (restart) goTo(c.program, topFrame(t), SYSCALL);
  enterAll(c, built);
}
