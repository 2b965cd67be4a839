/** When results and outputs of two calls count as the same: ids that the runs give out freely, times that are near. For slow-verdict.ts. */

import type { Item } from "./slow-telling.ts";

export const GRACE_NS = 10e6;
const DESCRIPTORS = ["accept"];
const MAKES = ["fork", "clone"];
const NAMES = ["wait4", "getpid"];

export function samePid(one: number, other: number, pids: Map<number, number>): boolean {
  if (one <= 0 || other <= 0) return one === other;
  if (!pids.has(one) && ![...pids.values()].includes(other)) pids.set(one, other);
  return pids.get(one) === other;
}

export function sameResult(one: Item, other: Item, pids: Map<number, number>): boolean {
  const [x, y] = [one.result, other.result];
  if (x > 0 && y > 0 && DESCRIPTORS.includes(one.name)) return true;
  if (x > 0 && y > 0 && MAKES.includes(one.name)) {
    samePid(x, y, pids);
    return true;
  }
  return NAMES.includes(one.name) ? samePid(x, y, pids) : x === y;
}

/** Both say that the time is over, one of them after less than half the time, or a tenth and 10 ms earlier. */
export function otherTimeOut(one: Item, other: Item): boolean {
  const over = { poll: 0, select: 0, epoll_wait: 0, nanosleep: 0, clock_nanosleep: 0, futex_wait: -110, sigtimedwait: -11 }[one.name];
  if (one.result !== other.result || one.result !== over) return false;
  const [x = 0, y = 0] = [one, other].map(({ row, end }) => (end?.time ?? 0) - row.time).sort((a, b) => a - b);
  return y - 2 * x > 200e3 || y - 1.1 * x > 10e6;
}

export function differingOutputs(one: Item, other: Item, known: boolean, pids: Map<number, number>): number[] {
  const became = (item: Item): string => `${item.how} ${item.result}`;
  if ((one.wrote.length === 0 || other.wrote.length === 0) && became(one) !== became(other)) return [];
  const whats = [...new Set([...one.wrote, ...other.wrote].map(([what]) => what))].sort((x, y) => x - y);
  const of = (item: Item, what: number): number[] => item.wrote.filter(([w]) => w === what).map(([, value]) => value);
  return whats
    .filter((what) => known || what < 100)
    .filter((what) => {
      const [x, y] = [of(one, what), of(other, what)];
      return x.length !== y.length || !x.every((value, i) => sameValue(what, value, y[i] as number, pids));
    });
}

function sameValue(what: number, one: number, other: number, pids: Map<number, number>): boolean {
  if (what === 102) return samePid(one, other, pids);
  if (what !== 2 && what !== 7) return one === other;
  return one > 0 === other > 0 && Math.abs(one - other) <= GRACE_NS + 0.05 * Math.max(Math.abs(one), Math.abs(other));
}
