/** What PR 347 keeps of a thread beyond what Graphene of 2019 does. */

import type { LibosState as Base, Thread as BaseThread, Process } from "../graphene-2019/state.ts";

export type { Process } from "../graphene-2019/state.ts";

export interface LibosState extends Base {
  /** tcb.flags, SHIM_FLAG_SIGPENDING. */
  sigpending: boolean;
  /** tcb.context.regs is not NULL: the stub has saved the registers of the call that runs. */
  regs: boolean;
}

export interface Thread extends BaseThread {
  libos: LibosState;
}

/**
 * A thread's part of Graphene of 2019 with the new fields. One literal names them all: a copy of the state is made by one, too, and has its
 * hidden class. vfork's child goes on in the midst of its parent's call.
 */
export const withOwnFields = (base: Base, process: Process, creator: Thread | null): LibosState => ({
  ready: base.ready,
  palErrno: base.palErrno,
  preempt: base.preempt,
  delayed: base.delayed,
  syscallNr: base.syscallNr,
  mask: base.mask,
  hasSignal: base.hasSignal,
  rings: base.rings,
  actions: base.actions,
  suspendOnSignal: base.suspendOnSignal,
  altStack: base.altStack,
  altDisabled: base.altDisabled,
  schedulerEvent: base.schedulerEvent,
  childExitEvent: base.childExitEvent,
  pgid: base.pgid,
  parent: base.parent,
  liveThreads: base.liveThreads,
  exited: base.exited,
  exitCode: base.exitCode,
  termSignal: base.termSignal,
  cloned: base.cloned,
  probing: base.probing,
  sigpending: false,
  regs: process.dummy && creator?.libos.regs === true,
});
