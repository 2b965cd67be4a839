/**
 * The list of sorts that the `logged` operations of a scenario share. A log of ten thousand short processes has as many programs, and all
 * of them make the same calls: each program's own list would be most of the scenario.
 */

import { canBeLogged, mistakeInRows, programsOf, takeNames } from "./logged.ts";
import type { Mistake } from "./mistakes.ts";
import { bodiesOf, type Operation, type Scenario } from "./schema.ts";
import type { Path } from "./source.ts";

/** The operation with the sorts that its rows are of: its own, or these. */
export const withSorts = (op: Operation, sorts: readonly Operation[]): Operation =>
  op.op === "logged" && op.like.length === 0 ? Object.assign(op, { like: sorts }) : op;

/** Gives the list to all that have none of their own. Returns what is wrong with it or with rows that are of it. */
export function takeSorts({ main, programs, handlers, sorts }: Scenario): Mistake[] {
  const names = Object.keys(programs);
  takeNames(sorts, programsOf(names));
  const mistakes: Mistake[] = [];
  for (const [i, { op }] of sorts.entries())
    if (!canBeLogged(op)) mistakes.push({ path: ["sorts", i], text: () => `expected no ${op} here` });
  if (mistakes.length > 0) return mistakes;
  const walk = (list: readonly Operation[], path: Path): void => {
    for (const [i, op] of list.entries()) {
      if (op.op !== "logged") {
        for (const body of bodiesOf(op)) walk(body, [...path, i, op.op]);
        continue;
      }
      if (op.like.length > 0) continue;
      withSorts(op, sorts);
      const mistake = mistakeInRows(op, names.length);
      if (mistake !== null) mistakes.push({ path: [...path, i, "logged", "rows"], text: () => mistake });
    }
  };
  walk(main, ["main"]);
  for (const [name, list] of Object.entries(programs)) walk(list, ["programs", name]);
  for (const [name, list] of Object.entries(handlers)) walk(list, ["handlers", name]);
  return mistakes;
}
