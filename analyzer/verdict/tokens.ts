/** Numbers for calls: the same call of the same program has the same one in both runs. */

import { flowAt } from "../../engine/index.ts";
import { CHECK, HANDLER, type Observed } from "./observation.ts";

export interface Tokens {
  readonly a: (item: number) => number;
  readonly b: (item: number) => number;
  /** Whether a call of this number has one of these names. */
  readonly isIgnored: (names: ReadonlySet<string>) => (token: number) => boolean;
}

/** "read(pipe, 64)" is a call of read. */
export const callName = (label: string): string => label.split("(", 1)[0] ?? label;

/** The label of the place where a call is made, or a program looks at its own state. */
export const labelOf = ({ items, sites }: Observed, item: number): string =>
  sites[items.site.at(item)]?.label ?? (items.kind.at(item) === CHECK ? "a check" : "a call");

/** Line of the log that a call was made from, for a handler's run that of the call before it; null where there is none. */
export function lineOf(of: Observed, item: number): number | null {
  const { items, lines, program } = of;
  const call = items.kind.at(item) === HANDLER ? items.before.at(item) : item;
  if (call < 0) return null;
  // A log that is kept as it is numbers calls by its lines.
  if (program === "") return items.nr.at(call) > 0 ? items.nr.at(call) : null;
  return lines?.get(programAt(of, call))?.[items.nr.at(call)] ?? null;
}

/** Name of the program's or handler's flow in which a call was made. */
export const programAt = ({ items, sites, threads }: Observed, item: number): string =>
  flowAt(sites[items.site.at(item)]?.flow ?? "", threads[items.thread.at(item)]?.name ?? "");

/**
 * In runs of one scenario an operation is known by its place in the program; else by its text, where numbers (descriptors, ids,
 * lengths) say nothing: each run gives out its own. A log that is kept as it is has no scenario; beside a run it has the names of
 * calls alone, for it tells other arguments than a scenario does.
 */
export function tokensOf(a: Observed, b: Observed): Tokens {
  const numbers = new Map<string, number>();
  const names: string[] = [];
  const samePrograms = a.program === b.program && a.program !== "";
  const namesOnly = (a.program === "") !== (b.program === "");
  const number = (key: string, name: string): number => {
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, names.length);
    names.push(name);
    return names.length - 1;
  };
  const of = (observed: Observed) => {
    const { items, sites } = observed;
    const bySite = new Map<number, number>();
    return (item: number): number => {
      if (items.kind.at(item) === HANDLER) return -1;
      const site = items.site.at(item);
      const nr = items.nr.at(item);
      const cached = bySite.get(site * 2 ** 24 + nr);
      if (cached !== undefined) return cached;
      const label = labelOf(observed, item);
      const key = samePrograms ? `${sites[site]?.flow}\n${nr}\n${label}` : namesOnly ? callName(label) : label.replace(/\d+/g, "#");
      const token = number(key, callName(label));
      bySite.set(site * 2 ** 24 + nr, token);
      return token;
    };
  };
  return { a: of(a), b: of(b), isIgnored: (ignored) => (token) => ignored.size > 0 && ignored.has(names[token] ?? "") };
}
