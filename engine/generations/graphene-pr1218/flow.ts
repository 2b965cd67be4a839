/** What flows of this generation are written with. */

import type { Cpu as MachineCpu } from "../../cpu.ts";
import { flowFor, type Steps as MachineSteps } from "../../flow.ts";
import type { Process, Thread } from "./state.ts";

export type { Flow, Mark, Step } from "../../flow.ts";

export type Cpu = MachineCpu<Thread, Process>;
export type Steps<V> = MachineSteps<V, Cpu>;
export const flow = flowFor<Cpu>();
