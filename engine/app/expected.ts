/** What a log says of the operations made from it, by flow and number of the operation (the `value` of an `app.call`). */

import { handlerFlow, programFlow } from "../flow-names.ts";
import { bodiesOf, type Operation, type Scenario } from "../scenario/schema.ts";

type ByOperation = ReadonlyMap<string, readonly (number | null)[]>;

/** Name of a program's flow -> results by operation number; null where the scenario says nothing. Empty when it never says. */
export const expectedResults = (scenario: Scenario): ByOperation => said(scenario, (op) => ("expect" in op ? (op.expect ?? null) : null));

/** The same for the lines of the log that operations come from, from 1. */
export const logLines = (scenario: Scenario): ByOperation => said(scenario, (op) => ("line" in op ? (op.line ?? null) : null));

function said(scenario: Scenario, of: (op: Operation) => number | null): ByOperation {
  // In the order in which `compile.ts` numbers operations: an operation before those inside it.
  const all = (list: readonly Operation[]): (number | null)[] => list.flatMap((op) => [of(op), ...bodiesOf(op).flatMap(all)]);
  const programs: [string, readonly Operation[]][] = [
    [programFlow("main"), scenario.main],
    ...Object.entries(scenario.programs).map(([name, list]): [string, readonly Operation[]] => [programFlow(name), list]),
    ...Object.entries(scenario.handlers).map(([name, list]): [string, readonly Operation[]] => [handlerFlow(name), list]),
  ];
  const known = programs.map(([flow, list]): [string, (number | null)[]] => [flow, [null, ...all(list)]]);
  return new Map(known.filter(([, values]) => values.some((value) => value !== null)));
}
