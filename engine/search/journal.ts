/**
 * The journal of a search: what each place of the state held before it was changed, so that going back is a walk over the changes and not
 * a copy of the state. One search at a time: the journal is the module's, because every setter of the state writes to it.
 */

/** Something that can take back a change of its own. */
export interface Undoable {
  /** Puts `was` back at `place`; neither hash nor journal hear of it. */
  $undo(place: number, was: unknown): void;
}

const FIRST_LENGTH = 1 << 14;

const owners: Undoable[] = [];
let places = new Int32Array(FIRST_LENGTH);
/** What was there, when it was a number. */
let numbers = new Float64Array(FIRST_LENGTH);
/** What was there, when it was none. */
const others: unknown[] = [];
/** Stands in `others` for a number. */
const NUMBER = Symbol("number");
let length = 0;

function grow(): void {
  const longerPlaces = new Int32Array(2 * places.length);
  longerPlaces.set(places);
  places = longerPlaces;
  const longerNumbers = new Float64Array(places.length);
  longerNumbers.set(numbers);
  numbers = longerNumbers;
}

/** `owner` is about to change what it holds at `place`; it was `was`. */
export function note(owner: Undoable, place: number, was: unknown): void {
  const at = length;
  if (at === places.length) grow();
  owners[at] = owner;
  places[at] = place;
  if (typeof was === "number") {
    numbers[at] = was;
    others[at] = NUMBER;
  } else others[at] = was;
  length = at + 1;
}

/** The journal's length: the state of this moment, to come back to with `undo`. */
export const mark = (): number => length;

/** Takes back all changes since `to`. The hash is the caller's to put back. */
export function undo(to: number): void {
  while (length > to) {
    length -= 1;
    const was = others[length];
    (owners[length] as Undoable).$undo(places[length] as number, was === NUMBER ? numbers[length] : was);
  }
}

/** Forgets all changes: there is no way back to before this. */
export function forget(): void {
  length = 0;
  owners.length = 0;
  others.length = 0;
}
