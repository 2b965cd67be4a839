/** What the steps of an operation are made of. */

import type { Mark, Step, Steps } from "../flow.ts";
import type { Operation } from "../scenario/schema.ts";
import type { SigInfo } from "../siginfo.ts";
import type { Locals } from "../state.ts";

/** Locals of a program or handler of the scenario. */
export interface Program extends Locals {
  /** ns that a compute operation cut short has still to run. */
  left: number;
  address: number;
  signal: number;
  id: number;
  /** Of a handler: the signal's siginfo. */
  info: SigInfo;
  /** Of a handler: when this run of it was over in the log, 0 when nobody knows. */
  ends: number;
  /** Where a fault that it makes is said to be. */
  vma: string;
  /** Which instruction it is. */
  fault: string;
  /** Result of the call that came back last; 0 before the first. */
  result: number;
}

export type Items = (Step | Mark)[];

/** Steps of a scenario's logged operations, by their sort: its programs share them, and its handlers. */
export interface Sorts {
  readonly steps: Map<string, Step>;
  /** Those of a list of sorts, which many programs may share, as far as they were asked for. */
  readonly lists: Map<readonly Operation[], (Step | undefined)[]>;
  /** Names of the scenario's programs: rows tell of one by its place here. */
  readonly programs: readonly string[];
  /** Name under which the steps are a place of all flows that have them; undefined when each has its own. */
  readonly sharedAs: string | undefined;
}

/** What an operation may need: the constructors, fresh marks, the operations inside it, its number in the program. */
export interface Context {
  readonly s: Steps<Program>;
  readonly fresh: (name: string) => string;
  /** Name of a new counter in the program's frame; it is 0 at the start. */
  readonly counter: () => string;
  readonly inner: (operations: readonly Operation[]) => Items;
  /** The steps of one operation, which has another context. */
  readonly one: (op: Operation, x: Context) => Items;
  readonly number: number;
  readonly sorts: Sorts;
  /** Does the label tell of this argument? */
  readonly told: (argument: string) => boolean;
  /** Name of the program or handler. */
  readonly flow: string;
}
