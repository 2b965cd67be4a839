/** Lines of a scenario's text in which its operations stand. */

import { handlerFlow, programFlow } from "../flow-names.ts";
import { programsOf, takeNames } from "./logged.ts";
import { countOf, type Operation, operationOf, program } from "./schema.ts";
import { withSorts } from "./sorts.ts";
import { readSource } from "./source.ts";

/**
 * By name of a program's flow: the line of each operation by its number (the `value` of an `app.call`), from 1. Throws ScenarioError when
 * the text is neither YAML nor JSON.
 */
export function scenarioLines(text: string): ReadonlyMap<string, readonly number[]> {
  const { value, placeOf } = readSource(text, "scenario");
  const lines = new Map<string, number[]>();
  if (!isMap(value)) return lines;
  const lineOf = (path: readonly PropertyKey[]): number => Number(/:(\d+):\d+$/.exec(placeOf(path))?.[1] ?? 1);

  const sorts = program.safeParse(value.sorts).data ?? [];
  takeNames(sorts, programsOf(isMap(value.programs) ? Object.keys(value.programs) : []));

  /** In the order in which `compile.ts` numbers operations: an operation before those inside it. */
  function walk(list: unknown, path: readonly PropertyKey[], into: number[]): void {
    if (!Array.isArray(list)) return;
    for (const [i, item] of list.entries()) {
      const line = lineOf([...path, i]);
      for (let n = countIn(item, sorts); n > 0; n -= 1) into.push(line);
      if (!isMap(item)) continue;
      for (const [name, given] of Object.entries(item))
        if (isMap(given)) for (const body of ["do", "else"]) walk(given[body], [...path, i, name, body], into);
    }
  }

  function add(flow: string, list: unknown, path: readonly PropertyKey[]): void {
    const into = [0];
    walk(list, path, into);
    lines.set(flow, into);
  }

  add(programFlow("main"), value.main, ["main"]);
  for (const [name, list] of entriesOf(value.programs)) add(programFlow(name), list, ["programs", name]);
  for (const [name, list] of entriesOf(value.handlers)) add(handlerFlow(name), list, ["handlers", name]);
  return lines;
}

/** Operations that a written one stands for. */
function countIn(item: unknown, sorts: readonly Operation[]): number {
  if (!isMap(item) || !("logged" in item)) return 1;
  const operation = operationOf(item);
  return operation === null ? 0 : countOf(withSorts(operation, sorts));
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const entriesOf = (value: unknown): [string, unknown][] => (isMap(value) ? Object.entries(value) : []);
