/** Functions of the LibOS, for those who call them. */

import type { CallLocals } from "../../../host/calls.ts";
import { type Ref, ref, refs } from "../../../ref.ts";
import type { SigInfo } from "../../../siginfo.ts";
import type { SignalSet } from "../../../signals.ts";
import type { Locals } from "../../../state.ts";
import { SYSCALL_NAMES, type SyscallArgs, type SyscallName } from "../../../syscalls.ts";
import { type Context, contextHolder } from "../context.ts";

/** Arguments of libos_emulate_syscall, and the application's registers. */
export interface Emulated extends Context {
  /** -1: a number without a function. */
  nr: number;
  /** Flow of the call, -1: none. */
  callee: number;
  args: Locals;
}

/** A process ends, or a thread. */
export interface Ending {
  status: number;
  signal: number;
}

/** By C's names. The type is that of the arguments: what a function keeps beside them it declares itself (`own`). */
export const LIBOS = {
  libos_emulate_syscall: contextHolder<Emulated>("libos_emulate_syscall"),
  libos_init: ref("libos_init"),

  lock: ref<{ name: string }>("lock"),
  unlock: ref<{ name: string }>("unlock"),
  thread_prepare_wait: ref("thread_prepare_wait"),
  thread_wait: ref<{ timeout: number; ignorePending: boolean }>("thread_wait"),
  thread_wakeup: ref<{ target: number }>("thread_wakeup"),

  handle_signal: ref("handle_signal"),
  /** `mask` null: the thread's own. Answers with the signal's number, 0 none; the signal itself goes to the caller's `taken`. */
  pop_unblocked_signal: ref<{ mask: SignalSet | null }>("pop_unblocked_signal"),
  have_pending_signals: ref("have_pending_signals"),
  get_all_pending_signals: ref("get_all_pending_signals"),
  set_user_sigmask: ref<{ mask: SignalSet | null }>("set_user_sigmask"),
  append_signal: ref<{ thread: number; info: SigInfo; id: number }>("append_signal"),
  wakeup_one_thread_on_signal: ref<{ signal: number; id: number }>("wakeup_one_thread_on_signal"),
  kill_current_proc: ref<{ info: SigInfo; id: number }>("kill_current_proc"),
  internal_fault: ref<{ event: number; id: number }>("internal_fault"),

  do_recvmsg: ref<CallLocals>("do_recvmsg"),
  do_sendmsg: ref<CallLocals>("do_sendmsg"),
  eventfd_read: ref<CallLocals>("eventfd_read"),
  eventfd_write: ref<CallLocals>("eventfd_write"),
  /** Of the word with a thread's tid. */
  release_clear_child_tid: ref<{ object: number }>("release_clear_child_tid"),

  process_exit: ref<Ending>("process_exit"),
  thread_exit: ref<Ending>("thread_exit"),
  thread_start: ref("libos_thread_start"),
} as const;

/** Names of C where ours are others. */
const C_NAMES: Readonly<Partial<Record<SyscallName, string>>> = {
  sigaction: "rt_sigaction",
  sigprocmask: "rt_sigprocmask",
  sigpending: "rt_sigpending",
  sigsuspend: "rt_sigsuspend",
  futex_wait: "futex (FUTEX_WAIT)",
  futex_wake: "futex (FUTEX_WAKE)",
  call: "(not emulated)",
  unimplemented: "(missing)",
  probe: "(a call with a pointer)",
};

/** libos_syscall_NAME. */
export const SYSCALL_FLOWS = refs(SYSCALL_NAMES, (name) => `libos_syscall_${C_NAMES[name] ?? name}`) as unknown as {
  readonly [N in SyscallName]: Ref<SyscallArgs<N>>;
};
export const rtSigreturn = ref("libos_syscall_rt_sigreturn");
