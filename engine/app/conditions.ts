/**
 * Loops and decisions of a program. A look at a result or a flag is a branch step of its own: a signal may come between it and what
 * follows, as between the test and the `pause` of `while (!stop) pause();`.
 */

import type { Cpu } from "../cpu.ts";
import { holds, rangesText } from "../scenario/conditions.ts";
import type { OperationOf } from "../scenario/schema.ts";
import type { Context, Items, Program } from "./items.ts";

const isSet = (c: Cpu, flag: string): boolean => c.process(c.t).flags.includes(flag);

/** A test that holds when the rounds are used up; `counter` counts them in the program's frame. None when there is no limit. */
function rounds(x: Context, times: number | "forever", counter: string, label: string, to: string): Items {
  if (times === "forever") return [];
  const used = (v: Program): boolean => {
    const n = Number(v[counter] ?? 0);
    v[counter] = n >= times ? 0 : n + 1;
    return n >= times;
  };
  return [x.s.test(label, (_, v) => used(v), to)];
}

/** The flag is looked at before each round, and before the round is counted. */
export function loop({ times, until, do: body }: OperationOf<"loop">, x: Context): Items {
  const start = x.fresh("loop");
  const end = x.fresh("end");
  const counter = x.counter();
  // Left before its rounds are used up: it counts from the start when it is entered again.
  const stopped = (c: Cpu, v: Program, flag: string): boolean => {
    if (isSet(c, flag)) v[counter] = 0;
    return isSet(c, flag);
  };
  const limit = rounds(x, times, counter, `loop, ${times} times: done?`, end);
  const tests = until === undefined ? limit : [x.s.test(`loop: is ${until} set?`, (c, v) => stopped(c, v, until), end), ...limit];
  return [
    x.s.at(start),
    ...(tests.length > 0 ? tests : [x.s.test("loop", () => false, end)]),
    ...x.inner(body),
    x.s.jump(start, "loop: again"),
    x.s.at(end),
  ];
}

export function retry({ while: results, times, do: body }: OperationOf<"retry">, x: Context): Items {
  const start = x.fresh("retry");
  const end = x.fresh("end");
  const counter = x.counter();
  const again = (v: Program): boolean => {
    if (!holds(results, v.result ?? 0)) v[counter] = 0;
    return holds(results, v.result ?? 0);
  };
  return [
    x.s.at(start),
    ...rounds(x, times, counter, `retry, ${times} times at most: done?`, end),
    ...x.inner(body),
    x.s.test(`retry: is the result ${rangesText(results)}?`, (_, v) => again(v), start),
    x.s.at(end),
  ];
}

export function decision({ result, flag, do: body, else: otherwise }: OperationOf<"if">, x: Context): Items {
  const yes = x.fresh("then");
  const end = x.fresh("end");
  const test =
    result === undefined
      ? x.s.test(`if: is ${flag} set?`, (c) => isSet(c, flag ?? ""), yes)
      : x.s.test(`if: is the result ${rangesText(result)}?`, (_, v) => holds(result, v.result ?? 0), yes);
  // In the order of their numbers.
  const [first, second] = [x.inner(body), x.inner(otherwise)];
  return [test, ...second, x.s.jump(end, "if: go on"), x.s.at(yes), ...first, x.s.at(end)];
}

export const setFlag = ({ flag, to }: OperationOf<"set">, { s }: Context): Items => [
  s.act(to ? `${flag} = 1` : `${flag} = 0`, (c) => {
    const p = c.process(c.t);
    p.flags = p.flags.filter((known) => known !== flag);
    if (to) p.flags.push(flag);
  }),
];
