/** The flows of kernel and stack, put together: the same for all scenarios, so they are kept for the next boot. */

import { assemble, FlowError, type Program } from "../flow.ts";
import { hostCalls } from "../host/calls.ts";
import { outside } from "../host/outside.ts";
import type { SwitchName } from "../options.ts";
import { STACKS, type StackName } from "./index.ts";

/** Programs that are kept, of a megabyte at most: enough for all stacks with each of their fixes in turn. */
const KEPT = 128;

/** By stack and switches, the one that was asked for last at the end. */
const kept = new Map<string, Program>();

/** The flows of a stack with these fixes and options, under the kernel's. Flows keep no state, so machines share them. */
export function stackProgram(name: StackName, switches: ReadonlySet<SwitchName>, debug: boolean): Program {
  const key = [name, debug, ...[...switches].sort()].join(" ");
  const program = kept.get(key) ?? assembled(name, switches, debug);
  kept.delete(key);
  kept.set(key, program);
  const [oldest] = kept.keys();
  if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest);
  return program;
}

function assembled(name: StackName, switches: ReadonlySet<SwitchName>, debug: boolean): Program {
  const stack = STACKS[name];
  try {
    return assemble([outside, ...hostCalls, ...stack.flows(switches, debug)], stack.costs);
  } catch (error) {
    throw error instanceof FlowError ? new FlowError(`${name}: ${error.message}`) : error;
  }
}
