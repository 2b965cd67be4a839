/** What calls of Linux have in common, by the names that labels and logs have: one list for importers, emulated code and rules. */

import type { CallName } from "./call-names.ts";

const READS = ["read", "readv", "preadv2", "recvfrom", "recvmsg", "recvmmsg"] as const satisfies readonly CallName[];

/** They wait for room, or for a reader (Linux fs/splice.c for the last three). pwritev2 writes into pipes with the offset -1. */
const WAITING_WRITES = [
  ...(["write", "writev", "pwritev2", "sendto", "sendmsg", "sendmmsg"] as const),
  ...(["splice", "tee", "vmsplice"] as const),
] as const satisfies readonly CallName[];

/** Calls that raise SIGPIPE when nobody reads (pipe(7), send(2)). pwrite64, pwritev and copy_file_range take no pipes and sockets. */
export const WRITES = [...WAITING_WRITES, "sendfile"] as const satisfies readonly CallName[];

/** Calls that are made again after a handler with SA_RESTART (signal(7)). sendfile is left out: mostly it reads a file. */
export const RESTARTABLE = [
  ...READS,
  ...WAITING_WRITES,
  ...(["accept", "accept4", "futex_wait", "wait4", "waitid"] as const),
] as const satisfies readonly CallName[];

/** Waits of System V: they never are. */
export const IPC_WAITS = ["semop", "semtimedop", "msgrcv", "msgsnd"] as const satisfies readonly CallName[];

/** Those that wait for several objects: they never are. */
export const POLLS = [
  ...(["poll", "ppoll", "select", "pselect6"] as const),
  ...(["epoll_wait", "epoll_pwait", "epoll_pwait2"] as const),
] as const satisfies readonly CallName[];

/** Calls that wait for somebody, so that a signal ends them (signal(7)), by the names of logs. Others, such as those on files, are not cut short. */
export const INTERRUPTIBLE: ReadonlySet<string> = new Set([
  ...RESTARTABLE,
  ...POLLS,
  ...IPC_WAITS,
  ...["recv", "send", "connect", "waitpid", "futex", "futex_waitv", "flock", "fcntl", "ioctl", "nanosleep", "clock_nanosleep", "pause"],
  ...["rt_sigsuspend", "rt_sigtimedwait", "mq_receive", "mq_timedreceive", "mq_send", "mq_timedsend", "io_getevents", "io_pgetevents"],
  ...["io_uring_enter", "getrandom", "restart_syscall"],
]);
