/** What the host kernel keeps of signals, sleeps, objects and timers: plain data, part of the machine's state. */

import type { ObjectKind } from "./object-kinds.ts";
import type { SigInfo } from "./siginfo.ts";
import type { SignalSet } from "./signals.ts";
import type { Word } from "./state.ts";

/** A signal the host kernel keeps for a thread or process. */
export interface HostSignal {
  signal: number;
  /** Follows this signal through all layers. */
  id: number;
  info: SigInfo;
  /** On the kernel of a log it was not delivered before this time; 0 when nobody knows. */
  at: number;
}

/** What a host process does with a signal. `flow` is the handler's flow, -1 for ignore; absent from the table = default. */
export interface HostAction {
  flow: number;
  flags: number;
  mask: SignalSet;
}

export const SA_RESTART = 1;
export const SA_RESETHAND = 2;
export const SA_NODEFER = 4;
export const SA_ONSTACK = 8;
export const SA_NOCLDSTOP = 16;
export const SA_NOCLDWAIT = 32;
/** Not a flag of the kernel: SA_RESTORER, which libc always sets, is not set. */
export const SA_NO_RESTORER = 64;

export type WakeCause = 0 | 1 | 2;
export const READY = 0;
export const TIMED_OUT = 1;
export const INTERRUPTED = 2;

/** What a thread blocked in the host kernel waits for. */
export interface Wait {
  /** Objects, any of which ends the wait. */
  objects: readonly number[];
  /** Virtual ns. */
  deadline: number;
  interruptible: boolean;
  /** A wait for a child of this process: -1 any, else the process; -2 not a wait for a child. */
  child: number;
}

/** Files that Linux makes out of other things: signals of a set, a counter (one at a time or all of it), a timer. `none`: a library OS refused it. */
export type FdKind =
  | { what: "signalfd"; mask: SignalSet }
  | { what: "eventfd"; semaphore: boolean }
  | { what: "timerfd" }
  | { what: "none" };

/** Something in the host that threads wait for: pipe (bytes), listener (connections), event (0, 1), semaphore, word. */
export interface HostObject {
  name: string;
  level: number;
  closed: boolean;
  /** A file that is neither pipe nor socket; without it those. */
  fd?: FdKind;
  /** nwaiters of a PAL mutex or event: who has said that it waits, whether it sleeps or not. */
  waiters: number;
  /** What the bytes in it say, where somebody has to know; in their order. */
  messages: readonly Word[];
  /** How a LibOS treats it, when it is the scenario's. */
  kind: ObjectKind;
  /** O_NONBLOCK. */
  nonblock: boolean;
  /** SO_RCVTIMEO of a socket: ns that a read or accept waits at most. */
  receiveTimeout: number;
}

export interface CpuTimer {
  left: number;
  interval: number;
}

/** A POSIX timer or the timer behind a timerfd. */
export interface HostTimer {
  name: string;
  /** Virtual ns of the next expiry, NEVER when it is not armed. */
  next: number;
  interval: number;
  /** Signal it sends, 0 none; to a thread, or -1 to the process. */
  signal: number;
  thread: number;
  value: number;
  /** Object of a timerfd, -1 none. */
  object: number;
}
