/**
 * What Graphene of 2019 keeps of threads and processes beyond the machine's part: plain data, part of the
 * machine's state.
 */

import type { SigInfo } from "../../siginfo.ts";
import type { SignalSet } from "../../signals.ts";
import type { HostAction, Process as MachineProcess, Thread as MachineThread, ProcessEnd } from "../../state.ts";
import type { SgxState } from "../../state-sgx.ts";

/** A thread and a process as flows of this generation see them. */
export interface Thread extends MachineThread {
  pal: PalState;
  libos: LibosState;
}

export interface Process extends MachineProcess {
  pal: PalProcess;
  libos: LibosProcess;
}

/** The same in an enclave. */
export interface SgxThread extends Thread {
  sgx: SgxState;
}

/** Linux PAL_TCB (reference, 1.4). */
export interface PalState {
  pendingEvent: number;
  pendingId: number;
  queue: { event: number; id: number }[];
  /** The thread is inside the PAL's slab allocator. */
  slabLocked: boolean;
}

export const newPal = (): PalState => ({ pendingEvent: 0, pendingId: 0, queue: [], slabLocked: false });

/** What the PAL keeps of a process. */
export interface PalProcess {
  /** lock name -> owner thread. */
  locks: Record<string, number>;
  lockObjects: Record<string, number>;
  /** PAL's handler table: event -> registered. */
  upcalls: Record<number, boolean>;
}

/** `flow` of a LibOS action that was set to the default: it is there, unlike one that was never set. */
export const SIG_DFL = -2;

/** LibOS disposition; absent from the table = default. `flow` -1 is SIG_IGN. */
export interface LibosAction extends HostAction {
  /** Only the handler was copied by clone or fork: flags and mask are what the heap block happened to hold (3.2 per-thread-dispositions). */
  garbage: boolean;
}

/**
 * shim_signal.pal_context: NULL, never written (append_signal with a siginfo; 3.2 append-signal-garbage-context-pointer), or a pointer
 * to the PAL_CONTEXT of the upcall that brought the signal.
 */
export type PalContext = "none" | "garbage" | "pal";

/** What a slot of signal_logs[sig] points to. */
export interface ShimSignal {
  id: number;
  info: SigInfo;
  context: PalContext;
}

/** signal_logs[sig - 1]: the slots from `head` up to `tail`, going round. */
export interface Ring {
  head: number;
  tail: number;
  /** From head to tail. */
  length: number;
  /** null: never used, fetched, or reserved and not yet written. */
  slots: (ShimSignal | null)[];
}

/** LibOS per-thread state (reference, 1.6). */
export interface LibosState {
  /** tcb.tp is set: the LibOS knows this thread. */
  ready: boolean;
  palErrno: number;
  preempt: number;
  delayed: boolean;
  syscallNr: number;
  mask: SignalSet;
  hasSignal: number;
  /** signal number -> its ring; made on first use. Number 0 stands for the memory before the first. */
  rings: Record<number, Ring>;
  actions: Record<number, LibosAction>;
  suspendOnSignal: boolean;
  /** signal_altstack: its size, and SS_DISABLE as it was given. Nobody copies it to a new thread. */
  altStack: number;
  altDisabled: boolean;
  schedulerEvent: number;
  childExitEvent: number;
  pgid: number;
  /** thread->parent: who made it, in this process; -1 for a process's first thread. */
  parent: number;
  /** How many of `children` are threads of this process that live. */
  liveThreads: number;
  exited: Exited[];
  exitCode: number;
  termSignal: number;
  /** struct clone_args, until the application's code starts; null otherwise. */
  cloned: CloneArgs | null;
  /** test_range: -1 none, else the address the fault is forwarded to (label of the probing flow). */
  probing: boolean;
}

/** struct clone_args: two events, and who asked. It lies on the creator's stack. */
export type CloneArgs = { create: number; initialize: number; parent: number };

