/** The steps of a program as the processor reads them for each row. */

import type { Compiled, Step } from "./flow.ts";

/** The steps of all flows once more: what the processor needs of them lies close together in memory. */
export interface Code {
  /** Where each flow's steps begin in `places`. */
  readonly starts: Int32Array;
  /** By position: `Placed.place`, and a number below 0 behind each flow's last step. */
  readonly places: Int32Array;
  /** By place: `op`, `kind`, `to` and `ns`. */
  readonly words: Int32Array;
  /** By place, as in `Placed`. */
  readonly runs: readonly Step["run"][];
  readonly kinds: readonly Step["kinds"][];
}

/** Numbers of a place in `Code.words`. */
export const WORDS = 4;

export function codeOf(flows: readonly Compiled[]): Code {
  const starts = new Int32Array(flows.length);
  const places = new Int32Array(flows.reduce((sum, { steps }) => sum + steps.length + 1, 0));
  const words: number[] = [];
  const runs: Step["run"][] = [];
  const kinds: Step["kinds"][] = [];
  let at = 0;
  for (const [i, { steps }] of flows.entries()) {
    starts[i] = at;
    for (const s of steps) {
      places[at++] = s.place;
      // Places are numbered in the order in which they are met.
      if (s.place < runs.length) continue;
      words.push(s.op, s.kind, s.to, s.ns);
      runs.push(s.run);
      kinds.push(s.kinds);
    }
    places[at++] = END;
  }
  return { starts, places, words: Int32Array.from(words), runs, kinds };
}

/** The place behind the last step of a flow. */
const END = -1;
