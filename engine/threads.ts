/** Making threads and processes: fields and first frames, nothing of their behaviour. */

import type { Cpu } from "./cpu.ts";
import { retarget } from "./host/generate.ts";
import { wakeWaiters } from "./host/sleep.ts";
import { threadLock } from "./libos/names.ts";
import { emptySet } from "./signals.ts";
import { copyTree, type Frame, HOST, type IpcState, type LibosState, type Process, type SgxState, setAt, type Thread } from "./state.ts";
import { NEVER } from "./time.ts";
import { WHY } from "./transition.ts";

/** First thread ids as Graphene gives them; internal threads live above (INTERNAL_TID_BASE, reference 1.1). */
const INTERNAL_TID_BASE = 0x8000_0000;

export const newSgx = (): SgxState => ({
  mapped: false,
  inside: 0,
  cssa: 0,
  ssa: [null, null],
  exitTarget: false,
  ocallStack: HOST,
  ocallDepth: -1,
  ustackTop: 0,
  faultVector: -1,
  faultOpcode: "",
});

const newLibos = (schedulerEvent: number, childExitEvent: number, pgid: number): LibosState => ({
  ready: false,
  palErrno: 0,
  preempt: 0,
  delayed: false,
  syscallNr: 0,
  mask: emptySet(),
  hasSignal: 0,
  rings: {},
  actions: {},
  suspendOnSignal: false,
  schedulerEvent,
  childExitEvent,
  pgid,
  parent: -1,
  liveThreads: 0,
  exited: [],
  exitCode: 0,
  termSignal: 0,
  probing: false,
});

const noIpc = (port: number): IpcState => ({ helper: "none", thread: false, port, queue: [], children: [], waiting: [] });

export interface NewThread {
  readonly process: Process;
  readonly name: string;
  readonly internal: boolean;
  readonly program: string;
  /** Frames it starts with, outermost first. */
  readonly frames: Frame[];
  /** Whose mask, dispositions and clock it starts with; null for the first thread. */
  readonly creator: Thread | null;
  readonly cloned?: Thread["cloned"];
}

export function newThread(c: Cpu, { process, name, internal, program, frames, creator, cloned = null }: NewThread): Thread {
  const id = c.m.threads.length;
  if (internal) process.internalThreads += 1;
  const tid = internal ? INTERNAL_TID_BASE + process.internalThreads : c.m.nextPid++;
  const made: Thread = {
    id,
    process: process.id,
    tid,
    name: c.newName("thread", name),
    internal,
    program,
    state: "run",
    time: c.now,
    host: frames,
    enclave: [],
    stack: HOST,
    rax: 0,
    rdi: 0,
    rsi: 0,
    rdx: "",
    eventSignalId: 0,
    hostMask: creator?.hostMask ?? emptySet(),
    savedMask: null,
    realBlocked: null,
    hostPending: [],
    signalFrames: 0,
    check: process.hostPending.length > 0,
    dying: false,
    tidWord: NO_WORD,
    startPc: 0,
    cloned,
    mail: null,
    wait: null,
    queued: -1,
    cause: 0,
    sgx: newSgx(),
    pal: { pendingEvent: 0, pendingId: 0, queue: [], slabLocked: false },
    libos: newLibos(c.newObject("scheduler_event"), c.newObject("child_exit_event"), creator?.libos.pgid ?? process.pid),
    app: {
      calls: 0,
      handlers: {},
      runs: {},
      armed: [],
      inHandler: 0,
      places: {},
      vectors: 0,
      // A forked process keeps it, a thread of the same memory does not (copy_process in kernel/fork.c).
      altStack: creator !== null && creator.process !== process.id ? creator.app.altStack : 0,
      stackFull: false,
      computing: 0,
      pinned: [],
    },
  };
  if (creator && !internal) inherit(made, creator);
  c.m.threads.push(made);
  const t = c.thread(id);
  c.m.live.push(id);
  c.rouse(id);
  process.threads.push(id);
  c.threads.push({ name: t.name, pid: process.pid, tid, internal });
  c.dirty = true;
  return t;
}

/**
 * LibOS part of a new thread. get_new_thread copies 8 bytes of each action, for clone and for fork: the handler is right, flags and mask
 * are what the new heap block holds (3.2 per-thread-dispositions; shim_thread.c:208). Here that is a fresh block, all zero: no
 * SA_RESETHAND, whatever the creator had.
 */
function inherit(t: Thread, creator: Thread): void {
  t.libos.mask = creator.libos.mask;
  t.libos.actions = copyTree(creator.libos.actions);
  for (const action of Object.values(t.libos.actions)) Object.assign(action, { flags: 0, mask: emptySet(), garbage: true });
}

