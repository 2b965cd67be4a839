/** Findings that may explain differences: a long run has ten thousands of both, so each question looks at few findings or is asked once. */

import type { Finding } from "../finding.ts";

/** From the gravest on: of several findings at one place the first of these is told. A rule of the catalogue knows more than a general one. */
export interface Explainer extends Pick<Finding, "rule" | "thread" | "firstSeq" | "lastSeq" | "title"> {
  readonly general: boolean;
}

/** Those of a general rule come last, each part is in order of `firstSeq`. */
export const inOrder = (findings: readonly Explainer[]): Explainer[] =>
  [...findings].sort((a, b) => Number(a.general) - Number(b.general) || a.firstSeq - b.firstSeq);

export interface Explainers {
  readonly list: readonly Explainer[];
  /** Those for which `is` holds. A key stands for one `is` only: it is asked once. */
  where(key: string, is: (one: Explainer) => boolean): Explainers;
  /** The first one whose title is so. A key stands for one `is` only. */
  titled(key: string, is: (title: string) => boolean): Explainer | undefined;
  /** The first one that begins at `seq` or before and ends there or later. */
  around(seq: number): Explainer | undefined;
  /** The one that begins next, at `seq` or later. */
  next(seq: number): Explainer | undefined;
}

/** `list` is to be `inOrder` where `around` and `next` are asked for. */
export function createExplainers(list: readonly Explainer[]): Explainers {
  const parts = new Map<string, Explainers>();
  const titles = new Map<string, Explainer | undefined>();
  let byTitle: ReadonlyMap<string, Explainer> | null = null;
  let runs: readonly Run[] | null = null;

  const own = (): readonly Run[] => {
    runs ??= [createRun(list.filter(({ general }) => !general)), createRun(list.filter(({ general }) => general))];
    return runs;
  };

  return {
    list,
    where(key, is) {
      const known = parts.get(key) ?? createExplainers(list.filter(is));
      parts.set(key, known);
      return known;
    },
    titled(key, is) {
      if (titles.has(key)) return titles.get(key);
      byTitle ??= firstOfEachTitle(list);
      const found = [...byTitle.values()].find(({ title }) => is(title));
      titles.set(key, found);
      return found;
    },
    around(seq) {
      const [known, general] = own().map((run) => run.around(seq));
      return known ?? general;
    },
    next(seq) {
      const [known, general] = own().map((run) => run.next(seq));
      if (known === undefined || general === undefined) return known ?? general;
      return general.firstSeq < known.firstSeq ? general : known;
    },
  };
}

function firstOfEachTitle(list: readonly Explainer[]): ReadonlyMap<string, Explainer> {
  const first = new Map<string, Explainer>();
  for (const one of list) if (!first.has(one.title)) first.set(one.title, one);
  return first;
}

type Run = Pick<Explainers, "around" | "next">;

/** Findings in order of `firstSeq`. */
function createRun(list: readonly Explainer[]): Run {
  const begins = Float64Array.from(list, ({ firstSeq }) => firstSeq);
  /** The last seq to which it or one before it goes. */
  const reach = Float64Array.from(list, ({ lastSeq }) => lastSeq);
  for (let i = 1; i < reach.length; i += 1) reach[i] = Math.max(reach[i] as number, reach[i - 1] as number);
  return {
    around(seq) {
      // The first that ends at `seq` or later; if it has not begun, those after it have not either.
      const one = list[firstAtLeast(reach, seq)];
      return one !== undefined && one.firstSeq <= seq ? one : undefined;
    },
    next: (seq) => list[firstAtLeast(begins, seq)],
  };
}

/** Place of the first number in a rising list that is at least `least`; the length when there is none. */
function firstAtLeast(rising: Float64Array, least: number): number {
  let [low, high] = [0, rising.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rising[middle] as number) >= least) high = middle;
    else low = middle + 1;
  }
  return low;
}
