/** Which rows the timeline shows just now. */

import type { ReplaySession } from "../session.ts";
import type { ReplayState } from "../state.ts";
import { timelineParts } from "./frame.ts";
import { layoutOf } from "./layout.ts";

/** Their seqs from top to bottom; a row of several lines is there several times. */
export function seqsOnScreen(session: ReplaySession, s: ReplayState): readonly number[] {
  const { width, height } = layoutOf(s).timeline;
  return timelineParts(session, s, width, height).flatMap(({ seq }) => (seq >= 0 ? [seq] : []));
}
