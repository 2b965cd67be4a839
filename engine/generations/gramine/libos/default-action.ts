/** default_sighandler: what becomes of a signal without a handler (gramine-today.md 5; libos_signal.c). */

import { SIG } from "../../../signals.ts";
import type { Cpu } from "../flow.ts";
import { SIG_DFL, SIG_IGN } from "../state.ts";

/** Default actions that do nothing, beside those of all real-time signals, whose table entries are empty (B20). */
const NOTHING: ReadonlySet<number> = new Set([SIG.CHLD, SIG.CONT, SIG.STOP, SIG.TSTP, SIG.TTIN, SIG.TTOU, SIG.URG, SIG.WINCH]);
const XCPU = 24;
const XFSZ = 25;

/** Those with a core dump: __WCOREDUMP_BIT in the status of the process. */
export const CORE: ReadonlySet<number> = new Set([SIG.QUIT, SIG.ILL, SIG.TRAP, SIG.ABRT, SIG.BUS, SIG.FPE, SIG.SEGV, XCPU, XFSZ, SIG.SYS]);
export const CORE_DUMP = 0x80;

/** The signal ends the process. `realTime`: one of those does, too. */
export const kills = (signal: number, realTime = false): boolean => (signal > SIG.SYS ? realTime : !NOTHING.has(signal));

/** By choice or by default. */
export function isIgnored(c: Cpu, signal: number): boolean {
  const flow = c.process(c.t).libos.actions[signal]?.flow ?? SIG_DFL;
  return flow === SIG_IGN || (flow === SIG_DFL && !kills(signal));
}
