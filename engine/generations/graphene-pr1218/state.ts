/** What PR 1218 keeps beyond what PR 347 does. `sigpending` is its SHIM_FLAG_MAY_DELIVER_SIGNAL. */

import { copyTree } from "../../state.ts";
import type { Process as BaseProcess, LibosProcess as BaseProcessState } from "../graphene-2019/state.ts";
import { type Thread, withOwnFields } from "../graphene-pr347/state.ts";

export type { Thread } from "../graphene-pr347/state.ts";

export interface LibosProcess extends BaseProcessState {
  /** A thread has begun to end the process for a signal (`first` of sighandler_kill). */
  killing: boolean;
}

export interface Process extends BaseProcess {
  libos: LibosProcess;
}

/** Bytes of the stack that the PAL gives its host handlers. */
const PAL_ALT_STACK = 64 * 1024;

/** get_new_thread copies whole actions, and no alternate stack (shim_thread.c). */
export function setUp(t: Thread, process: Process, creator: Thread | null): void {
  t.libos = withOwnFields(t.libos, process, creator);
  t.libos.altDisabled = true;
  t.app.altStack = PAL_ALT_STACK;
  if (creator && !t.internal) t.libos.actions = copyTree(creator.libos.actions);
}
