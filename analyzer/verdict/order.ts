/**
 * The order of differences: first what may have caused the others.
 *
 * A difference cannot follow from one that comes after it in either run. So the order is one that agrees with both runs: by the sum of
 * the places that a difference has among all of them in the one and in the other run.
 */

import type { Column } from "./columns.ts";
import { DIFFERENCE_KINDS, type DifferenceKind, WEIGHTS } from "./difference.ts";
import type { Found } from "./found.ts";

/** Among differences at one place: the end of a process says more than the call it died in. */
const FIRST: readonly DifferenceKind[] = ["process-end", "thread-end"];
const RANK: readonly DifferenceKind[] = [...FIRST, ...DIFFERENCE_KINDS.map(({ name }) => name)];

/** Numbers of the differences, in that order. */
export function causalOrder(found: Found): Uint32Array {
  const key = placesOf(found.places[0]);
  const more = placesOf(found.places[1]);
  for (let i = 0; i < key.length; i += 1) key[i] = (key[i] as number) + (more[i] as number);
  const ties = (x: number, y: number): number =>
    WEIGHTS.indexOf(found.weight(x)) - WEIGHTS.indexOf(found.weight(y)) || RANK.indexOf(found.kind(x)) - RANK.indexOf(found.kind(y));
  return Uint32Array.from(key, (_, i) => i).sort((x, y) => (key[x] as number) - (key[y] as number) || ties(x, y) || x - y);
}

/** For each number how many different ones are smaller. */
function placesOf(numbers: Column): Float64Array {
  const sorted = columnValues(numbers).sort();
  let different = 0;
  for (let i = 0; i < sorted.length; i += 1) if (i === 0 || sorted[i] !== sorted[i - 1]) sorted[different++] = sorted[i] as number;
  const places = columnValues(numbers);
  for (let i = 0; i < places.length; i += 1) places[i] = indexIn(sorted, different, places[i] as number);
  return places;
}

function columnValues(column: Column): Float64Array {
  const values = new Float64Array(column.length);
  for (let i = 0; i < values.length; i += 1) values[i] = column.at(i);
  return values;
}

/** Index of a value among the first `count` that are sorted. */
function indexIn(sorted: Float64Array, count: number, value: number): number {
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
