/**
 * The operations of a log's program. One step stands for all operations of a sort: before it runs it is given the numbers of the row at
 * which the program is, so that a call of the log takes some bytes of memory and no objects.
 */

import { stepsBehind } from "../control.ts";
import { topFrame } from "../cpu.ts";
import { FlowError, type Step } from "../flow.ts";
import { isRowField, rowFieldsOf, rowStarts } from "../scenario/logged.ts";
import type { Operation, OperationOf } from "../scenario/schema.ts";
import type { Context, Items } from "./items.ts";

export function logged(op: OperationOf<"logged">, x: Context): Items {
  const mark = x.fresh("logged");
  const starts = rowStarts(op);
  const steps = op.like.map((like) => stepFor(like, { mark, starts, rows: op.rows }, x));
  const items: Items = [x.s.at(mark)];
  for (const start of starts) items.push(steps[op.rows[start] as number] as Step);
  return items;
}

interface Rows {
  /** The first row's step stands behind it. */
  readonly mark: string;
  readonly starts: Uint32Array;
  readonly rows: Float64Array;
}

function stepFor(like: Operation, { mark, starts, rows }: Rows, x: Context): Step {
  const fields = rowFieldsOf(like);
  const op: Operation = { ...like };
  const numbers = op as unknown as Record<string, number>;
  const own = { ...x, number: 0, told: (argument: string): boolean => x.told(argument) && !isRowField(argument) };
  const [step, ...more] = x.one(op, own);
  if (step === undefined || more.length > 0 || "mark" in step) throw new FlowError(`${like.op} is not one step`);
  return {
    ...step,
    run(c, v) {
      const row = stepsBehind(c.program, topFrame(c.t), mark);
      const at = starts[row] as number;
      own.number = x.number + row;
      for (let i = 0; i < fields.length; i += 1) numbers[fields[i] as string] = rows[at + 1 + i] as number;
      return step.run(c, v);
    },
  };
}
