/** What of the run the lanes show: an axis of time or of transitions, and an interval of it. */

import type { ReplaySession } from "../session.ts";

export type Scale = "time" | "steps";

/** In ns of time, or in transitions. */
export interface Interval {
  readonly from: number;
  readonly span: number;
}

export interface LanesView {
  readonly scale: Scale;
  /** Null: the whole run. */
  readonly interval: Interval | null;
  /** While the cursor stands at this seq the interval stays, wherever the cursor is; after that it follows the cursor. */
  readonly pinned: number | null;
}

export const WHOLE_RUN: LanesView = { scale: "time", interval: null, pinned: null };

/** Narrowest intervals: some ten transitions. */
const LEAST_SPAN: Readonly<Record<Scale, number>> = { time: 100, steps: 20 };
const ZOOM = 2;
/** Of its span the interval moves on when the cursor leaves it, and when it is panned. */
const PAGE = 0.8;
const PAN = 0.25;

/** Where a transition lies on the axis. */
export function placeOf({ rows }: ReplaySession, scale: Scale, seq: number): number {
  return scale === "steps" ? seq : (rows.at(seq)?.time ?? 0);
}

/** The end of the axis: it begins at 0. */
export const lengthOf = (session: ReplaySession, scale: Scale): number =>
  scale === "steps" ? session.rows.count : placeOf(session, "time", session.rows.count - 1) + 1;

/** What is shown to one who stands at `seq`. */
export function shownInterval(session: ReplaySession, { scale, interval, pinned }: LanesView, seq: number): Interval {
  const length = lengthOf(session, scale);
  if (interval === null) return { from: 0, span: Math.max(length, LEAST_SPAN[scale]) };
  const { from, span } = interval;
  const place = placeOf(session, scale, seq);
  if (pinned === seq || (place >= from && place < from + span)) return interval;
  // Page by page, so that it stands still for most steps.
  const pages = Math.floor((place - from) / (span * PAGE));
  return within(from + pages * span * PAGE, span, length);
}

/** An interval that lies on the axis. */
const within = (from: number, span: number, length: number): Interval => ({ from: Math.max(0, Math.min(from, length - span)), span });

/** Nearer (1) or further away (-1), around a place of the axis; that place stays where it is on the screen. */
export function zoomed(session: ReplaySession, view: LanesView, seq: number, by: 1 | -1, around?: number): LanesView {
  const { scale } = view;
  const length = lengthOf(session, scale);
  const shown = shownInterval(session, view, seq);
  const span = Math.max(LEAST_SPAN[scale], by === 1 ? shown.span / ZOOM : shown.span * ZOOM);
  if (span >= length) return { ...view, interval: null, pinned: null };
  const place = around ?? placeOf(session, scale, seq);
  const share = Math.max(0, Math.min(1, (place - shown.from) / shown.span));
  return { scale, interval: within(place - share * span, span, length), pinned: around === undefined ? null : seq };
}

/** Later (positive) or earlier by so many of its own lengths; a quarter of it when nothing else is said. */
export function panned(session: ReplaySession, view: LanesView, seq: number, direction: 1 | -1, share = PAN): LanesView {
  if (view.interval === null) return view;
  const { from, span } = shownInterval(session, view, seq);
  return { ...view, interval: within(from + direction * share * span, span, lengthOf(session, view.scale)), pinned: seq };
}

/** The same on the other axis: what was shown stays shown. */
export function rescaled(session: ReplaySession, view: LanesView, seq: number, seqOf: (place: number) => number): LanesView {
  const scale = view.scale === "time" ? "steps" : "time";
  if (view.interval === null) return { ...view, scale };
  const { from, span } = shownInterval(session, view, seq);
  const [first, last] = [placeOf(session, scale, seqOf(from)), placeOf(session, scale, seqOf(from + span))];
  return { scale, interval: within(first, Math.max(LEAST_SPAN[scale], last - first), lengthOf(session, scale)), pinned: null };
}

/** An interval of the run with as much again before and after it. */
export function around(session: ReplaySession, firstSeq: number, lastSeq: number): LanesView {
  let [first, last] = [0, 0];
  try {
    [first, last] = [placeOf(session, "time", Math.max(0, firstSeq)), placeOf(session, "time", lastSeq)];
  } catch {
    // Where the trace is damaged its whole length is as good as any.
    return WHOLE_RUN;
  }
  const span = Math.max(LEAST_SPAN.time, (last - first) * 2);
  const length = lengthOf(session, "time");
  if (span >= length) return WHOLE_RUN;
  return { scale: "time", interval: within((first + last - span) / 2, span, length), pinned: null };
}