/** An entry of async_list (reference, 2.19). */
export interface AsyncEvent {
  /** Its address, so to speak: no two of a process are the same. */
  id: number;
  callback: "alarm" | "itimer" | "io";
  caller: number;
  object: number;
  /** Microseconds; 0 makes it an entry without a time (3.4 sgx-time-query-zero). */
  install: number;
  expire: number;
  live: boolean;
}

/** Threads with tids at equal distances, from `tid` on: ended threads take no room one by one. */
export interface TidRun {
  tid: number;
  /** From one to the next; 0 as long as there is one only. */
  step: number;
  count: number;
}

/** What is on a thread's exited_children: threads it made and children it forked, in the order of their end. */
export interface Exited extends TidRun {
  /** Engine's id of a child process, -1 for threads of this one. */
  process: number;
  pgid: number;
  exitCode: number;
  termSignal: number;
}

/** A struct shim_thread with in_vm false: a forked child, as the LibOS of its parent knows it (shim_fork.c). */
export interface ShimChild {
  /** Engine's id; -1 when nothing came of the fork: the record stays. */
  process: number;
  pid: number;
  pgid: number;
  /** Thread that forked it. */
  parent: number;
  alive: boolean;
  /** On thread_list. */
  listed: boolean;
  /** Callers of wait4 that hold on to it. */
  waiters: number;
  /** exit_event. */
  exitEvent: number;
  exitCode: number;
  termSignal: number;
}

/** A message on its way to the IPC helper of a process. */
export type IpcMessage = {
  what: "event" | "kill-process" | "kill-thread" | "kill-group" | "kill-all" | "exit" | "answer" | "closed";
  /** Process id it comes from. */
  src: number;
  signal: number;
  /** si_pid of what a kill becomes. */
  sender: number;
  /** Whom it is about: a pid, pgid or tid. */
  target: number;
  /** Thread of `src` that waits for an answer, -1 nobody. */
  thread: number;
  exitCode: number;
  termSignal: number;
};

export interface IpcState {
  /** ipc_helper_state: ALIVE, NOTALIVE (told to end), HANDEDOVER (it ends the process when the last child is gone). */
  helper: "none" | "alive" | "not-alive" | "handed-over";
  /** ipc_helper_thread is still set. */
  thread: boolean;
  /** ipc_helper_event and the ports, as one object that has as many bytes as there are things to look at. */
  port: number;
  /** Children whose stream is open: IPC_PORT_KEEPALIVE. */
  children: number[];
  /** Threads that wait for an answer, and from which process. */
  waiting: { thread: number; process: number }[];
}

/** What the LibOS keeps of a process. */
export interface LibosProcess {
  /** The RPC stream to the parent, on which the child says that it has started. */
  stream: number;
  asyncList: AsyncEvent[];
  /** real_itimer of the LibOS, in microseconds. */
  realItimer: { timeout: number; reset: number };
  /** Entries made so far. */
  asyncEvents: number;
  /** thread_list: threads the LibOS takes for alive, in the order of their start. Of a death in the PAL nobody tells it (2.5, 2.9). */
  threadList: number[];
  /** Threads that have ended and are on thread_list all the same, until wait4 takes them off. */
  endedThreads: TidRun[];
  helperAlive: boolean;
  helperEvent: number;
  ipc: IpcState;
  /** Forked children on thread_list. */
  children: ShimChild[];
  /** The LibOS has a handle of the terminal for its messages. */
  ttyOpen: boolean;
  /** Highest descriptor a LibOS call has given out: its slot and those below are made. */
  highestFd: number;
  /** Objects whose descriptor the LibOS has closed in this process. */
  closedObjects: number[];
  /** LibOS futex: object -> threads that sleep on it; an entry stays. */
  futexes: Record<string, number[]>;
  /** fork was called here or in a process before: the leaders of the namespaces are known, and the user has been told of the slow way. */
  hasForked: boolean;
  /** futex_list_lock has been made. */
  futexLock: boolean;
  /** cur_process.exit_code, what the thread that ended last gave, and why it ended. */
  exiting: ProcessEnd;
  /** Somebody has called exit_group. */
  exitGroup: boolean;
  /** in_terminate: somebody is in shim_clean. */
  terminating: boolean;
}
