/** PAL_HOST_TCB of the running thread, as its GS finds it (gramine-today.md 1, 2; pal_tcb.h). */

import type { SgxCpu as Cpu } from "../../flow.ts";
import type { PalSgx } from "../../state.ts";

/** Null where GS is not set, or points into the memory of a thread that is gone: whoever reads through it faults. */
export const hostTcb = (c: Cpu): PalSgx | null => c.m.threads[c.t.pal.sgx.gs]?.pal.sgx ?? null;
