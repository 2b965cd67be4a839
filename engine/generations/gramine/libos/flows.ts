/** Functions of the LibOS, for those who call them. */

import type { CallLocals } from "../../../host/calls.ts";
import { type Ref, ref, refs } from "../../../ref.ts";
import type { SigInfo } from "../../../siginfo.ts";
import type { SignalSet } from "../../../signals.ts";
import type { Locals } from "../../../state.ts";
import { type ProgramArgs, SYSCALL_NAMES, type SyscallArgs, type SyscallName, type WaitArgs } from "../../../syscalls.ts";
import { type Context, contextHolder } from "../context.ts";
import type { AsyncEvent, IpcMessage } from "../state.ts";

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
  malloc: ref("malloc"),
  free: ref("free"),
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

  clone_implementation_wrapper: ref("clone_implementation_wrapper"),
  file_lock_set: ref<CallLocals>("file_lock_set"),
  event_wait_with_retry: ref<{ object: number }>("event_wait_with_retry"),
  /** CPU_RELAX until nothing of the thread is in use any more. */
  "spin until PAL has cleared the word": ref<{ thread: number }>("spin until PAL has cleared the word"),
  do_clone_new_vm: ref<ProgramArgs>("do_clone_new_vm"),
  kill_other_threads: ref("kill_other_threads"),
  mark_child_exited: ref<{ process: number; code: number; signal: number }>("mark_child_exited"),
  do_waitid: ref<WaitArgs>("do_waitid"),
  remove_qnode_from_wait_queue: ref("remove_qnode_from_wait_queue"),

  /** `us` 0: nothing is installed; `thread` and `word` are those of a cleanup. */
  install_async_event: ref<{ callback: AsyncEvent["callback"]; us: number; object: number; thread: number; word: number }>(
    "install_async_event",
  ),
  libos_async_worker: ref("libos_async_worker"),
  signal_alarm: ref("signal_alarm"),
  signal_itimer: ref("signal_itimer"),
  signal_io: ref("signal_io"),
  cleanup_thread: ref<{ thread: number; word: number }>("cleanup_thread"),
  terminate_async_worker: ref("terminate_async_worker"),

  ipc_worker_main: ref("ipc_worker_main"),
  ipc_send_message: ref<{ dest: number; message: IpcMessage }>("ipc_send_message"),
  ipc_send_msg_and_get_response: ref<{ dest: number; message: IpcMessage }>("ipc_send_msg_and_get_response"),
  ipc_broadcast: ref<{ exclude: number; message: IpcMessage }>("ipc_broadcast"),
  ipc_pid_kill_send: ref<{ dest: number; message: IpcMessage }>("ipc_pid_kill_send"),
  ipc_pid_kill_callback: ref<{ message: IpcMessage }>("ipc_pid_kill_callback"),
  ipc_cld_exit_send: ref<Ending>("ipc_cld_exit_send"),
  file_lock_clear_pid: ref("file_lock_clear_pid"),
  ipc_file_lock_clear_pid_callback: ref<{ message: IpcMessage }>("ipc_file_lock_clear_pid_callback"),
  release_id: ref("release_id"),
  ipc_release_id_range_callback: ref("ipc_release_id_range_callback"),
  ipc_response_callback: ref<{ message: IpcMessage }>("ipc_response_callback"),
  terminate_ipc_worker: ref("terminate_ipc_worker"),
  do_kill_thread: ref<{ name: string; signal: number; sender: number; id: number }>("do_kill_thread"),

  process_exit: ref<Ending>("process_exit"),
  thread_exit: ref<Ending>("thread_exit"),
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
