/** First values of what this generation keeps of threads and processes, and what is given back with them. */

import { streamsClosed } from "../../libos/ipc.ts";
import { threadLock } from "../../libos/names.ts";
import { dropLock } from "../../pal/locks.ts";
import { emptySet } from "../../signals.ts";
import type { OwnState } from "../../stack/stack.ts";
import { copyTree } from "../../state.ts";
import { KIND, WHY } from "../../transition.ts";
import type { Cpu } from "./flow.ts";
import { type CloneArgs, type IpcState, type LibosState, newPal, type Process, type Thread } from "./state.ts";

const newLibos = (schedulerEvent: number, childExitEvent: number, pgid: number, cloned: CloneArgs | null): LibosState => ({
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
  altStack: 0,
  altDisabled: false,
  schedulerEvent,
  childExitEvent,
  pgid,
  parent: -1,
  liveThreads: 0,
  exited: [],
  exitCode: 0,
  termSignal: 0,
  cloned,
  probing: false,
});

const noIpc = (port: number): IpcState => ({ helper: "none", thread: false, port, children: [], waiting: [] });

/**
 * get_new_thread copies 8 bytes of each action, for clone and for fork: the handler is right, flags and mask
 * are what the new heap block holds (3.2 per-thread-dispositions; shim_thread.c:208). Here that is a fresh block, all zero: no
 * SA_RESETHAND, whatever the creator had.
 */
function inherit(t: Thread, creator: Thread): void {
  t.libos.mask = creator.libos.mask;
  t.libos.actions = copyTree(creator.libos.actions);
  for (const action of Object.values(t.libos.actions)) Object.assign(action, { flags: 0, mask: emptySet(), garbage: true });
}

/** The thread that went on in a new process, and of whose host thread in the old one `left` is what is there (libos/exec.ts). */
const heirOf = (c: Cpu, left: Thread): Thread | undefined =>
  left.internal ? undefined : c.m.live.map((id) => c.thread(id)).find((t) => t.tid === left.tid && t.id < left.id);

/** What still waits for a thread that execve left behind goes with it. That the other one has its name makes no difference. */
function goUnheard(c: Cpu, t: Thread): void {
  const waiting = Object.entries(t.libos.rings).flatMap(([signal, { slots }]) =>
    slots.flatMap((slot) => (slot === null ? [] : [{ signal: Number(signal), id: slot.id }])),
  );
  if (waiting.length === 0 && t.hostPending.length === 0) return;
  const heir = heirOf(c, t);
  for (const one of t.hostPending) c.stray(heir, one, KIND["host.signal.discard"], TARGET_GONE);
  for (const one of waiting) c.stray(heir, one, KIND["libos.signal.lost"], NOT_ALIVE);
}

/** `value` of host.signal.discard, and of libos.signal.lost. */
const TARGET_GONE = 2;
const NOT_ALIVE = 3;

export const grapheneState: OwnState<Thread, Process> = {
  newThread(c, t, creator, cloned) {
    const pgid = creator?.libos.pgid ?? c.process(t).pid;
    t.pal = newPal();
    t.libos = newLibos(c.newObject("scheduler_event"), c.newObject("child_exit_event"), pgid, cloned as CloneArgs | null);
    if (creator && !t.internal) inherit(t, creator);
  },
  endThread(c, t) {
    goUnheard(c, t);
    c.freeObject(t.libos.schedulerEvent);
    c.freeObject(t.libos.childExitEvent);
    dropLock(c, c.process(t), threadLock(t));
  },
  newProcess(c, p, parent) {
    p.pal = { locks: {}, lockObjects: {}, upcalls: {} };
    p.libos = {
      stream: c.newObject("process stream"),
      asyncList: [],
      realItimer: { timeout: 0, reset: 0 },
      asyncEvents: 0,
      threadList: [],
      endedThreads: [],
      helperAlive: false,
      helperEvent: c.newObject("async_helper_event"),
      ipc: noIpc(c.newObject("ipc port")),
      children: [],
      ttyOpen: false,
      highestFd: parent?.libos.highestFd ?? 2,
      closedObjects: [...(parent?.libos.closedObjects ?? [])],
      futexes: {},
      futexLock: false,
      hasForked: parent !== null,
      exiting: { status: 0, why: WHY.EXIT, signal: 0 },
      exitGroup: false,
      terminating: false,
    };
  },
  processEnded: streamsClosed,
  forgetProcess(c, p) {
    const { helperEvent, ipc, stream, children } = p.libos;
    for (const object of [helperEvent, ipc.port, stream, ...children.map((child) => child.exitEvent), ...Object.values(p.pal.lockObjects)])
      c.freeObject(object);
  },
};
