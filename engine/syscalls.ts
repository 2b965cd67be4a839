/** The system calls that an application can make: their numbers, and their arguments as the kernel and a LibOS are given them. */

import type { CallLocals } from "./host/calls.ts";
import type { SignalSet } from "./signals.ts";

/** Name -> number. 0 is read: the LibOS takes it for "not in a system call" (3.2 read-not-seen-as-syscall). */
export const SYSCALLS = {
  read: 0,
  write: 1,
  close: 3,
  poll: 7,
  sigaction: 13,
  sigprocmask: 14,
  ioctl: 16,
  sched_yield: 24,
  pause: 34,
  nanosleep: 35,
  alarm: 37,
  setitimer: 38,
  getpid: 39,
  accept: 43,
  setsockopt: 54,
  clone: 56,
  fork: 57,
  vfork: 58,
  execve: 59,
  exit: 60,
  wait4: 61,
  kill: 62,
  semop: 65,
  msgrcv: 70,
  gettimeofday: 96,
  sigpending: 127,
  sigsuspend: 130,
  sigaltstack: 131,
  futex_wait: 202,
  futex_wake: 1202,
  exit_group: 231,
  epoll_wait: 232,
  tgkill: 234,
  select: 23,
  getitimer: 36,
  setpgid: 109,
  setsid: 112,
  getpgid: 121,
  rt_sigtimedwait: 128,
  rt_sigqueueinfo: 129,
  timer_create: 222,
  timer_settime: 223,
  timer_delete: 226,
  clock_nanosleep: 230,
  waitid: 247,
  timerfd_create: 283,
  timerfd_settime: 286,
  signalfd: 289,
  eventfd: 290,
  probe: 1001,
  call: 1000,
  /** Any call that the base revision answers with -ENOSYS (libos/unimplemented.ts). */
  unimplemented: 1002,
} as const;

export type SyscallName = keyof typeof SYSCALLS;
export const SYSCALL_NAMES = Object.keys(SYSCALLS) as SyscallName[];

/** A call with a set of signals. */
export interface MaskArgs extends CallLocals {
  mask: SignalSet;
}

/** poll, select, epoll_wait. What is below `select` is what the LibOS makes of the list. */
export interface PollArgs extends CallLocals {
  /** In force for the length of the call; null: the thread's own. */
  mask: SignalSet | null;
  /** It is select or pselect6. */
  select: boolean;
  /** Objects to look at, each once; -1 stands for the outside world. */
  fds: readonly number[];
  next: number;
  /** Those the PAL is asked to wait for: the last one first, as the list is built. */
  rest: readonly number[];
  ready: readonly number[];
}

export interface FutexWaitArgs extends CallLocals {
  /** The word has another value than the caller expects. */
  changed: boolean;
  /** The word is a thread's tid, as pthread_join waits for. */
  tid: boolean;
}

export interface FutexWakeArgs extends CallLocals {
  targets: readonly number[];
}

export interface SleepArgs extends CallLocals {
  /** What is left is asked for. */
  rem: boolean;
  /** The time is a time of day. */
  absolute: boolean;
}

/** NULL in the place of an action. */
export const NO_ACTION = -3;

export interface SigactionArgs extends MaskArgs {
  signal: number;
  /** Flow of the handler; -1 ignore, -2 default, NO_ACTION: nothing is set. */
  handler: number;
  flags: number;
  /** The action before is asked for. */
  old: boolean;
}

export interface SigprocmaskArgs extends MaskArgs {
  how: string;
  /** The mask before is asked for. */
  old: boolean;
  /** It is to be written to a page that can only be read. */
  readOnly: boolean;
  /** sigsetsize: `bytes` that it takes a set to have. */
  size: number;
}

export interface SigsuspendArgs extends CallLocals {
  /** null: the pointer to it is NULL. */
  mask: SignalSet | null;
  /** The mask to go back to. */
  old: SignalSet;
}

export interface SigtimedwaitArgs extends MaskArgs {
  /** The siginfo is asked for. */
  info: boolean;
  /** It answers with 0 in place of the signal (sigwait). */
  zero: boolean;
}

/** kill: `wanted` as in the scenario: self, parent, group, all, or a program's name; `group` a process whose group is meant. */
export interface KillArgs {
  wanted: string;
  group: string;
  signal: number;
  /** Of the LibOS: pids still to be sent to, one kill(2) for each. */
  targets: readonly number[];
  self: boolean;
  /** What si_pid becomes: the tid of the caller, for kill(0) its tgid. */
  sender: number;
  /** Of a log: which thread took the signal, and when. */
  takers: Readonly<Record<string, number>>;
  ret: number;
}

