/** The versions of the format of `transitions.arrow`, and what came with them. */

import type { StateColumn } from "../../engine/index.ts";

/** Raised when an older reader could misread a newer file, as with another column; never reused. */
export const FORMAT_VERSION = 4;
/** The oldest that is read: the first one of which traces were kept. */
export const OLDEST_FORMAT = 3;

/**
 * The first format whose files have the column. One that comes later is absent in the files of older formats, and their digests do not
 * cover it. The other columns were always there.
 */
export const SINCE: Readonly<Record<StateColumn, number>> = {
  depth: OLDEST_FORMAT,
  cssa: OLDEST_FORMAT,
  preempt: OLDEST_FORMAT,
  pending: OLDEST_FORMAT,
};
