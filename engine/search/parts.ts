/** Parts of an observed state that are changed in place, and the clocks among their fields. */

import { NEVER } from "../time.ts";
import { flip } from "./hash.ts";
import type { Undoable } from "./journal.ts";
import type { Layout, Role } from "./layout.ts";

/** A part of the state that is changed in place. Its place is -1 as long as it belongs to no state. */
export interface Part extends Undoable {
  $k: number;
  /** It comes to stand at `place`, with all that is in it, or nowhere (-1). */
  $put(place: number): void;
  /** Adds its contributions to the hash, or takes them away. */
  $mix(): void;
}

export interface ClockOwner extends Part {
  /** Adds the distances of its clocks from `now` to the hash, or takes them away. */
  $clocks(now: number): void;
}

export const isRole = (layout: Layout): layout is Role => typeof layout === "string";

/** Records with clocks that belong to the state now. */
const clockOwners: ClockOwner[] = [];

export function addClock(owner: ClockOwner): void {
  clockOwners.push(owner);
}

export function removeClock(owner: ClockOwner): void {
  const at = clockOwners.lastIndexOf(owner);
  const last = clockOwners.pop() as ClockOwner;
  if (last !== owner) clockOwners[at] = last;
}

export function clearClocks(): void {
  clockOwners.length = 0;
}

/** Distances of all clocks from `now`, added to the hash; called again it takes them away. */
export function flipClocks(now: number): void {
  for (let i = 0; i < clockOwners.length; i += 1) (clockOwners[i] as ClockOwner).$clocks(now);
}

/** What of a clock does not move: it never comes (1), or it is none (2). Part of the hash that is kept up. */
export const stands = (time: number): number => (time >= NEVER ? 1 : time < 0 ? 2 : 0);

/** What of a clock moves: its distance from now, past the numbers above. What is over is over, whenever it was, and adds nothing. */
export function flipClock(place: number, time: number, now: number): void {
  if (time > now && time < NEVER) flip(place, time - now + 2);
}

/** A plain object has these fields, in this order, and no others. */
export function hasFields(x: object, keys: readonly string[]): boolean {
  let i = 0;
  for (const key in x) {
    if (keys[i] !== key) return false;
    i += 1;
  }
  return i === keys.length;
}
