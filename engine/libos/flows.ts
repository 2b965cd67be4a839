/** Functions of the LibOS, for those who call them. */

import { type Ref, ref, refs } from "../ref.ts";
import { type ExitArgs, SYSCALL_NAMES, type SyscallArgs, type SyscallName } from "../syscalls.ts";
import type { Install } from "./alarm.ts";
import type { Append } from "./append.ts";
import type { Scan } from "./deliver.ts";
import type { ProcessExit, ThreadExit } from "./exit.ts";
import type { Delivery, OneSignal } from "./handle-one.ts";
import type { Broadcast, ExitSend, Helper, KillSend } from "./ipc.ts";
import type { Lock } from "./lock.ts";
import type { Reservation } from "./ring.ts";
import type { Walk } from "./walk.ts";

/** By C's names. The type is that of the arguments: what a function keeps beside them it declares itself (`own`). */
export const LIBOS = {
  lock: ref<Lock>("lock"),
  unlock: ref<Lock>("unlock"),
  malloc: ref("malloc"),
  free: ref("free"),
  "malloc (large)": ref("malloc (large)"),
  "free (large)": ref("free (large)"),

  deliver_signal: ref<Delivery>("deliver_signal"),
  handle_signal: ref<{ delayedOnly: boolean }>("handle_signal"),
  __handle_signal: ref<Scan>("__handle_signal"),
  __handle_one_signal: ref<OneSignal>("__handle_one_signal"),
  "__handle_one_signal (SIGCP)": ref<OneSignal>("__handle_one_signal (SIGCP)"),
  allocate_signal_log: ref<Reservation>("allocate_signal_log"),
  append_signal: ref<Append>("append_signal"),
  do_kill_proc: ref<Walk>("do_kill_proc"),
  do_kill_pgroup: ref<Walk>("do_kill_pgroup"),
  do_kill_thread: ref<Walk>("do_kill_thread"),
  kill_all_threads: ref<Walk>("kill_all_threads"),
  "kill_all_threads (IPC)": ref<Omit<Broadcast, "to">>("kill_all_threads (IPC)"),

  install_async_event: ref<Install>("install_async_event"),
  signal_alarm: ref<{ target: number }>("signal_alarm"),
  create_async_helper: ref("create_async_helper"),
  shim_async_helper: ref("shim_async_helper"),

  broadcast_ipc: ref<Broadcast>("broadcast_ipc"),
  create_ipc_helper: ref("create_ipc_helper"),
  create_ipc_port: ref<{ listen: boolean }>("create_ipc_port"),
  ipc_cld_exit_send: ref<ExitSend>("ipc_cld_exit_send"),
  ipc_pid_kill_send: ref<KillSend>("ipc_pid_kill_send"),
  ipc_thread_exit: ref<Helper>("ipc_thread_exit"),
  shim_ipc_helper: ref("shim_ipc_helper"),

  clone_implementation_wrapper: ref("clone_implementation_wrapper"),
  create_new_process: ref("create_new_process"),
  destroy_process: ref("destroy_process"),
  "do_migrate_process (dummy)": ref("do_migrate_process (dummy)"),
  get_new_internal_thread: ref("get_new_internal_thread"),
  get_new_thread: ref("get_new_thread"),
  prepare_ns_leaders: ref("prepare_ns_leaders"),
  put_thread: ref("put_thread"),

  __abort: ref("__abort"),
  release_clear_child_id: ref("release_clear_child_id"),
  shim_clean: ref("shim_clean"),
  shim_init: ref("shim_init"),
  thread_exit: ref<ThreadExit>("thread_exit"),
  "thread_exit (dummy)": ref<{ status: number }>("thread_exit (dummy)"),
  shim_do_execve_rtld: ref("shim_do_execve_rtld"),
  try_process_exit: ref<ProcessExit>("try_process_exit"),

  sys_printf: ref("sys_printf"),
  debug_printf: ref("debug_printf"),
} as const;

/** Of the application: where the function of a thread that clone has made returns to. */
export const libcExit = ref<ExitArgs>("libc exit");
/** Of the application: what the old program does when execve has come back to it. */
export const behindExecve = ref("behind execve");

/** shim_do_NAME: what stands between BEGIN_SHIM and END_SHIM. */
export const SHIM_DO = refs(SYSCALL_NAMES, (name) => `shim_do_${name}`) as unknown as { readonly [N in SyscallName]: Ref<SyscallArgs<N>> };
