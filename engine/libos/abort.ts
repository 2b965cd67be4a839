/** What the LibOS does when it finds itself wrong: an assertion that fails (shim_internal.h assert, shim_init.c __abort). */

import type { Flow } from "../flow.ts";
import { type Cpu, flow } from "../generations/graphene-2019/flow.ts";
import { endProcess } from "../host/process-state.ts";
import { SIG } from "../signals.ts";
import { WHY } from "../transition.ts";
import { LIBOS } from "./flows.ts";
import { dk, dkExit } from "./io.ts";

/**
 * The breakpoint kills on Linux, where nobody handles SIGTRAP. In the enclave it is an invalid instruction, which the PAL skips (2.4),
 * so the LibOS goes on to its own end: with the exit code of the thread that ended last, 0 when none has.
 */
function breakpoint(c: Cpu): void {
  if (c.t.sgx?.exitTarget) return;
  endProcess(c, c.process(c.t), { status: -SIG.TRAP, why: WHY.ASSERTION, signal: SIG.TRAP });
}

const abort = flow(LIBOS.__abort, "libos", "2.13", (s) => [
  dk(s, "DkStreamOpen(dev:tty)", "DkStreamOpen", () => ({ takes: 0 })),
  dk(s, 'DkStreamWrite("assert failed ...")', "DkStreamWrite (device)", () => ({ bytes: 1, takes: 0, result: 1 })),
  s.act("int3", breakpoint),
  s.act("shim_terminate()", (c) => {
    Object.assign(c.process(c.t).libos.exiting, { why: WHY.ASSERTION, signal: 0 });
  }),
  s.call("shim_clean()", LIBOS.shim_clean),
  dkExit(s, "DkThreadExit()", "DkThreadExit"),
]);

export const abortFlows: readonly Flow[] = [abort];
