/** What Gramine keeps of threads and processes beyond the machine's part (gramine-today.md 1): plain data, part of the machine's state. */

import type { SigInfo } from "../../siginfo.ts";
import type { SignalSet } from "../../signals.ts";
import type { HostAction, Locals, Process as MachineProcess, Thread as MachineThread } from "../../state.ts";
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
  pal: PalState & { sgx: PalSgx };
}

export interface SgxProcess extends Process {
  pal: PalProcess & { sgx: PalProcessSgx };
}

/** What the PAL keeps of a thread. */
export interface PalState {
  /** ns that the last wait with a time-out left: what the PAL writes back through its argument. */
  timeLeft: number;
  /** The word that PalThreadExit was given is 0: nothing of the thread is in use any more. */
  exited: boolean;
  /** Of the SGX PAL; null on the Linux PAL. */
  sgx: PalSgx | null;
}

/** PAL_HOST_TCB, outside the enclave, and pal_enclave_tcb inside (gramine-today.md 1; pal_tcb.h). */
export interface PalSgx {
  /** GS outside the enclave: the thread whose PAL_HOST_TCB it points to, -1: not set. A new host thread has its creator's. */
  gs: number;
  /** 0, QUIT or INTERRUPTED: what came while the thread was outside, and the id of its signal. */
  lastAsyncEvent: number;
  lastAsyncId: number;
  /** Number of the thread's TCS; -1: none. */
  tcs: number;
  threadStarted: boolean;
  readyForExceptions: boolean;
  ocallExitCalled: boolean;
  /** How deep the enclave's stack was when the ocall left; -1 stands for NULL. */
  preOcallStack: number;
  /** Of AEX-Notify (gramine-today.md 13). A fault that is still to be told to the enclave, and its signal; whether the thread is in AEX code. */
  lastSyncEvent: number;
  lastSyncId: number;
  inAex: boolean;
  readyForAexNotify: boolean;
  stoppingAexNotify: boolean;
}

/** What the PAL keeps of a process. */
export interface PalProcess {
  /** PAL's table of upcalls: event -> registered. */
  upcalls: Record<number, boolean>;
  /** Of the SGX PAL; null on the Linux PAL. */
  sgx: PalProcessSgx | null;
}

/** What the SGX PAL keeps of a process (host_thread.c, pal_misc.c). */
export interface PalProcessSgx {
  /** g_enclave_thread_map: TCS -> the thread that is mapped to it, -1 free. The first free one is taken. */
  tcsMap: number[];
  /** The TCS in the PAL's handle of a thread, which stays when the thread is gone. */
  handles: Record<number, number>;
  /** Virtual ns at which the pair of TSC and time was taken from the host; -1: not yet. */
  tscBase: number;
  /** pipe.lock of the PAL's handle: object -> the thread that has it; absent: nobody. */
  pipeLocks: Record<number, number>;
  /** Bytes of a TLS record that was built for an object and not sent yet. */
  records: Record<number, number>;
  /** Without exitless ocalls there is no thread and no request. */
  rpc: Rpc;
}

/** rpc_queue_t, and the requests on the untrusted stacks. */
export interface Rpc {
  threads: number[];
  /** Requests that no RPC thread has taken. */
  queue: number[];
  requests: Record<number, RpcRequest>;
}

export interface RpcRequest {
  /** Who asks. */
  thread: number;
  /** Flow of the untrusted function, of the host call that it makes, and that call's arguments. */
  code: number;
  asked: number;
  args: Locals;
  /** What the bytes say that it writes (`mail` of a thread). */
  mail: MachineThread["mail"];
  /** 0 unlocked: it is done. 1 locked. 2 locked, and the asker waits in the kernel. */
  lock: number;
  result: number;
  /** The asker has given it up. */
  given: boolean;
  /** Object of the kernel's futex. */
  word: number;
}

/** A signal in a queue. */
export interface Queued {
  signal: number;
  id: number;
  info: SigInfo;
}

/**
 * struct libos_signal_queue: a standard signal has one slot, a real-time one a ring of 32. Here one list for both, in the order of arrival;
 * who takes one takes the lowest number.
 */
export type SignalQueue = Queued[];

