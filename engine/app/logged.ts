/**
 * The operations of a log's program. One step stands for all operations of a sort, in all programs of the scenario: before it runs it is
 * given the numbers of the row at which the program is, so that a call of the log takes some bytes of memory and no objects, and a log
 * of ten thousand short processes has no steps for each.
 */

import { rowHere, rowsHere } from "../control.ts";
import { type Cpu, topFrame } from "../cpu.ts";
import { FlowError, type Step, type Steps } from "../flow.ts";
import { fieldsOf, isNameField, type RowField, rowStarts } from "../scenario/logged.ts";
import type { Operation, OperationOf } from "../scenario/schema.ts";
import type { Locals } from "../state.ts";
import type { Context, Items, Program } from "./items.ts";

export function logged(op: OperationOf<"logged">, x: Context): Items {
  const starts = rowStarts(op);
  const steps = x.sorts.lists.get(op.like) ?? [];
  x.sorts.lists.set(op.like, steps);
  const stepOf = (sort: number): Step => {
    const step = steps[sort] ?? stepFor(op.like[sort] as Operation, fieldsOf(op.like)[sort] ?? [], x);
    steps[sort] = step;
    return step;
  };
  const items: Items = [{ mark: "", rows: { numbers: op.rows, starts, first: x.number } }];
  for (const start of starts) items.push(stepOf(op.rows[start] as number));
  return items;
}

/** The step of operations that differ in their rows only, made once. */
function stepFor(like: Operation, fields: readonly RowField[], x: Context): Step {
  const sort = JSON.stringify({ ...like, ...Object.fromEntries(fields.map((field) => [field, 0])) });
  const known = x.sorts.steps.get(sort);
  if (known !== undefined) return known;
  const step = withRow(like, fields, x);
  x.sorts.steps.set(sort, step);
  return step;
}

function withRow(like: Operation, fields: readonly RowField[], x: Context): Step {
  // A copy by spread has a hidden class of its own.
  const op: Operation = Object.assign({}, like);
  const args = op as unknown as Record<string, number | string | undefined>;
  const own = {
    ...x,
    number: 0,
    told: (argument: string): boolean => x.told(argument) && !(fields as readonly string[]).includes(argument),
  };
  const { programs } = x.sorts;
  const names = fields.filter(isNameField).length;
  const numbers = fields.length - names;
  const [step, ...more] = x.one(op, own);
  if (step === undefined || more.length > 0 || "mark" in step) throw new FlowError(`${like.op} is not one step`);
  const run = (c: Cpu, v: Locals): unknown => {
    const frame = topFrame(c.t);
    const rows = rowsHere(c.program, frame);
    const row = rowHere(frame, rows);
    const at = rows.starts[row] as number;
    own.number = rows.first + row;
    for (let i = 0; i < numbers; i += 1) args[fields[i] as string] = rows.numbers[at + 1 + i];
    for (let i = numbers; i < fields.length; i += 1) args[fields[i] as string] = programs[rows.numbers[at + 1 + i] as number];
    return step.run(c, v);
  };
  return Object.assign({}, step, { sharedAs: x.sorts.sharedAs, run });
}

/** A run of a log's handler is over when it was there. */
export const evenOut = (s: Steps<Program>): Step =>
  s.act(
    "compute until the handler's end",
    (c, v) => {
      c.ns = Math.max(0, (v.ends ?? 0) - c.now);
      c.value = c.ns;
      c.t.app.computing = c.now + c.ns;
    },
    "app.compute",
  );
