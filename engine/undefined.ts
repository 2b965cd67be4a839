/** Where C and the hardware promise nothing. */

import type { Cpu } from "./cpu.ts";
import { endProcess } from "./host/process-state.ts";
import { SIG } from "./signals.ts";
import type { Thread } from "./state.ts";
import { KIND, WHY } from "./transition.ts";

/** Control flow goes where nothing is: real hardware would run garbage. The emulation ends the process, and says so. */
export function undefinedBehaviour(c: Cpu, t: Thread, why: string): void {
  c.kind = KIND.undefined;
  c.detail = c.text(why);
  endProcess(c, c.process(t), { status: -SIG.SEGV, why: WHY.UNDEFINED, signal: SIG.SEGV });
}
