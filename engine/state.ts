/**
 * The machine as plain data: what JSON can hold and nothing else, so that a keyframe is a copy and two states compare.
 * A stack is an array of frames; a stack pointer is a depth in it. The emulated code redirects suspended contexts by
 * pushing frames on them and "resets the context without unwinding" by cutting the array, as the C code does with RSP.
 * To add a field: here, and nowhere else (copying and comparing are generic).
 */

import type { Ending } from "./block.ts";
import type { SignalSet } from "./signals.ts";
import type { CpuTimer, HostAction, HostObject, HostSignal, HostTimer, Wait, WakeCause } from "./state-host.ts";
import type { SgxState } from "./state-sgx.ts";
import type { Why } from "./transition.ts";

export * from "./state-host.ts";
export * from "./state-sgx.ts";

/** No `any` reaches a flow: each one declares its own locals, the machine only stores them. */
export type Word = number | string | boolean | null | readonly Word[] | { readonly [name: string]: Word };
export type Locals = Record<string, Word>;

/** A function of the emulated code in progress: which flow, which step is next, its locals. */
export interface Frame {
  flow: number;
  pc: number;
  v: Locals;
}

/** Which stack RSP points into. Outside SGX only HOST is used. */
export const HOST = 0;
export const ENCLAVE = 1;
export type StackId = 0 | 1;

/** What the application itself knows; the engine's bookkeeping of it included. */
export interface AppState {
  /** Calls made outside handlers: what `when: {call: 3}` counts. */
  calls: number;
  handlers: Record<number, number>;
  /** Runs of handlers that differ from run to run, by `keyOf` their name. */
  runs: Record<NameKey, number>;
  /** Plans that wait for a call of a running handler: how many calls are left, which of the running handlers (`inHandler`). */
  armed: { plan: number; left: number; depth: number }[];
  /** Running application handlers. */
  inHandler: number;
  /** sigsetjmp places by `keyOf` their name: depth of the stack, the flow whose frame is there and the pc to continue at. */
  places: Record<NameKey, { stack: StackId; depth: number; flow: number; pc: number; mask: SignalSet }>;
  /** Vector registers: 0 nothing, 1 the program's live values, 2 something else. */
  vectors: number;
  /** Bytes of the alternate stack, 0 none (the kernel's; a LibOS has its own idea). */
  altStack: number;
  /** The stack has no room left: a frame fits on the alternate stack only. */
  stackFull: boolean;
  /** End of the compute operation in progress, 0 when none: a signal cuts it short and it goes on afterwards. */
  computing: number;
  /** Plans that fire, one each time, as soon as this thread blocks, the rest when its call returns. */
  pinned: number[];
}

export interface Thread {
  id: number;
  process: number;
  tid: number;
  name: string;
  internal: boolean;
  /** Flow of the application program it runs. */
  program: string;
  state: "run" | "blocked" | "dead";
  /** This thread's own clock, virtual ns: when its next step happens. */
  time: number;
  host: Frame[];
  enclave: Frame[];
  stack: StackId;
  rax: number;
  /** Registers as far as control flow needs them: what is passed into EENTER and EEXIT. */
  rdi: number;
  rsi: number;
  rdx: string;
  /** Id of the signal whose event is in RDI or RSI, 0 none. */
  eventSignalId: number;
  hostMask: SignalSet;
  /** Mask to come back after sigsuspend; what a frame pushed meanwhile stores. */
  savedMask: SignalSet | null;
  /** What the thread blocks while sigtimedwait lets its signals through. */
  realBlocked: SignalSet | null;
  hostPending: HostSignal[];
  /** Host signal frames on the stacks: above 0 the thread is in signal context. */
  signalFrames: number;
  /** Something may be deliverable: look before the next step. */
  check: boolean;
  /** The process ended: one last transition, then dead. */
  dying: boolean;
  /** The word that clear_child_tid points to, when somebody has joined the thread: an object, -1 nobody has, -2 it is 0 by now. */
  tidWord: number;
  /** Where its program begins, a return address: behind an execve that made a new process; 0 at its start. */
  startPc: number;
  /** What the bytes say that it is about to write to an object. */
  mail: { object: number; message: Word } | null;
  wait: Wait | null;
  /** Word in whose queue of sleepers the thread is, asleep or on its way to sleep (futex); -1 none. */
  queued: number;
  cause: WakeCause;
  /** Null on a stack without an enclave. */
  sgx: SgxState | null;
  /** What the PAL and the LibOS of the stack keep of the thread, as its generation declares it; null without one. */
  pal: unknown;
  libos: unknown;
  app: AppState;
}

/** How a process ended. */
export interface ProcessEnd {
  /** What the host reports: exit status, minus the signal when killed. */
  status: number;
  why: Why;
  /** The signal that did it, also where a library OS turned it into an exit; 0 none. */
  signal: number;
}

