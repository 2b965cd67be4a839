/** What PR 1218 keeps of a thread beyond what PR 347 does. `sigpending` is its SHIM_FLAG_MAY_DELIVER_SIGNAL. */

import { copyTree } from "../../state.ts";
import type { Process as BaseProcess, LibosProcess as BaseProcessState } from "../graphene-2019/state.ts";
import type { LibosState as Base, Thread as BaseThread } from "../graphene-pr347/state.ts";
import { withOwnFields } from "../graphene-pr347/state.ts";

export interface LibosProcess extends BaseProcessState {
  /** A thread has begun to end the process for a signal (`first` of sighandler_kill). */
  killing: boolean;
}

export interface Process extends BaseProcess {
  libos: LibosProcess;
}

export interface LibosState extends Base {
  /** signal_altstack: bytes, 0 with SS_DISABLE. */
  altStack: number;
}

export interface Thread extends BaseThread {
  libos: LibosState;
}

/** Bytes of the stack that the PAL gives its host handlers. */
const PAL_ALT_STACK = 64 * 1024;

/** One literal names all fields, as in PR 347's state: copies of the state have its hidden class. */
const withAltStack = (base: Base): LibosState => ({
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
  sigpending: base.sigpending,
  regs: base.regs,
  altStack: 0,
});

/** get_new_thread copies whole actions, and no alternate stack (shim_thread.c). */
export function setUp(t: Thread, process: Process, creator: Thread | null): void {
  t.libos = withAltStack(withOwnFields(t.libos, process, creator));
  t.app.altStack = PAL_ALT_STACK;
  if (creator && !t.internal) t.libos.actions = copyTree(creator.libos.actions);
}
