/** The tabs over the pane: as drawn, and which one a click means. */

import { PANES, type PaneId } from "./index.ts";

const tabs = (shown: PaneId): string[] => PANES.map(({ id }, i) => (id === shown ? `[${i + 1} ${id}]` : ` ${i + 1} ${id} `));

export const tabLine = (shown: PaneId): string => tabs(shown).join(" ");

/** The pane of the tab at that column of the line, null between two. */
export function tabAt(shown: PaneId, column: number): PaneId | null {
  let from = 0;
  for (const [i, tab] of tabs(shown).entries()) {
    if (column >= from && column < from + tab.length) return PANES[i]?.id ?? null;
    from += tab.length + 1;
  }
  return null;
}