/** struct libos_thread and its TCB. */
export interface LibosState {
  /** tcb.tp is set: an upcall knows this thread. */
  ready: boolean;
  mask: SignalSet;
  /** saved_sigmask, with has_saved_sigmask: the mask that comes back after a call that has lent one. */
  savedMask: SignalSet | null;
  queue: SignalQueue;
  /** forced_signal: a fault of the thread's own, which goes before all others. */
  forced: Queued | null;
  /** signal_altstack: bytes, 0 with SS_DISABLE. */
  altStack: number;
  /** Its memory was the program's before execve, which has freed it (B14). */
  altFreed: boolean;
  /** The alternate stack of the thread that forked it, which no checkpoint has (B13). */
  creatorsAltStack: number;
  /** PAL event on which the thread sleeps in the LibOS, and which wakes it; it clears itself. */
  schedulerEvent: number;
  /** Object that epoll waits of the thread look at beside their own. */
  pollableEvent: number;
  timeToDie: boolean;
  /** qnode.in_use of a thread in wait4. */
  waiting: boolean;
  /** What its creator gave it; null once it has started. */
  cloned: CloneArgs | null;
  /** tcb.context.syscall_nr; -1: not in a system call. */
  syscallNr: number;
}

/** What the creator of a thread hands to it: PAL events, and itself. */
export type CloneArgs = { create: number; initialize: number; parent: number };

/** An entry of async_list. */
export interface AsyncEvent {
  callback: "alarm" | "itimer" | "cleanup" | "io";
  /** Microseconds; 0: it has no time. */
  expire: number;
  /** Of an IO event: the object. */
  object: number;
  /** Of a cleanup: the thread, and the word with its tid, -1 nobody has joined it. */
  thread: number;
  word: number;
}

/** The worker for timers and ends of threads. */
export interface AsyncWorker {
  /** Engine's id of the thread, -1 before it is made. */
  thread: number;
  list: AsyncEvent[];
  /** async_worker_shutdown. */
  shutdown: boolean;
  /** install_new_event: a pipe that wakes it. */
  pipe: number;
}

/** struct libos_child_process. */
export interface Child {
  /** Engine's id of the process. */
  process: number;
  pid: number;
  exitCode: number;
  termSignal: number;
}

/** A message of one process to another. */
export type IpcMessage = {
  what: "kill-process" | "kill-thread" | "kill-all" | "clear-locks" | "release-id" | "child-exit" | "response" | "disconnected" | "exit";
  /** Engine's id of the sender. */
  src: number;
  /** si_pid of what a kill becomes. */
  sender: number;
  signal: number;
  /** Id of the signal, to follow it. */
  id: number;
  /** Name of a thread that is meant. */
  name: string;
  /** Thread of `src` that waits for an answer; -1 nobody. */
  thread: number;
  /** The answer; or the exit code and signal of a child. */
  ret: number;
  termSignal: number;
};

/** A thread that waits for an answer. */
export interface IpcWaiter {
  thread: number;
  dest: number;
  event: number;
  /** null: none has come, and none will when the event is set. */
  ret: number | null;
}

export interface Ipc {
  /** Engine's id of the worker thread, -1 before it is made. */
  thread: number;
  /** Its handles, as one object that has as many bytes as there are messages. */
  port: number;
  waiters: IpcWaiter[];
}

/** Disposition of a process; absent from the table: never set. `flow` -1 ignore, -2 default. */
export type LibosAction = HostAction;

export const SIG_IGN = -1;
export const SIG_DFL = -2;

/** g_host_injected_signal. */
export const NOT_INJECTED = 0;
export const INJECTED_AND_TAKEN = -1;

/** What the LibOS keeps of a process. */
export interface LibosProcess {
  /** Dispositions, which all threads share. */
  actions: Record<number, LibosAction>;
  queue: SignalQueue;
  /** 0: none; 15: a SIGTERM of the host waits for a thread; -1: it was taken, and no other will ever be. */
  injected: number;
  /** Id of the host's signal that it stands for. */
  injectedId: number;
  /** LibOS lock name -> the thread that owns it; absent: nobody. Only told, as in the code: whoever unlocks does not look at it. */
  owners: Record<string, number>;
  /** LibOS lock name -> its PAL event, level 1 when the lock is free; made on first use. */
  lockObjects: Record<string, number>;
  /** futex: word -> threads that are queued on it; an entry stays. */
  futexes: Record<string, number[]>;
  /** g_thread_list, in the order of tids. */
  threadList: number[];
  async: AsyncWorker;
  /** g_real_itimer, in microseconds. */
  realItimer: { timeout: number; reset: number };
  ipc: Ipc;
  children: Child[];
  zombies: Child[];
  /** g_process.wait_queue: threads in wait4, the last one first. */
  waitQueue: number[];
  /** Streams of the process's creation: from the child to its parent, and back. */
  streams: { up: number; down: number };
  /** process_exit was called: FIRST_TIME is over. */
  exiting: boolean;
  /** A thread is in the part of execve that ends all others; one that comes there now ends itself (`first` in libos_exec.c). */
  execing: boolean;
}