export interface Process {
  id: number;
  pid: number;
  name: string;
  parent: number;
  alive: boolean;
  /** Meaningful when !alive. */
  end: ProcessEnd;
  reaped: boolean;
  stopped: boolean;
  threads: number[];
  hostActions: Record<number, HostAction>;
  hostPending: HostSignal[];
  /** Thread at which the search for one that takes a signal ended (curr_target). */
  currTarget: number;
  /** What wait4 may still tell of a child that lives: the signal that stopped it, -1 it goes on, 0 nothing. */
  news: number;
  /** Process group and session. */
  pgid: number;
  sid: number;
  /** Timers made by timer_create and timerfd_create. */
  timers: HostTimer[];
  /** ITIMER_VIRTUAL and ITIMER_PROF as they were set: ns left, 0 not armed, and interval. */
  cpuTimers: { virtual: CpuTimer; prof: CpuTimer };
  /** ITIMER_REAL of the host kernel: next expiry or NEVER, and interval. */
  timer: number;
  timerInterval: number;
  /** Helper threads made so far: what their tids are counted from. */
  internalThreads: number;
  /** Made by vfork, and not over: the object its parent sleeps on; -1 else. */
  vforkDone: number;
  /** Made by vfork under a LibOS: no host process of its own yet. */
  dummy: boolean;
  /** A filter of system calls: one that the program's own code makes is SIGSYS. Children have it, too. */
  seccomp: boolean;
  /** Flags of the application that are set (`set` of a scenario): memory that its threads and handlers share. */
  flags: string[];
  /** What the PAL and the LibOS of the stack keep of the process, as its generation declares it; null without one. */
  pal: unknown;
  libos: unknown;
}

/** Progress of a scenario's outside plan. */
export interface PlanState {
  /** Next time for timed plans, NEVER when spent or pinned to a place. */
  next: number;
  fired: number;
  /** Visits of the pinned place so far. */
  visits: number;
}

/** Choice points met at one seq, by kind (`engine/choice.ts`): some are met more than once before the next transition. */
export interface Questions {
  seq: number;
  /** Asked so far, and how many of them are among the decisions. */
  readonly asked: number[];
  readonly kept: number[];
}

/** What choice points are about, and what a chooser may draw from. */
export type Chance = Pick<Machine, "seq" | "rng" | "questions">;

/** A signal that was thrown away where it waited, or that the program took from there. `kind` and `value` are those of its row, which stands at `thread`. */
export interface Stray {
  thread: number;
  signal: number;
  id: number;
  kind: number;
  value: number;
}

export interface Machine<T extends Thread = Thread, P extends Process = Process> {
  seq: number;
  /** Turns of the loop that made no transition: a plan came and nobody was there. They count against the limit, too. */
  idle: number;
  /** Virtual ns of the transition made last. */
  now: number;
  /** By id; null once the thread is gone and nothing refers to it: memory does not grow with the length of a run. */
  threads: (T | null)[];
  /** Ids of threads that are not dead, ascending. */
  live: number[];
  /** By id; null once reaped or orphaned. */
  processes: (P | null)[];
  /** Ids of processes that are not null, ascending. */
  known: number[];
  objects: HostObject[];
  /** Objects to use again. */
  freeObjects: number[];
  /** How often a thread or process name was given out, for "name#2". */
  names: Record<string, number>;
  /** By `keyOf` the name. */
  objectsByName: Record<NameKey, number>;
  nextPid: number;
  nextSignalId: number;
  plans: PlanState[];
  /** Plans whose place was reached: fire before anything else happens. */
  due: number[];
  /** Children that stopped or went on: their parents are told before anything else happens. */
  changes: { process: number; what: "ended" | "stopped" | "continued" }[];
  /** Signals that left a queue and go to no handler: each gets its row before anything else happens. */
  strays: Stray[];
  /** Objects that are a signalfd. */
  signalfds: number[];
  /** State of the generator that choosers draw from. */
  rng: [number, number, number, number];
  questions: Questions;
  /** Null while it goes on. */
  ended: Ending | null;
}

/** Key of a scenario's name in a plain object: `constructor` and `__proto__` are names like others, but every object knows those keys. */
export function keyOf(name: string): NameKey {
  let key = keys.get(name);
  if (key === undefined) {
    key = `.${name}`;
    keys.set(name, key);
  }
  return key;
}

/** Keys that were made: putting a text together at each call takes longer than the call. */
const keys = new Map<string, NameKey>();

export type NameKey = `.${string}`;

/** Puts `x` at place `i` of a list of the state. Never write to an index: a search, which observes the state (engine/search/), does not see it. */
export function setAt<T>(list: T[], i: number, x: T): void {
  if ("set" in list) (list as T[] & { set(i: number, x: T): void }).set(i, x);
  else list[i] = x;
}

/** The fields of a record of the state, for another one: those of an observed state (engine/search/) are none that a spread would take. */
export function copyOf<V extends object>(v: V): V {
  // Reading the method, not asking whether it is there: the latter is slow for objects of many kinds, and this is on the hot path.
  const { toJSON } = v as { toJSON?(): V };
  return toJSON === undefined ? { ...v } : toJSON.call(v);
}

/**
 * The record, which its caller has just made, with these fields, too. A literal that spreads one record and adds fields takes a hundred times
 * as long: V8 gives each object that it makes a hidden class of its own.
 */
export const extended = <A extends object, const M extends object>(made: A, more: M): A & M => Object.assign(made, more);

/** The first of a list that a frame holds, -1 when it is empty; the frame goes on with the rest. */
export function takeFirst<K extends string>(v: { [key in K]: readonly number[] }, key: K): number {
  const list: readonly number[] = v[key];
  v[key] = list.slice(1) as (typeof v)[K];
  return list[0] ?? -1;
}

/** A copy of a tree of plain data: no sharing with the original. */
export function copyTree<T>(value: T): T {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return Array.from(value, copyTree) as T;
  if ("toJSON" in value) return copyTree((value as T & { toJSON(): T }).toJSON());
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(value)) out[key] = copyTree((value as Record<string, unknown>)[key]);
  return out as T;
}

/** First path at which two trees differ, "" when they are equal. */
export function firstDifference(a: unknown, b: unknown, path = "machine"): string {
  if (Object.is(a, b)) return "";
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return `${path}: ${String(a)} != ${String(b)}`;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  for (const key of keys) {
    const difference = firstDifference((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key], `${path}.${key}`);
    if (difference) return difference;
  }
  return "";
}
