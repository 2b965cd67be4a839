/** The stacks, in order of distance from plain Linux. To add one: a module beside this file, a name in the scenario schema, a line here. */

import type { StateColumn } from "../block.ts";
import type { FixName } from "../fixes.ts";
import type { Flow } from "../flow.ts";
import type { StackName } from "../scenario/schema.ts";
import { grapheneLinux, grapheneSgx } from "./graphene.ts";
import { nativeLinux } from "./native-linux.ts";

export interface Stack {
  readonly text: string;
  /** `debug`: as with a manifest that has debug_type, for a LibOS. */
  readonly flows: (fixes: ReadonlySet<FixName>, debug?: boolean) => Flow[];
  /** First flow of a process's first thread. */
  readonly boot: string;
  /** First flow of a further thread whose first own function is `start`. */
  readonly bootThread: (start: string) => string;
  readonly enclave: boolean;
  /** Columns of state that it has; the others are NULL in its traces. */
  readonly columns: readonly StateColumn[];
}

const stacks: Record<StackName, Stack> = {
  "native-linux": nativeLinux,
  "graphene-linux": grapheneLinux,
  "graphene-sgx": grapheneSgx,
};

export const STACKS: Readonly<Record<StackName, Stack>> = stacks;

/** The stack of this name, if there is one: a built-in one, or one that was added. */
export const findStackName = (name: string): StackName | undefined => (Object.hasOwn(stacks, name) ? (name as StackName) : undefined);

/**
 * Adds a stack for as long as the process lives, and gives its name for `boot`: a trace of it is recorded, replayed and rerun like
 * any other. Tests use it for stacks of their own. The command line does not list it. A name that is taken throws.
 */
export function addStack(name: string, stack: Stack): StackName {
  if (findStackName(name) !== undefined) throw new Error(`a stack of the name "${name}" exists`);
  const added = name as StackName;
  stacks[added] = stack;
  return added;
}
