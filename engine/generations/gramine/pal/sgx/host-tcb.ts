/** PAL_HOST_TCB of the running thread, as its GS finds it (gramine-today.md 1, 2; pal_tcb.h). */

import { SIG } from "../../../../signals.ts";
import { KIND } from "../../../../transition.ts";
import type { SgxCpu as Cpu } from "../../flow.ts";
import type { PalSgx } from "../../state.ts";
import { EVENT, NO_EVENT } from "../errors.ts";

/** Null where GS is not set, or points into the memory of a thread that is gone: whoever reads through it faults. */
export const hostTcb = (c: Cpu): PalSgx | null => c.m.threads[c.t.pal.sgx.gs]?.pal.sgx ?? null;

/**
 * last_async_event := event. QUIT is not written over: an INTERRUPTED beside it says nothing more. Two QUIT are one. What is
 * written over has its row behind this one.
 */
export function keepEvent(c: Cpu, { event, id }: { event: number; id: number }): void {
  const tcb = hostTcb(c);
  if (tcb === null) return;
  if (tcb.lastAsyncEvent === EVENT.QUIT) return c.row(KIND["pal.event.lost"], event, id);
  if (tcb.lastAsyncEvent !== NO_EVENT) c.stray(c.t, { signal: SIG.CONT, id: tcb.lastAsyncId }, KIND["pal.event.lost"], tcb.lastAsyncEvent);
  tcb.lastAsyncEvent = event;
  tcb.lastAsyncId = id;
  c.row(KIND["pal.event.pend"], event, id);
}
