/**
 * Where things are on the screen.
 *
 *     narrow                     wide                          wide and high
 *     first line, minimap        first line, minimap           first line, minimap
 *     timeline                   timeline │ tabs, chosen pane  timeline │ tabs, chosen pane
 *     tabs, chosen pane                   │ its companion               │ its companion
 *     message, keys              message, keys                 strip: lanes, or another wide pane
 *                                                              message, keys
 *
 * Two runs stand side by side where there is room for both, with the pane that compares them below.
 */

import { isWidePane, PANE_IDS } from "../panes/index.ts";
import { tabHeight } from "../panes/tabs.ts";
import type { ReplayState } from "../state.ts";
import { DEFAULT_SIZES, type Grip, type Sizes } from "./sizes.ts";

/** Ink would clear the whole screen for each frame that is as high as the terminal. */
export const SPARE_LINES = 1;
export const MIN_WIDTH = 60;
/** Lines of a frame; the terminal needs 18. */
export const MIN_HEIGHT = 18 - SPARE_LINES;
/** From here on panes stand beside the timeline, and with so many lines there is room for the strip. */
const WIDE = 110;
const HIGH = 34;
/** Between timeline and side. */
export const BAR = 3;
/** Below the body, above the footer. */
export const MESSAGE_LINES = 2;

/** What is moved by hand may take so much, and so little. */
const LEAST_SHARE = 0.15;
const MOST_SHARE = 0.85;
/** The strip's share when it is not set: of the lanes, and of a pane that was chosen to stand in it. */
const LANES_SHARE = 0.29;
const STRIP_SHARE = 0.42;
/** Fewest lines and cells of a part. */
const LEAST = { timelineHeight: 5, side: 30, pane: 6, panel: 4, strip: 6 } as const;

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Rect extends Size {
  readonly left: number;
  readonly top: number;
}

/** A pane and where it stands. Its title, if it has one, is its first line; the chosen pane of the side has the tabs instead. */
export interface Panel extends Rect {
  readonly pane: string;
  readonly place: "chosen" | "upper" | "lower" | "strip";
}

export interface Layout {
  /** First line of the body: the header and the minimap are above it. */
  readonly bodyTop: number;
  readonly bodyHeight: number;
  readonly timeline: Rect;
  /** One line, or two beside the timeline where the names need them. */
  readonly tabs: Rect;
  readonly panels: readonly Panel[];
  /** Panes stand beside the timeline, not below. */
  readonly wide: boolean;
  /** The timelines of two runs stand beside each other. */
  readonly beside: boolean;
}

/** What the layout depends on. */
export type Looks = Size & Partial<Pick<ReplayState, "pane" | "signal" | "sizes" | "threads" | "compared">>;

const clamped = (value: number, least: number, most: number): number => Math.max(least, Math.min(most, value));

export function layoutOf(s: Looks): Layout {
  const { width, height, sizes = DEFAULT_SIZES, pane = "state" } = s;
  const bodyHeight = height - 3 - MESSAGE_LINES;
  const bodyTop = 2;
  if (width >= WIDE) return wideLayout(s, bodyTop, bodyHeight);
  const share = Math.max(LEAST.pane, Math.floor(bodyHeight * (1 - sizes.high)));
  const below = clamped(share, LEAST.pane, Math.max(LEAST.pane, bodyHeight - LEAST.timelineHeight));
  const timeline = { left: 0, top: bodyTop, width, height: bodyHeight - below };
  const tabs = { left: 0, top: bodyTop + timeline.height, width, height: 1 };
  const chosen: Panel = { pane, place: "chosen", left: 0, top: tabs.top + 1, width, height: below - 1 };
  return { bodyTop, bodyHeight, timeline, tabs, panels: [chosen], wide: false, beside: false };
}

