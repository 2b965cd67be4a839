/** Which thread and process of one run is which of the other: by name and creation, never by number. */

import type { Observed } from "./observation.ts";

export interface ThreadMatch {
  /** By thread number of one run: the other's, -1 none. Threads of the library OS have none. */
  readonly partner: Int32Array;
  readonly back: Int32Array;
}

/** Threads of a process with the same name are told apart by their order; so are processes with the same first thread. */
export function matchThreads(a: Observed, b: Observed): ThreadMatch {
  const partner = new Int32Array(a.threads.length).fill(-1);
  const back = new Int32Array(b.threads.length).fill(-1);
  const keysB = new Map(keysOf(b).map((key, thread) => [key, thread]));
  const keysA = keysOf(a);
  const match = (one: number, other: number): void => {
    partner[one] = other;
    back[other] = one;
  };
  keysA.forEach((key, one) => {
    const other = keysB.get(key);
    if (key !== "" && other !== undefined) match(one, other);
  });
  // Names that the other run does not have at all (another scenario): in order of creation.
  const rest = (of: Observed, taken: Int32Array, names: ReadonlySet<string>): number[] =>
    of.threads.flatMap(({ name, internal }, thread) => (!internal && taken[thread] === -1 && !names.has(baseOf(name)) ? [thread] : []));
  const restA = rest(a, partner, baseNames(b));
  const restB = rest(b, back, baseNames(a));
  for (let i = 0; i < Math.min(restA.length, restB.length); i += 1) match(restA[i] as number, restB[i] as number);
  return { partner, back };
}

/** "worker#3" runs the same program as "worker". */
const baseOf = (name: string): string => name.replace(/#\d+$/, "");
const baseNames = (of: Observed): Set<string> => new Set(of.threads.map(({ name }) => baseOf(name)));

/** "process/thread", each with its place among those alike; empty for threads of the library OS. */
function keysOf({ threads }: Observed): string[] {
  const processes = new Map<number, string>();
  const seen = new Map<string, number>();
  const nth = (name: string): string => {
    const n = (seen.get(name) ?? 0) + 1;
    seen.set(name, n);
    return `${name}\n${n}`;
  };
  return threads.map(({ name, pid, internal }) => {
    if (internal) return "";
    let process = processes.get(pid);
    if (process === undefined) processes.set(pid, (process = nth(baseOf(name))));
    return nth(`${process}\n${baseOf(name)}`);
  });
}
