/** The kernel's system calls, for those who make them, and what it puts onto a stack by itself. */

import { type Ref, ref } from "../ref.ts";
import type { SigInfo } from "../siginfo.ts";
import type { SignalSet } from "../signals.ts";
import type { Word } from "../state.ts";
import type { CallLocals, Exit } from "./calls.ts";

/** Locals of kill and tgkill: `targets` are processes for kill, threads for tgkill. */
export interface Sending extends CallLocals {
  targets: number[];
  signal: number;
}

/** Locals of `host clone` and `host fork`. */
export interface Creating extends CallLocals {
  program: string;
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
  nanosleep: call("nanosleep"),
  sched_yield: call("sched_yield"),
  clock_gettime: call("clock_gettime"),
  tgkill: call<Sending>("tgkill"),
  clone: call<Creating>("clone"),
  fork: call<Creating>("fork"),
  exit: call<CallLocals & Exit>("exit"),
} as const;

export type KernelName = keyof typeof KERNEL;
/** Locals of a call. */
export type KernelLocals<N extends KernelName> = (typeof KERNEL)[N] extends Ref<infer V> ? V : never;

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
  rdi: number;
  rsi: number;
  rdx: string;
  /** Id of the signal whose event is on its way in RDI or RSI. */
  carried: number;
  /** It lies on the alternate stack. */
  alt: boolean;
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