export function newProcess(c: Cpu, name: string, parent: Process | null): Process {
  const made: Process = {
    id: c.m.processes.length,
    pid: c.m.nextPid,
    name: c.newName("process", name),
    parent: parent?.id ?? -1,
    stream: c.newObject("process stream"),
    alive: true,
    end: { status: 0, why: WHY.EXIT, signal: 0 },
    reaped: false,
    stopped: false,
    threads: [],
    hostActions: {},
    hostPending: [],
    currTarget: -1,
    news: 0,
    pgid: parent?.pgid ?? c.m.nextPid,
    sid: parent?.sid ?? c.m.nextPid,
    timers: [],
    cpuTimers: { virtual: { left: 0, interval: 0 }, prof: { left: 0, interval: 0 } },
    timer: NEVER,
    timerInterval: 0,
    locks: {},
    lockObjects: {},
    upcalls: {},
    asyncList: [],
    realItimer: { timeout: 0, reset: 0 },
    asyncEvents: 0,
    threadList: [],
    endedThreads: [],
    helperAlive: false,
    helperEvent: c.newObject("async_helper_event"),
    internalThreads: 0,
    ipc: noIpc(c.newObject("ipc port")),
    children: [],
    ttyOpen: false,
    highestFd: parent?.highestFd ?? 2,
    closedObjects: [...(parent?.closedObjects ?? [])],
    futexes: {},
    futexLock: false,
    hasForked: parent !== null,
    vforkDone: -1,
    dummy: false,
    exiting: { status: 0, why: WHY.EXIT, signal: 0 },
    flags: parent ? [...parent.flags] : [],
    exitGroup: false,
    terminating: false,
  };
  c.m.processes.push(made);
  c.m.known.push(made.id);
  return c.m.processes[made.id] as Process;
}

const NO_WORD = -1;
const CLEARED = -2;

/** A thread that clone made has a word with its tid; a process's first thread is taken to have none. */
export const hasTidWord = (c: Cpu, t: Thread): boolean => t.tid !== c.process(t).pid && t.tidWord !== CLEARED;

/** The word in which a thread keeps its tid, for one that joins it; -1 when there is none any more. */
export function tidWord(c: Cpu, t: Thread): number {
  if (t.tidWord === NO_WORD) t.tidWord = c.newObject(`tid of ${t.name}`, 1);
  return Math.max(t.tidWord, NO_WORD);
}

/** 0 into the word with the thread's tid. Returns the word, -1 when nobody has joined the thread. */
export function clearTid(c: Cpu, t: Thread): number {
  const word = Math.max(t.tidWord, NO_WORD);
  const object = c.m.objects[word];
  if (object) object.level = 0;
  t.tidWord = CLEARED;
  return word;
}

/** The thread is gone: it takes no step any more, and its memory is given back. */
export function endThread(c: Cpu, t: Thread): void {
  const p = c.process(t);
  // mm_release in kernel/fork.c: one is woken. Below a LibOS the host knows nothing of the word.
  const word = c.wiring.native ? clearTid(c, t) : NO_WORD;
  if (word >= 0) wakeWaiters(c, word, 1);
  t.state = "dead";
  c.m.live.splice(c.m.live.indexOf(t.id), 1);
  p.threads.splice(p.threads.indexOf(t.id), 1);
  setAt(c.m.threads, t.id, null);
  c.freeObject(t.libos.schedulerEvent);
  c.freeObject(t.libos.childExitEvent);
  c.dirty = true;
  retarget(c, p);
  dropLock(c, p, threadLock(t));
  if (p.threads.length === 0) forgetProcess(c, p);
}

/** With more threads than this, looking through their stacks costs more than the memory is worth. */
const MANY_THREADS = 64;

/**
 * A lock that goes with its owner, a thread or the record of a child: its mutex is given back, unless somebody has the lock or is on its
 * way to it.
 */
export function dropLock(c: Cpu, p: Process, name: string): void {
  const id = p.lockObjects[name];
  if (id === undefined || p.locks[name] !== undefined || p.threads.length > MANY_THREADS) return;
  if (c.threadsOf(p).some((t) => [...t.host, ...t.enclave].some((frame) => frame.v.name === name))) return;
  delete p.lockObjects[name];
  c.freeObject(id);
}

/** Give the memory of a process back once it has ended and was reaped, or nobody will reap it. */
export function forgetProcess(c: Cpu, p: Process): void {
  const parent = c.m.processes[p.parent];
  if (c.m.processes[p.id] === null || p.threads.length > 0 || (!p.reaped && parent?.alive)) return;
  for (const child of c.processes()) if (child.parent === p.id) forgetProcess(c, child);
  for (const object of [
    p.helperEvent,
    p.ipc.port,
    p.stream,
    ...p.children.map((child) => child.exitEvent),
    ...Object.values(p.lockObjects),
  ])
    c.freeObject(object);
  setAt(c.m.processes, p.id, null);
  c.m.known.splice(c.m.known.indexOf(p.id), 1);
}
