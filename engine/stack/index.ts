/**
 * The stacks. To add one: its folder in `engine/generations/`, and a line here. Scenarios, the command line and its completion take their
 * names from this list.
 */

import { gramineLinux, gramineSgx } from "../generations/gramine/index.ts";
import { grapheneLinux, grapheneSgx } from "../generations/graphene-2019/index.ts";
import { graphenePr347 } from "../generations/graphene-pr347/index.ts";
import { graphenePr1218 } from "../generations/graphene-pr1218/index.ts";
import type { SwitchName } from "../options.ts";
import { nativeLinux } from "./native-linux.ts";
import { HOPS, NO_EVENTS, type Shown } from "./shown.ts";
import type { Stack } from "./stack.ts";

export type { Mechanism, Told } from "./mechanism.ts";
export { type Events, HOPS, type Hop, type Shown } from "./shown.ts";
export { signalIdReader } from "./signal-ids.ts";
export type { Reader, Stack, StackColumns } from "./stack.ts";
export type { StateLine, StateLines, StateView } from "./state-lines.ts";

/** In order of distance from plain Linux. */
const stacks = {
  "native-linux": nativeLinux,
  "graphene-linux": grapheneLinux,
  "graphene-sgx": grapheneSgx,
  "graphene-pr347": graphenePr347,
  "graphene-pr1218": graphenePr1218,
  "gramine-linux": gramineLinux,
  "gramine-sgx": gramineSgx,
} satisfies Record<string, Stack>;

export type StackName = keyof typeof stacks;

/** Those of the list: what a scenario may name. */
export const STACK_NAMES = Object.keys(stacks) as readonly StackName[];

export const STACKS: Readonly<Record<StackName, Stack>> = stacks;

/** The stack of this name, if there is one: a built-in one, or one that was added. */
export const findStackName = (name: string): StackName | undefined => (Object.hasOwn(stacks, name) ? (name as StackName) : undefined);

/** The stacks on which this fix or option changes anything. */
export const stacksKnowing = (name: SwitchName): StackName[] => STACK_NAMES.filter((stack) => STACKS[stack].switches?.includes(name));

/** A trace may come from a build that has other stacks. */
const UNKNOWN: Shown = {
  events: NO_EVENTS,
  hops: Object.fromEntries(HOPS.map((hop) => [hop, hop])),
  stateLines: () => [],
};

/** How the traces and states of the stack of this name are read: of one that this build does not know by its columns alone. */
export function shownBy(name: string): Shown {
  const known = findStackName(name);
  return known === undefined ? UNKNOWN : STACKS[known];
}

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