export interface TgkillArgs {
  thread: string;
  signal: number;
  target: number;
  sender: number;
  takers: Readonly<Record<string, number>>;
  ret: number;
}

export interface SigqueueArgs extends CallLocals {
  wanted: string;
  /** Empty: the process. */
  thread: string;
  signal: number;
  value: number;
  takers: Readonly<Record<string, number>>;
}

export interface SigaltstackArgs extends CallLocals {
  disable: boolean;
  /** SS_ONSTACK in the flags, as some programs give it. */
  onstack: boolean;
  /** NULL is given in place of a stack. */
  nostack: boolean;
  /** The stack before is asked for. */
  old: boolean;
}

export interface AlarmArgs extends CallLocals {
  /** ns. */
  after: number;
}

export interface GetitimerArgs extends CallLocals {
  which: string;
}

export interface SetitimerArgs extends GetitimerArgs {
  value: number;
  interval: number;
  /** The old value is asked for. */
  old: boolean;
}

/** The timer of a timerfd, or of timer_create. */
export interface SettimeArgs extends CallLocals {
  value: number;
  interval: number;
  absolute: boolean;
  /** The old value is asked for. */
  old: boolean;
}

export interface TimerArgs extends CallLocals {
  name: string;
}

export interface TimerCreateArgs extends TimerArgs {
  signal: number;
  value: number;
  /** The signal is for the thread that makes the timer. */
  thread: boolean;
}

export interface EventfdArgs extends CallLocals {
  semaphore: boolean;
}

/** waitid, and wait4. `object` is the wanted child, or ANY, NOBODY, GROUP; `bytes` 1: WNOHANG. */
export interface WaitArgs extends CallLocals {
  exited: boolean;
  /** WUNTRACED or WSTOPPED. */
  stopped: boolean;
  /** WCONTINUED. */
  continued: boolean;
  /** WNOWAIT. */
  keep: boolean;
  /** The child that a log's kernel found; ANY: it does not say. */
  finds: number;
  /** Of what the LibOS found: its tid and its status, and the engine's id of a child process. */
  status: number;
  tid: number;
  process: number;
}

export interface ExecArgs extends CallLocals {
  /** Of a log: it is what started the program. A library OS has no such call, its loader does it. */
  loader: boolean;
}

export interface ProgramArgs extends CallLocals {
  program: string;
}

export interface CloneArgs extends ProgramArgs {
  /** With CLONE_VFORK, as posix_spawn makes it. */
  vfork: boolean;
}

export interface ExitArgs extends CallLocals {
  status: number;
}

/** setsockopt of SO_RCVTIMEO; `bytes` is optlen. */
export interface ReceiveTimeoutArgs extends CallLocals {
  /** ns; 0: none. */
  receiveTimeout: number;
}

export interface GroupArgs extends CallLocals {
  process: number;
  group: number;
}

export interface ProbeArgs extends CallLocals {
  /** The pointer is good. */
  valid: boolean;
  address: number;
}

/** A call that is known by its name alone. */
export interface NamedArgs extends CallLocals {
  what: string;
}

/** Those with more than what every call has. */
interface Special {
  poll: PollArgs;
  select: PollArgs;
  epoll_wait: PollArgs;
  futex_wait: FutexWaitArgs;
  futex_wake: FutexWakeArgs;
  nanosleep: SleepArgs;
  clock_nanosleep: SleepArgs;
  sigaction: SigactionArgs;
  sigprocmask: SigprocmaskArgs;
  sigsuspend: SigsuspendArgs;
  sigaltstack: SigaltstackArgs;
  rt_sigtimedwait: SigtimedwaitArgs;
  rt_sigqueueinfo: SigqueueArgs;
  kill: KillArgs;
  tgkill: TgkillArgs;
  alarm: AlarmArgs;
  setitimer: SetitimerArgs;
  getitimer: GetitimerArgs;
  timer_create: TimerCreateArgs;
  timer_settime: TimerArgs & SettimeArgs;
  timer_delete: TimerArgs;
  timerfd_settime: SettimeArgs;
  signalfd: MaskArgs;
  eventfd: EventfdArgs;
  wait4: WaitArgs;
  waitid: WaitArgs;
  clone: CloneArgs;
  fork: ProgramArgs;
  execve: ExecArgs;
  vfork: ProgramArgs;
  exit: ExitArgs;
  exit_group: ExitArgs;
  setpgid: GroupArgs;
  setsockopt: ReceiveTimeoutArgs;
  probe: ProbeArgs;
  call: NamedArgs;
}

/** Arguments of a system call. */
export type SyscallArgs<N extends SyscallName> = N extends keyof Special ? Special[N] : CallLocals;
