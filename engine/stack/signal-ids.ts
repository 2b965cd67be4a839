/** Which signal a transition is about. */

import type { Block } from "../block.ts";
import { CARRIES_SIGNAL_ID, KIND } from "../transition.ts";
import type { Events } from "./shown.ts";

const ENTER = KIND["libos.upcall.enter"];
const RETURN = KIND["libos.upcall.return"];

/**
 * Reads the id of the signal that a row is a hop of, 0 for none. `extra` of most kinds about signals is that id; the upcalls of some PAL
 * events have something else there, and the stack says which events these are.
 */
export function signalIdReader({ withoutSignal }: Pick<Events, "withoutSignal">): (block: Block, i: number) => number {
  return (block, i) => {
    const kind = block.kind[i] as number;
    if (CARRIES_SIGNAL_ID[kind] !== 1) return 0;
    if ((kind === ENTER || kind === RETURN) && withoutSignal.includes(block.value[i] as number)) return 0;
    return block.extra[i] as number;
  };
}
