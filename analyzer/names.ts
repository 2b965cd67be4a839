/** What rows speak of by number. */

import type { Ending, Site, StateColumn, ThreadInfo } from "../engine/index.ts";

/** The lists grow while a run goes on: look up when needed. */
export interface Names {
  readonly sites: readonly Site[];
  readonly threads: readonly ThreadInfo[];
  readonly texts: readonly string[];
  /** Columns of state that the stack does not have or the imported file does not tell: their numbers say nothing. */
  readonly absent?: readonly StateColumn[] | undefined;
  /** How the run has ended; null while it goes on. */
  readonly ending?: Ending | null | undefined;
}
