/**
 * References to flows: values with the type of the flow's locals. Callers, and those who ask what a frame is of, need the reference alone,
 * so that files of flows do not import each other: each room declares its own in a file `flows.ts`, which imports types and this file.
 * A flow that is made from a scenario has a name and no reference.
 */

declare const ARGUMENTS: unique symbol;
declare const READS: unique symbol;

/**
 * The reference of a flow that reads locals V: some of its arguments, or all of them and variables of its own. A method, because either
 * may have more than the other.
 */
export interface Declares<V extends object> {
  readonly name: string;
  /** Never there: of the type alone. */
  [READS]?(v: V): void;
}

/** A flow by its name. V are its arguments, as its caller makes them. */
export interface Ref<V extends object> extends Declares<V> {
  /** Position in `REFS`, by which a program knows its own number of the flow. */
  readonly id: number;
  /** Never there: it makes references to flows with different arguments different types. */
  readonly [ARGUMENTS]?: (v: V) => V;
}

/** A flow without locals. */
export type NoLocals = Readonly<Record<never, never>>;

/** All references, in the order of their making. It only grows while modules are loaded. */
export const REFS: Pick<Ref<NoLocals>, "name">[] = [];

/** Call it at the top level of a module, once for each flow. Two references with one name mean the same flow. */
export function ref<V extends object = NoLocals>(name: string): Ref<V> {
  const made = { name, id: REFS.length };
  REFS.push(made);
  return made;
}

/** References to one flow each, for flows whose names are made of a list. */
export const refs = <N extends string, V extends object>(names: readonly N[], nameOf: (name: N) => string): Readonly<Record<N, Ref<V>>> =>
  Object.fromEntries(names.map((name) => [name, ref<V>(nameOf(name))])) as unknown as Record<N, Ref<V>>;
