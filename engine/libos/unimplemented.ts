/**
 * System calls that the base revision does not have: all answer -ENOSYS (errata A2; shim_syscalls.c and shim_table.c of ceb7897320).
 * There are two ways, and a pending signal tells them apart.
 */

import { E } from "../errno.ts";
import type { Flow } from "../flow.ts";
import { flow } from "../generations/graphene-2019/flow.ts";
import type { CallLocals } from "../host/calls.ts";
import { SHIM_DO } from "./flows.ts";
import { answer } from "./io.ts";

const list = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** SHIM_SYSCALL_PASSTHROUGH: an entry of the table whose function says -ENOSYS between BEGIN_SHIM and END_SHIM, which flushes. */
export const PASSED_THROUGH = list(`
  mremap msync mincore madvise shmget shmat shmctl shmdt flock link symlink lchown sysinfo times ptrace syslog setreuid setregid
  getgroups setgroups setresuid getresuid setresgid getresgid setfsuid setfsgid capget capset rt_sigtimedwait rt_sigqueueinfo utime
  mknod uselib personality ustat statfs fstatfs sysfs getpriority setpriority sched_setparam sched_getparam sched_setscheduler
  sched_getscheduler sched_get_priority_max sched_get_priority_min sched_rr_get_interval mlock munlock mlockall munlockall vhangup
  modify_ldt pivot_root _sysctl prctl adjtimex sync acct settimeofday mount umount2 swapon swapoff reboot sethostname setdomainname
  iopl ioperm create_module init_module delete_module query_module quotactl readahead setxattr lsetxattr fsetxattr getxattr lgetxattr
  fgetxattr listxattr llistxattr flistxattr removexattr lremovexattr fremovexattr sched_setaffinity set_thread_area io_setup
  io_destroy io_getevents io_submit io_cancel get_thread_area lookup_dcookie remap_file_pages restart_syscall fadvise64 timer_create
  timer_settime timer_gettime timer_getoverrun timer_delete clock_settime clock_nanosleep utimes mbind set_mempolicy get_mempolicy
  mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr waitid ioprio_set ioprio_get inotify_init inotify_add_watch
  inotify_rm_watch migrate_pages mknodat futimesat newfstatat linkat symlinkat readlinkat unshare splice tee sync_file_range vmsplice
  move_pages utimensat signalfd timerfd_create eventfd fallocate timerfd_settime timerfd_gettime signalfd4 eventfd2 inotify_init1
  preadv pwritev rt_tgsigqueueinfo perf_event_open fanotify_init fanotify_mark prlimit64 name_to_handle_at open_by_handle_at
  clock_adjtime syncfs setns getcpu`);

/**
 * No function in the table, or a number beyond it (380): the stub of syscallas.S says -38 itself, with neither BEGIN_SHIM nor END_SHIM,
 * and a pending signal stays where it is. Numbers up to those of Linux 6.12.
 */
export const UNDEFINED = list(`
  get_kernel_syms nfsservctl getpmsg putpmsg afs_syscall tuxcall security epoll_ctl_old epoll_wait_old vserver kexec_load add_key
  request_key keyctl
  process_vm_readv process_vm_writev kcmp finit_module sched_setattr sched_getattr renameat2 seccomp getrandom memfd_create
  kexec_file_load bpf execveat userfaultfd membarrier mlock2 copy_file_range preadv2 pwritev2 pkey_mprotect pkey_alloc pkey_free statx
  io_pgetevents rseq pidfd_send_signal io_uring_setup io_uring_enter io_uring_register open_tree move_mount fsopen fsconfig fsmount
  fspick pidfd_open clone3 close_range openat2 pidfd_getfd faccessat2 process_madvise epoll_pwait2 mount_setattr quotactl_fd
  landlock_create_ruleset landlock_add_rule landlock_restrict_self memfd_secret process_mrelease futex_waitv set_mempolicy_home_node
  cachestat fchmodat2 map_shadow_stack futex_requeue statmount listmount lsm_get_self_attr lsm_set_self_attr lsm_list_modules mseal
  setxattrat getxattrat listxattrat removexattrat`);

/** How the base revision answers a call of this name; null: it has the call. */
export const missingCall = (name: string): "unimplemented" | "undefined" | null =>
  PASSED_THROUGH.has(name) ? "unimplemented" : UNDEFINED.has(name) ? "undefined" : null;

const CALLS = [
  "unimplemented",
  "timer_create",
  "timer_settime",
  "timer_delete",
  "timerfd_settime",
  "rt_sigtimedwait",
  "rt_sigqueueinfo",
  "clock_nanosleep",
  "waitid",
] as const;
type PassedThrough = (typeof CALLS)[number];

const FILES = ["signalfd", "eventfd", "timerfd_create"] as const;
type MakesFile = (typeof FILES)[number];

/** What stands between BEGIN_SHIM and END_SHIM of a call that is only passed through. What it would have made is not there. */
const passedThrough = (name: PassedThrough | MakesFile, makesFile = false): Flow =>
  flow<CallLocals>(SHIM_DO[name], "libos", "2.15, errata A2", (s) => [
    s.act("not implemented: -ENOSYS", (c, v) => {
      v.ret = E.NOSYS;
      // The program has -1 in place of a descriptor: like one that is closed.
      const object = c.m.objects[v.object];
      if (!makesFile || !object) return;
      object.fd = { what: "none" };
      c.process(c.t).libos.closedObjects.push(v.object);
    }),
    answer(s),
  ]);

export const unimplementedFlows: readonly Flow[] = [
  ...CALLS.map((name) => passedThrough(name)),
  ...FILES.map((name) => passedThrough(name, true)),
];
