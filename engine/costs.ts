/**
 * Virtual ns of each kind of transition. Cycle counts from the sources are divided by 3 (a 3 GHz processor).
 * The numbers set proportions (an ocall is a hundred system calls), not predictions for a machine.
 */

import type { KindName } from "./transition.ts";

export interface Cost {
  readonly ns: number;
  readonly source: string;
}

/** A line of C: a handful of instructions. */
const LINE = 5;

export type Costs = Readonly<Partial<Record<KindName, Cost>>>;

/** Of processor and kernel: every stack has them. A stack declares its own beside them. */
export const COSTS: Costs = {
  "sgx.eenter": { ns: 1270, source: "3,800 cycles: Orenbach et al., Eleos, EuroSys 2017" },
  "sgx.eexit": { ns: 1100, source: "3,300 cycles: Orenbach et al., Eleos, EuroSys 2017" },
  "sgx.aex": { ns: 1100, source: "taken as an EEXIT (register save and flush dominate); no separate published figure used" },
  "sgx.eresume": { ns: 1270, source: "taken as an EENTER; no separate published figure used" },
  "sgx.edeccssa": { ns: 100, source: "taken as a leaf without a change of mode; no published figure used" },
  "rpc.request": { ns: 100, source: "half of a call through shared memory, 620 cycles: Weisse et al., HotCalls, ISCA 2017" },
  "rpc.take": { ns: 100, source: "the other half" },
  "host.syscall.enter": {
    ns: 70,
    source: "half of a null system call of 140 ns: order of lmbench lat_syscall null on a processor of 2017 with page-table isolation",
  },
  "host.syscall.exit": { ns: 70, source: "the other half" },
  "host.signal.generate": { ns: 300, source: "part of lmbench lat_sig catch, about 1 us in all" },
  "host.signal.deliver": { ns: 700, source: "part of lmbench lat_sig catch, about 1 us in all" },
  "host.sigreturn": { ns: 200, source: "one system call and a register reload" },
  "app.siginfo": { ns: 0, source: "what the handler may read, told for comparing" },
  "app.siginfo.more": { ns: 0, source: "the same" },
  "app.mask": { ns: 0, source: "the same" },
  "app.compute": { ns: 0, source: "the operation's own duration" },
  "thread.wake": { ns: 1500, source: "half of a context switch round of lmbench lat_ctx, 2 to 3 us" },
  "thread.block": { ns: 1000, source: "the other half" },
  "thread.yield": { ns: 300, source: "one system call and a scheduler pass without a switch" },
  "thread.start": { ns: 10_000, source: "order of lmbench thread creation" },
  "process.start": { ns: 100_000, source: "order of lmbench lat_proc fork" },
};

export const costOf = (kind: KindName): number => COSTS[kind]?.ns ?? LINE;
