/** Whether a lock that goes with its owner, a thread or the record of a child, may be given back. */

import type { Cpu } from "./cpu.ts";
import type { Process } from "./state.ts";

/** With more threads than this, looking through their stacks costs more than the memory is worth. */
const MANY_THREADS = 64;

/** Nobody of the process is on the way to it, or has it on the way out. */
export const isUnwanted = (c: Cpu, p: Process, lock: string): boolean =>
  p.threads.length <= MANY_THREADS && !c.threadsOf(p).some((t) => [...t.host, ...t.enclave].some((frame) => frame.v.name === lock));
