/**
 * The journal of a search: what each place of the state held before it was changed, so that going back is a walk over the changes and not
 * a copy of the state. One search at a time: the journal is the module's, because every setter of the state writes to it.
 */

/** Something that can take back a change of its own. */
export interface Undoable {
  /** Puts `was` back at `place`; neither hash nor journal hear of it. */
  $undo(place: number, was: unknown): void;
}

const owners: Undoable[] = [];
const places: number[] = [];
const values: unknown[] = [];
let length = 0;

/** `owner` is about to change what it holds at `place`; it was `was`. */
export function note(owner: Undoable, place: number, was: unknown): void {
  owners[length] = owner;
  places[length] = place;
  values[length] = was;
  length += 1;
}

/** The journal's length: the state of this moment, to come back to with `undo`. */
export const mark = (): number => length;

/** Takes back all changes since `to`. The hash is the caller's to put back. */
export function undo(to: number): void {
  while (length > to) {
    length -= 1;
    (owners[length] as Undoable).$undo(places[length] as number, values[length]);
  }
}

/** Forgets all changes: there is no way back to before this. */
export function forget(): void {
  length = 0;
  owners.length = 0;
  places.length = 0;
  values.length = 0;
}
