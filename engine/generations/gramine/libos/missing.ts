/** System calls that Gramine has no function for: -ENOSYS (gramine-today.md 6; arch/x86_64/libos_table.c). */

import type { SyscallName } from "../../../syscalls.ts";

const list = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Entries of the table that are empty, and numbers beyond it, by their names; up to those of Linux 6.12. */
const MISSING = list(`
  mremap shmget shmat shmctl shmdt semget semop semctl semtimedop msgget msgsnd msgrcv msgctl link symlink lchown getrusage times ptrace syslog
  setreuid setregid setresuid getresuid setresgid getresgid setfsuid setfsgid capget capset rt_sigqueueinfo utime uselib personality ustat
  sysfs vhangup modify_ldt pivot_root _sysctl prctl adjtimex sync acct settimeofday mount umount2 swapon swapoff reboot iopl ioperm
  create_module init_module delete_module get_kernel_syms query_module quotactl nfsservctl getpmsg putpmsg afs_syscall tuxcall security
  readahead setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr set_thread_area io_setup io_destroy io_getevents io_submit
  io_cancel get_thread_area lookup_dcookie epoll_ctl_old epoll_wait_old remap_file_pages restart_syscall timer_create timer_settime
  timer_gettime timer_getoverrun timer_delete clock_settime utimes vserver set_mempolicy get_mempolicy mq_open mq_unlink mq_timedsend
  mq_timedreceive mq_notify mq_getsetattr kexec_load add_key request_key keyctl ioprio_set ioprio_get inotify_init inotify_add_watch
  inotify_rm_watch migrate_pages futimesat linkat symlinkat unshare splice tee sync_file_range vmsplice move_pages utimensat signalfd
  timerfd_create timerfd_settime timerfd_gettime signalfd4 inotify_init1 preadv pwritev rt_tgsigqueueinfo perf_event_open fanotify_init
  fanotify_mark name_to_handle_at open_by_handle_at clock_adjtime syncfs setns process_vm_readv process_vm_writev kcmp finit_module
  sched_setattr sched_getattr renameat2 seccomp memfd_create kexec_file_load bpf execveat userfaultfd membarrier copy_file_range preadv2
  pwritev2 pkey_mprotect pkey_alloc pkey_free statx io_pgetevents rseq pidfd_send_signal io_uring_setup io_uring_enter io_uring_register
  open_tree move_mount fsopen fsconfig fsmount fspick pidfd_open clone3 openat2 pidfd_getfd faccessat2 process_madvise epoll_pwait2
  mount_setattr landlock_create_ruleset landlock_add_rule landlock_restrict_self memfd_secret process_mrelease futex_waitv
  set_mempolicy_home_node quotactl_fd cachestat fchmodat2 map_shadow_stack futex_wake futex_wait futex_requeue statmount listmount
  lsm_get_self_attr lsm_set_self_attr lsm_list_modules mseal setxattrat getxattrat listxattrat removexattrat`);

/** There is a function, but sys.experimental__enable_flock is off unless a manifest switches it on (sys/libos_fcntl.c, libos_syscall_flock). */
const SWITCHED_OFF = "flock";

export const lacks = (call: string): "undefined" | null => (MISSING.has(call) || call === SWITCHED_OFF ? "undefined" : null);

/** Of the calls that a scenario has operations for. */
export const MISSING_CALLS = [
  "semop",
  "msgrcv",
  "rt_sigqueueinfo",
  "timer_create",
  "timer_settime",
  "timer_delete",
  "timerfd_create",
  "timerfd_settime",
  "signalfd",
] as const satisfies readonly SyscallName[];

/** Those that would have made a file: the program has -1 in place of a descriptor. */
export const MAKE_FILES: ReadonlySet<SyscallName> = new Set(["timerfd_create", "signalfd"]);