function wideLayout(s: Looks, bodyTop: number, bodyHeight: number): Layout {
  const { width, height, sizes = DEFAULT_SIZES, pane = "state" } = s;
  const inStrip = height >= HIGH ? (isWidePane(pane) ? pane : "lanes") : null;
  // Beside each other the timelines are what one looks at.
  const isBeside = s.compared === true && pane === "compare" && inStrip !== null && width >= 2 * MIN_WIDTH + BAR;
  const share = sizes.strip ?? (inStrip === pane && !isBeside ? STRIP_SHARE : LANES_SHARE);
  const wanted = Math.min(Math.round(bodyHeight * share), inStrip === "lanes" && sizes.strip === null ? lanesHeight(s) : bodyHeight);
  const stripHeight = inStrip === null ? 0 : clamped(wanted, LEAST.strip, bodyHeight - 3 * LEAST.panel);
  const upperHeight = bodyHeight - stripHeight;
  if (isBeside) {
    const timeline = { left: 0, top: bodyTop, width, height: upperHeight - 1 };
    const tabs = { left: 0, top: bodyTop + timeline.height, width, height: 1 };
    const chosen: Panel = { pane, place: "chosen", left: 0, top: tabs.top + 1, width, height: stripHeight };
    return { bodyTop, bodyHeight, timeline, tabs, panels: [chosen], wide: false, beside: true };
  }
  const left = clamped(Math.floor(width * sizes.wide), MIN_WIDTH, width - BAR - LEAST.side);
  const side = { left: left + BAR, width: width - left - BAR };
  const chosen = inStrip === pane ? companionOf(s, pane) : pane;
  const tabs = { ...side, top: bodyTop, height: tabHeight(PANE_IDS, side.width) };
  const top = bodyTop + tabs.height;
  const room = upperHeight - tabs.height;
  const first = clamped(Math.ceil(room * sizes.upper), LEAST.panel, room - LEAST.panel);
  const panels: Panel[] = [
    { pane: chosen, place: chosen === pane ? "chosen" : "upper", ...side, top, height: first },
    { pane: companionOf(s, chosen), place: "lower", ...side, top: top + first, height: room - first },
  ];
  if (inStrip !== null) panels.push({ pane: inStrip, place: "strip", left: 0, top: bodyTop + upperHeight, width, height: stripHeight });
  return {
    bodyTop,
    bodyHeight,
    timeline: { left: 0, top: bodyTop, width: left, height: upperHeight },
    tabs,
    panels,
    wide: true,
    beside: false,
  };
}

/** Lines that the lanes of so many threads can fill: three each, and the title, axis, marks and legend. */
const lanesHeight = ({ threads = 1 }: Looks): number => 3 * threads + 4;

/** What is most worth seeing beside a pane: the machine's state, and beside that the signal that is followed, or what is wrong. */
function companionOf({ signal = null }: Looks, pane: string): string {
  if (pane !== "state" && !isWidePane(pane)) return "state";
  return signal === null ? "findings" : "signal";
}

/** Lines of the panel that are its pane's: all below its title. */
export const roomOf = ({ place, width, height }: Panel): Size => ({ width, height: place === "chosen" ? height : height - 1 });

/** The panel of the chosen pane, wherever it stands. */
export function chosenPanel(s: Looks & { readonly pane: string }): Panel {
  const { panels } = layoutOf(s);
  return panels.find(({ pane }) => pane === s.pane) ?? (panels[0] as Panel);
}

/** The border at this place of the screen; null where there is none. */
export function gripAt({ timeline, tabs, panels, wide, beside, bodyTop }: Layout, line: number, column: number): Grip | null {
  if (line < bodyTop) return null;
  if (!wide) return line !== tabs.top ? null : beside ? "strip" : "timeline";
  const title = panels.find(({ place, top, left, width }) => place !== "chosen" && line === top && column >= left && column < left + width);
  if (title?.place === "lower" || title?.place === "strip") return title.place;
  const isOnBar = column >= timeline.width && column < timeline.width + BAR && line < timeline.top + timeline.height;
  return isOnBar ? "timeline" : null;
}

const share = (part: number, whole: number): number => clamped(part / Math.max(1, whole), LEAST_SHARE, MOST_SHARE);

/** The sizes after a border was taken to this place. */
export function resized(s: Looks, grip: Grip, line: number, column: number): Sizes {
  const { sizes = DEFAULT_SIZES } = s;
  const { wide, bodyTop, bodyHeight, timeline, tabs } = layoutOf(s);
  if (grip === "strip") return { ...sizes, strip: share(bodyTop + bodyHeight - line, bodyHeight) };
  if (grip === "lower") return { ...sizes, upper: share(line - bodyTop - tabs.height, timeline.height - tabs.height) };
  return wide ? { ...sizes, wide: share(column, s.width) } : { ...sizes, high: share(line - bodyTop, bodyHeight) };
}

const STEP = 0.05;

/** The sizes with more (1) or less (-1) room for the timeline. */
export function resizedTimeline(s: Looks, by: 1 | -1): Sizes {
  const { sizes = DEFAULT_SIZES } = s;
  const moved = (value: number): number => clamped(value + by * STEP, LEAST_SHARE, MOST_SHARE);
  return layoutOf(s).wide ? { ...sizes, wide: moved(sizes.wide) } : { ...sizes, high: moved(sizes.high) };
}

/** The sizes with more (1) or less (-1) height for the chosen pane. */
export function resizedPane(s: Looks & { readonly pane: string }, by: 1 | -1): Sizes {
  const { sizes = DEFAULT_SIZES } = s;
  const { wide, bodyHeight } = layoutOf(s);
  if (!wide) return resizedTimeline(s, by === 1 ? -1 : 1);
  const { place, height } = chosenPanel(s);
  if (place === "strip") return { ...sizes, strip: clamped(height / bodyHeight + by * STEP, LEAST_SHARE, MOST_SHARE) };
  return { ...sizes, upper: clamped(sizes.upper + by * STEP, LEAST_SHARE, MOST_SHARE) };
}
