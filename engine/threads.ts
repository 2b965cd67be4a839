/** Making threads and processes: fields and first frames, nothing of their behaviour. */

import type { Cpu } from "./cpu.ts";
import { retarget } from "./host/generate.ts";
import { wakeWaiters } from "./host/sleep.ts";
import { emptySet } from "./signals.ts";
import { type Frame, HOST, type Process, SGX1, type SgxState, setAt, type Thread, type Word } from "./state.ts";
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
  faultAddress: 0,
  aexNotify: false,
  kind: SGX1,
});

export interface NewThread<T = Thread> {
  readonly process: Process;
  readonly name: string;
  readonly internal: boolean;
  readonly program: string;
  /** Frames it starts with, outermost first. */
  readonly frames: Frame[];
  /** Whose mask, dispositions and clock it starts with; null for the first thread. */
  readonly creator: T | null;
  /** It is the host thread of one that goes on elsewhere, with its tid; no thread of the application's. Null: a new one. */
  readonly leftBy?: Thread | null;
  /** What the creator gives it on its way, for the stack's own part. */
  readonly cloned?: Word;
}

export function newThread<T extends Thread, P extends Process>(c: Cpu<T, P>, given: NewThread<T>): T {
  const { process, name, internal, program, frames, creator, cloned = null, leftBy = null } = given;
  const id = c.m.threads.length;
  if (internal) process.internalThreads += 1;
  const tid = leftBy?.tid ?? (internal ? INTERNAL_TID_BASE + process.internalThreads : c.m.nextPid++);
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
    mail: null,
    wait: null,
    queued: -1,
    cause: 0,
    sgx: c.wiring.stack.enclave ? newSgx() : null,
    pal: null,
    libos: null,
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
  // Its own part is what the stack fills in.
  c.wiring.stack.state.newThread(c, made as T, creator, cloned);
  c.m.threads.push(made as T);
  const t = c.thread(id);
  c.m.live.push(id);
  c.rouse(id);
  process.threads.push(id);
  c.threads.push({ name: t.name, pid: process.pid, tid, internal: internal || leftBy !== null });
  c.dirty = true;
  return t;
}

export function newProcess<T extends Thread, P extends Process>(c: Cpu<T, P>, name: string, parent: P | null): P {
  const made: Process = {
    id: c.m.processes.length,
    pid: c.m.nextPid,
    name: c.newName("process", name),
    parent: parent?.id ?? -1,
    alive: true,
    end: { status: 0, why: WHY.EXIT, signal: 0 },
    reaped: false,
    stopped: false,
    threads: [],
    hostActions: {},
    hostPending: [],
    currTarget: -1,
    news: 0,
    seccomp: parent?.seccomp ?? false,
    pgid: parent?.pgid ?? c.m.nextPid,
    sid: parent?.sid ?? c.m.nextPid,
    timers: [],
    cpuTimers: { virtual: { left: 0, interval: 0 }, prof: { left: 0, interval: 0 } },
    timer: NEVER,
    timerInterval: 0,
    internalThreads: 0,
    vforkDone: -1,
    dummy: false,
    flags: parent ? [...parent.flags] : [],
    pal: null,
    libos: null,
  };
  c.wiring.stack.state.newProcess(c, made as P, parent);
  c.m.processes.push(made as P);
  c.m.known.push(made.id);
  return c.m.processes[made.id] as P;
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
  c.wiring.stack.state.endThread(c, t);
  c.dirty = true;
  retarget(c, p);
  if (p.threads.length === 0) forgetProcess(c, p);
}

/** Give the memory of a process back once it has ended and was reaped, or nobody will reap it. */
export function forgetProcess(c: Cpu, p: Process): void {
  const parent = c.m.processes[p.parent];
  if (c.m.processes[p.id] === null || p.threads.length > 0 || (!p.reaped && parent?.alive)) return;
  for (const child of c.processes()) if (child.parent === p.id) forgetProcess(c, child);
  c.wiring.stack.state.forgetProcess(c, p);
  setAt(c.m.processes, p.id, null);
  c.m.known.splice(c.m.known.indexOf(p.id), 1);
}
