/** What rows speak of by number. */

import type { ColumnName, Site, ThreadInfo } from "../engine/index.ts";

/** The lists grow while a run goes on: look up when needed. */
export interface Names {
  readonly sites: readonly Site[];
  readonly threads: readonly ThreadInfo[];
  readonly texts: readonly string[];
  /** Columns that the source of the rows does not know: their numbers say nothing. */
  readonly untold?: readonly ColumnName[] | undefined;
}
