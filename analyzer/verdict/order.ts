/**
 * The order of differences: first what may have caused the others.
 *
 * A difference cannot follow from one that comes after it in either run. So the order is one that agrees with both runs: by the sum of
 * the places that a difference has among all of them in the one and in the other run.
 */

import { DIFFERENCE_KINDS, type DifferenceKind, type PlacedDifference, WEIGHTS } from "./difference.ts";

/** Among differences at one place: the end of a process says more than the call it died in. */
const FIRST: readonly DifferenceKind[] = ["process-end", "thread-end"];
const RANK: readonly DifferenceKind[] = [...FIRST, ...DIFFERENCE_KINDS.map(({ name }) => name)];

export function causalOrder(differences: readonly PlacedDifference[]): PlacedDifference[] {
  const ranks = [0, 1].map((run) => placesOf(differences.map(({ order }) => order[run] as number)));
  const sum = (i: number): number => (ranks[0]?.[i] ?? 0) + (ranks[1]?.[i] ?? 0);
  return differences
    .map((difference, i) => ({ difference, key: sum(i), i }))
    .sort((x, y) => x.key - y.key || compareTies(x.difference, y.difference) || x.i - y.i)
    .map(({ difference }) => difference);
}

/** For each number how many different ones are smaller. */
function placesOf(numbers: readonly number[]): number[] {
  const sorted = [...new Set(numbers)].sort((x, y) => x - y);
  const places = new Map(sorted.map((number, place) => [number, place]));
  return numbers.map((number) => places.get(number) ?? 0);
}

function compareTies(x: PlacedDifference, y: PlacedDifference): number {
  return WEIGHTS.indexOf(x.weight) - WEIGHTS.indexOf(y.weight) || RANK.indexOf(x.kind) - RANK.indexOf(y.kind);
}
