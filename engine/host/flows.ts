/** The kernel's system calls, for those who make them, and what it puts onto a stack by itself. */

import { type Ref, ref } from "../ref.ts";
import type { SigInfo } from "../siginfo.ts";
import type { SignalSet } from "../signals.ts";
import type { Locals, Word } from "../state.ts";
import type {
  AlarmArgs,
  EventfdArgs,
  FutexWaitArgs,
  GetitimerArgs,
  GroupArgs,
  MaskArgs,
  PollArgs,
  ProbeArgs,
  ProgramArgs,
  ReceiveTimeoutArgs,
  SetitimerArgs,
  SettimeArgs,
  SigactionArgs,
  SigaltstackArgs,
  SigprocmaskArgs,
  SigsuspendArgs,
  SigtimedwaitArgs,
  SleepArgs,
  TimerArgs,
  TimerCreateArgs,
  WaitArgs,
} from "../syscalls.ts";
import type { CallLocals, Exit } from "./calls.ts";

/** Arguments of kill and tgkill. */
export interface Sending {
  /** Processes for kill, threads for tgkill: one transition for each. */
  targets: readonly number[];
  signal: number;
  /** One is meant that has ended and is still known, a zombie or the first thread of a process that goes on: the signal has no effect. */
  ended: boolean;
  /** Of a log: which thread took the signal, and when. */
  takers: Readonly<Record<string, number>>;
  /** Only the library OS uses it, to wake a thread: the application knows nothing of it. */
  wakeUp: boolean;
  ret: number;
}

export const sending = (targets: readonly number[], signal: number): Sending => ({
  targets,
  signal,
  ended: false,
  takers: {},
  wakeUp: false,
  ret: 0,
});

/** Arguments of rt_sigqueueinfo: to a thread, or with -1 to the process. */
export interface Queueing extends CallLocals {
  process: number;
  thread: number;
  signal: number;
  value: number;
  takers: Readonly<Record<string, number>>;
}

/** Arguments of clone and fork. */
export interface Creating extends ProgramArgs {
  /** Flow of a thread's first own function in a library OS; -1: its program. */
  start: number;
  internal: boolean;
  /** What the creator gives the new thread, for the stack's own part of it. */
  cloned: Word;
}

const call = <V extends object = CallLocals>(name: string): Ref<V> => ref(`host ${name}`);

/** By name. */
export const KERNEL = {
  read: call("read"),
  write: call("write"),
  send: call("send"),
  "write-file": call("write-file"),
  accept: call("accept"),
  close: call("close"),
  call: call("call"),
  fionread: call("fionread"),
  "wait-any": call("wait-any"),
  "poll-now": call("poll-now"),
  "futex-wait-0": call("futex-wait-0"),
  "futex-wake": call("futex-wake"),
  nanosleep: call<SleepArgs>("nanosleep"),
  sched_yield: call("sched_yield"),
  clock_gettime: call("clock_gettime"),
  kill: call<Sending>("kill"),
  tgkill: call<Sending>("tgkill"),
  clone: call<Creating>("clone"),
  fork: call<Creating>("fork"),
  exit: call<Exit>("exit"),

  // Those that native-linux alone makes.
  vfork: call<ProgramArgs>("vfork"),
  execve: call("execve"),
  poll: call<PollArgs>("poll"),
  epoll_wait: call<PollArgs>("epoll_wait"),
  "futex-wait": call<FutexWaitArgs>("futex-wait"),
  semop: call("semop"),
  msgrcv: call("msgrcv"),
  pause: call("pause"),
  sigsuspend: call<SigsuspendArgs>("sigsuspend"),
  getpid: call("getpid"),
  /** A call that answers with its `result`. */
  nothing: call("nothing"),
  probe: call<ProbeArgs>("probe"),
  wait4: call<WaitArgs>("wait4"),
  waitid: call<WaitArgs>("waitid"),
  setsockopt: call<ReceiveTimeoutArgs>("setsockopt"),
  setpgid: call<GroupArgs>("setpgid"),
  setsid: call("setsid"),
  getpgid: call("getpgid"),
  sigaction: call<SigactionArgs>("sigaction"),
  sigprocmask: call<SigprocmaskArgs>("sigprocmask"),
  sigpending: call("sigpending"),
  sigaltstack: call<SigaltstackArgs>("sigaltstack"),
  rt_sigqueueinfo: call<Queueing>("rt_sigqueueinfo"),
  rt_sigtimedwait: call<SigtimedwaitArgs>("rt_sigtimedwait"),
  alarm: call<AlarmArgs>("alarm"),
  setitimer: call<SetitimerArgs>("setitimer"),
  getitimer: call<GetitimerArgs>("getitimer"),
  timer_create: call<TimerCreateArgs>("timer_create"),
  timer_settime: call<TimerArgs & SettimeArgs>("timer_settime"),
  timer_delete: call<TimerArgs>("timer_delete"),
  timerfd_create: call("timerfd_create"),
  timerfd_settime: call<SettimeArgs>("timerfd_settime"),
  signalfd: call<MaskArgs>("signalfd"),
  eventfd: call<EventfdArgs>("eventfd"),
} as const;

export type KernelName = keyof typeof KERNEL;
/** Locals of a call. */
export type KernelLocals<N extends KernelName> = (typeof KERNEL)[N] extends Ref<infer V> ? V : never;

/** A call that is still to be made: the frame of a function that has not begun. Its locals are those it starts with, and stay as they are. */
export interface Entered {
  readonly flow: number;
  readonly v: Locals;
}

/** The kernel's signal frame, as locals of the restorer. */
export interface SignalFrame {
  signal: number;
  id: number;
  /** The mask that rt_sigreturn puts back. */
  mask: SignalSet;
  rax: number;
  vectors: number;
  /** The handler has moved RIP past the instruction that faulted. */
  skip: boolean;
  /** The handler has written another RIP: a flow's number, 0 none. */
  redirect: number;
  /** The handler has written another RIP and RSP: calls that it has laid on top of what was interrupted, outermost first. */
  built: readonly Entered[];
  rdi: number;
  rsi: number;
  rdx: string;
  /** Id of the signal whose event is on its way in RDI or RSI. */
  carried: number;
  /** It lies on the alternate stack. */
  alt: boolean;
  /** The stack that was in use has no room left. */
  full: boolean;
}

/** The return address of every host signal handler. It belongs to the program (PAL text in Graphene), not to the kernel. */
export const restoreRt = ref<SignalFrame>("__restore_rt");

/** What the kernel hands to a handler's first function. */
export interface HandlerLocals {
  signal: number;
  id: number;
  info: SigInfo;
}

/** Places of no thread's own code (`outside.ts`). */
export const outsideCode = ref("(outside)");
