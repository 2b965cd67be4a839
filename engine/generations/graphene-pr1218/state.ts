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

/** get_new_thread copies whole actions, and no alternate stack (shim_thread.c). */
export function setUp(t: Thread, process: Process, creator: Thread | null): void {
  t.libos = { ...withOwnFields(t.libos, process, creator), altStack: 0 };
  t.app.altStack = PAL_ALT_STACK;
  if (creator && !t.internal) t.libos.actions = copyTree(creator.libos.actions);
}
