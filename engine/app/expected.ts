/** What a log says the real program got, by flow and number of the operation (the `value` of an `app.call`). */

import { bodiesOf, type Operation, type Scenario } from "../scenario/schema.ts";
import { handlerFlow, programFlow } from "./names.ts";

/** Name of a program's flow -> results by operation number; null where the scenario says nothing. Empty when it never says. */
export function expectedResults(scenario: Scenario): ReadonlyMap<string, readonly (number | null)[]> {
  const programs: [string, readonly Operation[]][] = [
    [programFlow("main"), scenario.main],
    ...Object.entries(scenario.programs).map(([name, list]): [string, readonly Operation[]] => [programFlow(name), list]),
    ...Object.entries(scenario.handlers).map(([name, list]): [string, readonly Operation[]] => [handlerFlow(name), list]),
  ];
  const known = programs.map(([flow, list]): [string, (number | null)[]] => [flow, [null, ...expectations(list)]]);
  return new Map(known.filter(([, results]) => results.some((result) => result !== null)));
}

/** In the order in which `compile.ts` numbers operations: an operation before those inside it. */
function expectations(list: readonly Operation[]): (number | null)[] {
  return list.flatMap((op) => ["expect" in op ? (op.expect ?? null) : null, ...bodiesOf(op).flatMap(expectations)]);
}
