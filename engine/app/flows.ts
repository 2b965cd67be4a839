/** What an application calls, and what a LibOS puts below it. */

import type { CallLocals } from "../host/calls.ts";
import { type Ref, ref, refs } from "../ref.ts";
import type { SignalSet } from "../signals.ts";
import { type ProgramArgs, SYSCALL_NAMES, type SyscallArgs, type SyscallName } from "../syscalls.ts";
import type { Join } from "./pthread-join.ts";

/** A function of libc for each system call, and those that are more or less than one. */
export const LIBC: { readonly [N in SyscallName]: Ref<SyscallArgs<N>> } & {
  readonly undefined: Ref<CallLocals>;
  readonly pthread_join: Ref<Join>;
  readonly posix_spawn: Ref<ProgramArgs>;
} = {
  ...(refs(SYSCALL_NAMES, (name) => `libc ${name}`) as unknown as { [N in SyscallName]: Ref<SyscallArgs<N>> }),
  undefined: ref("libc undefined"),
  pthread_join: ref("libc pthread_join"),
  posix_spawn: ref("libc posix_spawn"),
};
export type LibcName = keyof typeof LIBC;

/** A signal frame that a library OS has built on the application's stack, as locals of its restorer: the code that the handler returns to. */
export interface Sigframe {
  signal: number;
  id: number;
  /** uc_sigmask: the mask that comes back. */
  mask: SignalSet;
  rax: number;
  /** RIP is at the system call, which is made again. */
  restart: boolean;
  /** The handler has moved RIP past the instruction that faulted. */
  skip: boolean;
  /** It lies on the alternate stack. */
  alt: boolean;
  /** What the vector registers held. */
  vectors: number;
  /** The stack that was in use has no room left. */
  full: boolean;
}
/** SA_RESTORER of the application's libc. */
export const restorer = ref<Sigframe>("__restore_rt (application)");

export type Arguments<R> = R extends Ref<infer V> ? V : never;

/** Locals of shim_NAME. One shape for all: what the call was given is a value in it. */
export interface Shim<A extends object> {
  args: A;
  /** The preempt counter that BEGIN_SHIM notes. */
  entry: number;
  ret: number;
}

/** A function for each system call, with the locals of a shim. */
export type ShimRefs = { readonly [N in SyscallName]: Ref<Shim<SyscallArgs<N>>> };
export const shimRefs = (nameOf: (name: SyscallName) => string): ShimRefs => refs(SYSCALL_NAMES, nameOf) as unknown as ShimRefs;

/** shim_NAME: BEGIN_SHIM, shim_do_NAME, END_SHIM. */
export const SHIM = shimRefs((name) => `shim_${name}`);

/** How a system call gets into a library OS: what libc calls, and how that reads. */
export interface Entry {
  readonly refs: ShimRefs;
  readonly label: (name: SyscallName) => string;
}
/** The stub of assembly is left out: nothing of it decides anything. */
export const toShim: Entry = { refs: SHIM, label: (name) => `shim_${name}()` };
