/** First values of what this generation keeps of threads and processes, and what is given back with them. */

import { emptySet } from "../../signals.ts";
import type { OwnState } from "../../stack/stack.ts";
import { copyTree } from "../../state.ts";
import type { Process, Thread } from "./state.ts";

/** clone and fork: the mask is the creator's; pending signals, forced signal and alternate stack are not (7.5, 7.6; B13 of fork). */
export const gramineState: OwnState<Thread, Process> = {
  newThread(c, t, creator) {
    t.pal = { timeLeft: 0 };
    t.libos = {
      ready: false,
      mask: creator === null || t.internal ? emptySet() : creator.libos.mask,
      savedMask: null,
      queue: [],
      forced: null,
      altStack: 0,
      schedulerEvent: c.newObject("scheduler_event"),
      pollableEvent: c.newObject("pollable_event"),
      timeToDie: false,
      syscallNr: -1,
    };
  },
  endThread(c, t) {
    c.freeObject(t.libos.schedulerEvent);
    c.freeObject(t.libos.pollableEvent);
  },
  newProcess(_, p, parent) {
    p.pal = { upcalls: {} };
    p.libos = {
      actions: parent === null ? {} : copyTree(parent.libos.actions),
      queue: [],
      injected: 0,
      injectedId: 0,
      owners: {},
      lockObjects: {},
      futexes: {},
      threadList: [],
      exiting: false,
    };
  },
  processEnded() {},
  forgetProcess(c, p) {
    for (const object of Object.values(p.libos.lockObjects)) c.freeObject(object);
  },
};
