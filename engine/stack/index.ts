/** The stacks, in order of distance from plain Linux. To add one: a module beside this file, a name in the scenario schema, a line here. */

import type { StackName } from "../scenario/schema.ts";
import { grapheneLinux, grapheneSgx } from "./graphene.ts";
import { nativeLinux } from "./native-linux.ts";
import type { Stack } from "./stack.ts";

export type { Reader, Stack, StackColumns } from "./stack.ts";

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
