/** What flows of this generation are written with: the processor and the constructors of steps, which know its threads and processes. */

import type { Cpu as MachineCpu } from "../../cpu.ts";
import { flowFor, type Steps as MachineSteps } from "../../flow.ts";
import type { Process, SgxProcess, SgxThread, Thread } from "./state.ts";

export type { Flow, Mark, Step } from "../../flow.ts";

export type Cpu = MachineCpu<Thread, Process>;
export type Steps<V> = MachineSteps<V, Cpu>;
export const flow = flowFor<Cpu>();

/** The same where the thread has an enclave. */
export type SgxCpu = MachineCpu<SgxThread, SgxProcess>;
export type SgxSteps<V> = MachineSteps<V, SgxCpu>;
export const sgxFlow = flowFor<SgxCpu>();
