/** A call of the log on its way to an operation of the scenario. */

import type { Facts } from "./facts.ts";
import type { AfterHandlers } from "./level.ts";
import type { CallEvent } from "./log.ts";
import type { Action, Item } from "./registrations.ts";
import type { Fate } from "./tally.ts";
import type { Task, Tree } from "./tree.ts";

export interface Mapped {
  readonly item: Item;
  /** ns that it takes on native-linux. */
  readonly ns: number;
  readonly fate: Fate;
}

export interface Context {
  readonly task: Task;
  readonly tree: Tree;
  readonly facts: Facts;
  /** The sigaction operations made, for the names of their handlers. */
  readonly setters: { readonly action: Action; readonly item: Item }[];
  /** Computations made after handlers had run. */
  readonly afterHandlers: AfterHandlers[];
}

/** A call as it is to be emulated: after a restart it is the last attempt, with the time that all attempts leave it. */
export interface Finished {
  readonly call: CallEvent;
  readonly value: number | null;
  /** ns. */
  readonly takes: number;
}

export interface Special {
  readonly item: Item;
  readonly ns?: number;
  readonly fate?: Fate;
}
