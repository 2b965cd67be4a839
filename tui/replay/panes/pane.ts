/** What a pane is. A pane is a file here and a line in `index.ts`; tabs, number keys, the palette and the help follow. */

import { displayWidth, safe } from "../../present/safe.ts";
import { wrapCells } from "../../present/two-column.ts";
import type { Action } from "../reduce.ts";
import type { Size } from "../screen/layout.ts";
import type { ReplaySession } from "../session.ts";
import type { ReplayState } from "../state.ts";

export interface Pane<Id extends string = string> {
  /** Its name on its tab and in the palette. */
  readonly id: Id;
  /** What it shows, for the help. */
  readonly title: string;
  /** Its rows need the whole width of the screen. */
  readonly wide?: true;
  /** Lines of at most `width` cells; more than `height` are cut off. Texts of strangers are safe in them. */
  readonly lines: (session: ReplaySession, s: ReplayState, width: number, height: number) => string[];
  /** What going down `by` lines in it does; absent where it shows what there is. */
  readonly scroll?: (session: ReplaySession, s: ReplayState, room: Size, by: number) => Action;
}

/** The scrolling that shows a list from another line: `base` is where it begins unscrolled, `most` where it may begin at last. */
export function scrollBy({ scroll }: ReplayState, base: number, most: number, by: number): Action {
  const from = scrolledFrom(base, most, scroll);
  return { type: "scroll", by: Math.max(0, Math.min(most, from + by)) - base - scroll };
}

export const scrolledFrom = (base: number, most: number, scroll: number): number => Math.max(0, Math.min(most, base + scroll));

/** The part of a list that is shown: `room` of its `count` rows, with row `at` in the middle where there are more. */
export const windowFrom = (at: number, room: number, count: number): number =>
  Math.max(0, Math.min(at - Math.floor(room / 2), count - room));

/** A row of a list: what stands before its text, and lines of the text below each other beside that. */
export interface Entry {
  readonly head: string;
  readonly text: string;
}

/** Lines of the chosen row where not all rows can be wrapped. */
const CHOSEN_LINES = 3;

/**
 * The lines of each row, of at most `width` cells: the texts are wrapped where all of it fits into `height`, cut where not, but that of
 * the `chosen` row.
 */
export function entryLines(entries: readonly Entry[], width: number, height: number, chosen = -1): string[][] {
  const wrapped = ({ head, text }: Entry): string[] =>
    wrapCells(safe(text), Math.max(8, width - displayWidth(head))).map((part, i) =>
      safe((i === 0 ? head : " ".repeat(displayWidth(head))) + part, width),
    );
  if (entries.length < height) {
    const all = entries.map(wrapped);
    if (all.reduce((sum, lines) => sum + lines.length, 0) <= height) return all;
  }
  return entries.map((entry, i) => (i === chosen ? hanging(entry, width).slice(0, CHOSEN_LINES) : [safe(entry.head + entry.text, width)]));
}

/** As much of the text as there is in few lines: those after the first begin at the left. */
const hanging = ({ head, text }: Entry, width: number): string[] =>
  wrapCells(safe(head + text), width, HANG).map((line, i) => safe(i === 0 ? line : " ".repeat(HANG) + line, width));
const HANG = 4;
