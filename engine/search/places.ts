/** Numbers of the places of a state: each field, list element and table entry has its own, the same for as long as the process lives. */

/** Fields a record has at most: numbers are given out in runs of so many. */
export const MOST_FIELDS = 64;

const byIndex: number[][] = [[]];
const byKey: (Map<string, number> | undefined)[] = [undefined];

function newPlace(): number {
  byIndex.push([]);
  byKey.push(undefined);
  return (byIndex.length - 1) * MOST_FIELDS;
}

/** Place of the machine itself. */
export const ROOT = 0;

/** Place of what stands in field or element `index` of the record or list at `parent`. */
export function placeAt(parent: number, index: number): number {
  const known = byIndex[parent / MOST_FIELDS] as number[];
  const place = known[index];
  if (place !== undefined) return place;
  while (known.length <= index) known.push(newPlace());
  return known[index] as number;
}

/** Place of the entry `key` of the table at `parent`. */
export function placeOf(parent: number, key: string): number {
  const known = byKey[parent / MOST_FIELDS] ?? new Map<string, number>();
  byKey[parent / MOST_FIELDS] = known;
  let place = known.get(key);
  if (place === undefined) {
    place = newPlace();
    known.set(key, place);
  }
  return place;
}
