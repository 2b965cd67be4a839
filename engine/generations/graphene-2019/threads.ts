/** First values of what this generation keeps of threads and processes, and what is given back with them. */

import { streamsClosed } from "../../libos/ipc.ts";
import { threadLock } from "../../libos/names.ts";
import { dropLock } from "../../pal/locks.ts";
import { emptySet } from "../../signals.ts";
import type { OwnState } from "../../stack/stack.ts";
import { copyTree } from "../../state.ts";
import { WHY } from "../../transition.ts";
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

export const grapheneState: OwnState<Thread, Process> = {
  newThread(c, t, creator, cloned) {
    const pgid = creator?.libos.pgid ?? c.process(t).pid;
    t.pal = newPal();
    t.libos = newLibos(c.newObject("scheduler_event"), c.newObject("child_exit_event"), pgid, cloned as CloneArgs | null);
    if (creator && !t.internal) inherit(t, creator);
  },
  endThread(c, t) {
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
