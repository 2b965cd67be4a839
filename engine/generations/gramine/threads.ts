/** First values of what this generation keeps of threads and processes, and what is given back with them. */

import { emptySet } from "../../signals.ts";
import type { OwnState } from "../../stack/stack.ts";
import { copyTree } from "../../state.ts";
import { disconnected } from "./libos/ipc.ts";
import { dropLock } from "./libos/lock.ts";
import { threadLock } from "./libos/names.ts";
import type { CloneArgs, PalProcessSgx, PalSgx, Process, Thread } from "./state.ts";

/** A host thread starts with the GS of its creator in the same process (window b of section 2). */
const newPalSgx = (gs: number): PalSgx => ({
  gs,
  lastAsyncEvent: 0,
  lastAsyncId: 0,
  tcs: -1,
  threadStarted: false,
  readyForExceptions: false,
  ocallExitCalled: false,
  preOcallStack: -1,
  lastSyncEvent: 0,
  lastSyncId: 0,
  inAex: false,
  readyForAexNotify: false,
  stoppingAexNotify: false,
});

const newProcessSgx = (): PalProcessSgx => ({
  tcsMap: [],
  handles: {},
  tscBase: -1,
  pipeLocks: {},
  records: {},
  rpc: { threads: [], queue: [], requests: {} },
});

/** clone and fork: the mask is the creator's; pending signals, forced signal and alternate stack are not (7.5, 7.6; B13 of fork). */
export const gramineState: OwnState<Thread, Process> = {
  newThread(c, t, creator, cloned) {
    t.pal = {
      timeLeft: 0,
      exited: false,
      sgx: c.wiring.stack.enclave ? newPalSgx(creator?.process === t.process ? (creator.pal.sgx?.gs ?? -1) : -1) : null,
    };
    t.libos = {
      ready: false,
      mask: creator === null || t.internal ? emptySet() : creator.libos.mask,
      savedMask: null,
      queue: [],
      forced: null,
      altStack: 0,
      altFreed: false,
      creatorsAltStack: creator !== null && creator.process !== t.process ? creator.libos.altStack : 0,
      waiting: false,
      cloned: cloned as CloneArgs | null,
      schedulerEvent: c.newObject("scheduler_event"),
      pollableEvent: c.newObject("pollable_event"),
      timeToDie: false,
      syscallNr: -1,
    };
  },
  endThread(c, t) {
    c.freeObject(t.libos.schedulerEvent);
    c.freeObject(t.libos.pollableEvent);
    dropLock(c, c.process(t), threadLock(t));
  },
  newProcess(c, p, parent) {
    p.pal = { upcalls: {}, sgx: c.wiring.stack.enclave ? newProcessSgx() : null };
    p.libos = {
      actions: parent === null ? {} : copyTree(parent.libos.actions),
      queue: [],
      injected: 0,
      injectedId: 0,
      owners: {},
      lockObjects: {},
      futexes: {},
      threadList: [],
      async: { thread: -1, list: [], shutdown: false, pipe: c.newObject("install_new_event") },
      realItimer: { timeout: 0, reset: 0 },
      ipc: { thread: -1, port: c.newObject("ipc handles"), waiters: [] },
      children: [],
      zombies: [],
      waitQueue: [],
      streams: { up: c.newObject("process stream to the parent"), down: c.newObject("process stream to the child") },
      exiting: false,
      execing: false,
    };
  },
  processEnded: disconnected,
  forgetProcess(c, p) {
    const { async, ipc, streams, lockObjects } = p.libos;
    for (const object of [async.pipe, ipc.port, streams.up, streams.down, ...Object.values(lockObjects)]) c.freeObject(object);
  },
};
