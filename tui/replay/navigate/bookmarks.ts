/** Bookmarks, and the notes that are written to them. */

import { MAX_BOOKMARKS, MAX_NOTE } from "../../marks.ts";
import type { Context } from "../context.ts";
import type { ReplayState } from "../state.ts";
import { goTo, NOTHING } from "./navigation.ts";
import type { Direction } from "./rows.ts";

export const bookmarkText = ({ notes }: ReplayState, seq: number): string => {
  const note = notes[seq] ?? "";
  return note === "" ? "bookmark" : `note: ${note}`;
};

export function bookmark(c: Context, direction: Direction): void {
  const { bookmarks, seq } = c.state();
  const found = direction === 1 ? bookmarks.find((one) => one > seq) : bookmarks.findLast((one) => one < seq);
  if (found === undefined)
    return c.dispatch({ type: "say", message: bookmarks.length === 0 ? "no bookmarks: m sets one" : NOTHING[direction] });
  goTo(c, found, null, (c.state().notes[found] ?? "") === "" ? "" : bookmarkText(c.state(), found));
}

export function toggleBookmark(c: Context): void {
  const { bookmarks, seq } = c.state();
  if (bookmarks.length >= MAX_BOOKMARKS && !bookmarks.includes(seq))
    return c.dispatch({ type: "say", message: `there are ${MAX_BOOKMARKS} bookmarks already` });
  c.dispatch({ type: "bookmark", seq });
}

/** The note of the transition stood at; an empty one takes it away, the bookmark stays. */
export function note(c: Context, text: string): void {
  const { bookmarks, seq } = c.state();
  if (bookmarks.length >= MAX_BOOKMARKS && !bookmarks.includes(seq)) return toggleBookmark(c);
  const trimmed = text.trim().slice(0, MAX_NOTE);
  c.dispatch({ type: "note", seq, text: trimmed });
  c.dispatch({ type: "say", message: trimmed === "" ? "no note here" : "noted; 8 lists the notes, eintr report and export tell them" });
}
