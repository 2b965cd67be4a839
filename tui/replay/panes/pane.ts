/** What a pane is. A pane is a file here and a line in `index.ts`; tabs, number keys, the palette and the help follow. */

import type { ReplayState } from "../state.ts";
import type { World } from "../world.ts";

export interface Pane<Id extends string = string> {
  /** Its name on its tab and in the palette. */
  readonly id: Id;
  /** What it shows, for the help. */
  readonly title: string;
  /** Lines of at most `width` cells; more than `height` are cut off. Texts of strangers are safe in them. */
  readonly lines: (world: World, s: ReplayState, width: number, height: number) => string[];
}

/** The part of a list that is shown: `room` of its `count` rows, with row `at` in the middle where there are more. */
export const windowFrom = (at: number, room: number, count: number): number =>
  Math.max(0, Math.min(at - Math.floor(room / 2), count - room));
