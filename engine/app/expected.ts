/** What a log says of the operations made from it, by flow and number of the operation (the `value` of an `app.call`). */

import { handlerFlow, programFlow } from "../flow-names.ts";
import { type Logged, placeIn, rowStarts } from "../scenario/logged.ts";
import { bodiesOf, type Operation, type Scenario } from "../scenario/schema.ts";

type ByOperation = ReadonlyMap<string, readonly (number | null)[]>;

/** Name of a program's flow -> results by operation number; null where the scenario says nothing. Empty when it never says. */
export const expectedResults = (scenario: Scenario): ByOperation => said(scenario, "expect");

/** The same for the lines of the log that operations come from, from 1. */
export const logLines = (scenario: Scenario): ByOperation => said(scenario, "line");

type Field = "expect" | "line";

function said(scenario: Scenario, field: Field): ByOperation {
  const known = new Map<string, (number | null)[]>();
  const add = (flow: string, list: readonly Operation[]): void => {
    const values: (number | null)[] = [null];
    collect(list, field, values);
    if (values.some((value) => value !== null)) known.set(flow, values);
  };
  add(programFlow("main"), scenario.main);
  for (const [name, list] of Object.entries(scenario.programs)) add(programFlow(name), list);
  for (const [name, list] of Object.entries(scenario.handlers)) add(handlerFlow(name), list);
  return known;
}

/** In the order in which `compile.ts` numbers operations: an operation before those inside it. */
function collect(list: readonly Operation[], field: Field, values: (number | null)[]): void {
  for (const op of list) {
    if (op.op === "logged") {
      ofRows(op, field, values);
      continue;
    }
    values.push((op as { readonly [name in Field]?: number | undefined })[field] ?? null);
    for (const body of bodiesOf(op)) collect(body, field, values);
  }
}

function ofRows(op: Logged, field: Field, values: (number | null)[]): void {
  for (const start of rowStarts(op)) {
    const place = placeIn(op, op.rows[start] as number, field);
    values.push(place === 0 ? null : (op.rows[start + place] as number));
  }
}
