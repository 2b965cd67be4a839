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

/** What the new fields of a thread start with. vfork's child goes on in the midst of its parent's call. */
export const added = (t: { process: Process; creator: Thread | null }): Pick<LibosState, "sigpending" | "regs"> => ({
  sigpending: false,
  regs: t.process.dummy && t.creator?.libos.regs === true,
});
