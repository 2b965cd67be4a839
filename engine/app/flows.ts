/** What an application calls, and what a LibOS puts below it. */

import type { CallLocals } from "../host/calls.ts";
import { type Ref, ref, refs } from "../ref.ts";
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

export type Arguments<R> = R extends Ref<infer V> ? V : never;

/** Locals of shim_NAME. One shape for all: what the call was given is a value in it. */
export interface Shim<A extends object> {
  args: A;
  /** The preempt counter that BEGIN_SHIM notes. */
  entry: number;
  ret: number;
}

/** shim_NAME: BEGIN_SHIM, shim_do_NAME, END_SHIM. */
export const SHIM = refs(SYSCALL_NAMES, (name) => `shim_${name}`) as unknown as { readonly [N in SyscallName]: Ref<Shim<SyscallArgs<N>>> };
