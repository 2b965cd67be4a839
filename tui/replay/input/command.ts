/** A command of the replay: what a key, or its name in the palette, runs. */

import type { Context } from "../context.ts";
import type { ReplayState } from "../state.ts";

export interface ReplayCommand {
  readonly name: string;
  /** As `typed.ts` names them. */
  readonly keys: readonly string[];
  readonly text: string;
  readonly group: "time" | "jump" | "pane" | "look" | "other";
  /** Word for the footer; "" where it has nothing to do. */
  readonly hint?: string | ((s: ReplayState) => string);
  /** Panes beside which the footer has it; absent: beside all. */
  readonly only?: readonly string[];
  readonly run: (c: Context) => void | Promise<void>;
}
