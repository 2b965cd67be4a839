/** What a stack declares: all that the machine, the recorder and the screens know of it. */

import type { Costs } from "../costs.ts";
import type { Cpu } from "../cpu.ts";

import type { Flow, Program } from "../flow.ts";
import type { SwitchName } from "../options.ts";
import type { NoLocals, Ref } from "../ref.ts";
import type { OwnLayout } from "../search/layout.ts";
import type { SignalSet } from "../signals.ts";
import type { Frame, Machine, Process, Thread, Word } from "../state.ts";
import type { Mechanism } from "./mechanism.ts";
import type { Shown } from "./shown.ts";

/** Reads a column of a row off the thread, after its step. Called for every row: no allocation, no search. */
export type Reader<T = Thread> = (t: T) => number;

/** The columns of state that depend on the stack; null for one that it does not have: NULL in its traces. */
export interface StackColumns<T = Thread> {
  /** Current SSA frame, 0 to 255. */
  readonly cssa: Reader<T> | null;
  /** Preempt counter of the LibOS, up to 32767. */
  readonly preempt: Reader<T> | null;
  /** Signals that PAL and LibOS keep for the thread, up to 65535. */
  readonly pending: Reader<T> | null;
}

/** What the stack keeps of threads and processes beyond the machine's part: when it is made and when it is given back. */
export interface OwnState<T extends Thread = Thread, P extends Process = Process> {
  /** Fills in `sgx`, `pal` and `libos` of a thread. `cloned` is what its creator gave it on its way (clone's argument). */
  newThread(c: Cpu<T, P>, t: T, creator: T | null, cloned: Word): void;
  /** The thread is off the lists of the machine. */
  endThread(c: Cpu<T, P>, t: T): void;
  newProcess(c: Cpu<T, P>, p: P, parent: P | null): void;
  /** The host has ended it: who hears of that? */
  processEnded(c: Cpu<T, P>, p: P): void;
  /** Nobody will ask for the process any more. */
  forgetProcess(c: Cpu<T, P>, p: P): void;
}

/** A machine whose laws are looked at, and where broken ones are told. */
export interface Look<T extends Thread = Thread, P extends Process = Process> {
  readonly m: Machine<T, P>;
  readonly program: Program;
  /** A law is broken; a line that names the thread or process. */
  wrong(what: string): void;
  /** The object has one owner: nobody else may name it as his. */
  own(value: object | null, owner: string): void;
  ownFrames(frames: readonly Frame[], owner: string): void;
  /** The host object is in somebody's hands: it is not among the free ones. */
  uses(object: number, by: string): void;
}

export interface Stack<T extends Thread = Thread, P extends Process = Process> extends Shown<T, P> {
  readonly text: string;
  /** How it takes signals, for `eintr explain`: each stack of the list has it. */
  readonly explain?: Mechanism;
  /** Fixes and options that its flows ask for; another one changes nothing on it, and is said to. Without it there is none. */
  readonly switches?: readonly SwitchName[];
  /** Switches that are on: fixes, and options of its manifest. `debug`: as with a manifest that has debug_type, for a LibOS. */
  readonly flows: (switches: ReadonlySet<SwitchName>, debug?: boolean) => Flow[];
  /** First flow of a process's first thread. */
  readonly boot: Ref<NoLocals>;
  /** First frame of a further thread whose first own function is the flow `start` (-1: none). */
  readonly bootThread: (program: Program, start: number) => Frame;
  readonly enclave: boolean;
  /** The kernel is the application's own: no library OS. */
  readonly native?: true;
  readonly columns: StackColumns<T>;
  /** Virtual ns of kinds of transition that are its own; without an entry a kind costs what `engine/costs.ts` says. */
  readonly costs?: Costs;
  readonly state: OwnState<T, P>;
  /** Calls that it does not have, by their names (`call` of a scenario): answered by a function, or by no function. Without it there is none. */
  readonly lacks?: (call: string) => "unimplemented" | "undefined" | null;
  /** The mask that the application sees as its own. */
  readonly appMask: (t: T) => SignalSet;
  /** This helper thread of the process turns with nothing to do, until somebody else gives it something. */
  readonly idles: (p: P, t: T) => boolean;
  /** What holds in every state beyond the laws of the machine. */
  readonly laws: (look: Look<T, P>) => void;
  /** What a search has to know of the fields of its part of the state. */
  readonly layout: OwnLayout;
}

/** A stack as the machine takes it. Its functions are only ever given its own threads and processes. */
export const declareStack = <T extends Thread, P extends Process>(stack: Stack<T, P>): Stack => stack as unknown as Stack;

/** A stack that keeps nothing beyond the machine's part: no library OS. */
export const NOTHING_KEPT: Pick<Stack, "columns" | "state" | "appMask" | "idles" | "laws" | "layout"> = {
  columns: { cssa: null, preempt: null, pending: null },
  state: { newThread() {}, endThread() {}, newProcess() {}, processEnded() {}, forgetProcess() {} },
  appMask: (t) => t.hostMask,
  idles: () => false,
  laws() {},
  layout: { thread: { pal: "essential", libos: "essential" }, process: { pal: "essential", libos: "essential" } },
};
