/** Where things are on the screen. */

/** Ink would clear the whole screen for each frame that is as high as the terminal. */
export const SPARE_LINES = 1;
export const MIN_WIDTH = 60;
/** Lines of a frame; the terminal needs 18. */
export const MIN_HEIGHT = 18 - SPARE_LINES;
const WIDE = 140;
/** Between timeline and side. */
const BAR = 3;
/** Below the body, above the footer. */
export const MESSAGE_LINES = 2;

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Layout {
  readonly bodyHeight: number;
  /** First line of the body: the header and the minimap are above it. */
  readonly bodyTop: number;
  readonly timeline: Size;
  readonly side: Size;
  /** Where the side begins: its tabs are its first line. */
  readonly sideLeft: number;
  readonly sideTop: number;
  /** The pane stands beside the timeline, not below. */
  readonly wide: boolean;
}

/** What a pane has of the side, below its tabs: half of it where the state stands below other panes. */
export function paneRoom(s: Size & { readonly pane: string }): Size {
  const { side, wide } = layoutOf(s);
  return { width: side.width, height: (wide && s.pane !== "state" ? Math.ceil(side.height / 2) : side.height) - 1 };
}

export function layoutOf({ width, height }: Size): Layout {
  const bodyHeight = height - 3 - MESSAGE_LINES;
  const bodyTop = 2;
  if (width >= WIDE) {
    const left = Math.floor(width * 0.56);
    return {
      bodyHeight,
      bodyTop,
      sideLeft: left + BAR,
      sideTop: bodyTop,
      wide: true,
      timeline: { width: left, height: bodyHeight },
      side: { width: width - left - BAR, height: bodyHeight },
    };
  }
  const below = Math.max(6, Math.floor(bodyHeight * 0.4));
  const timeline = { width, height: bodyHeight - below };
  return { bodyHeight, bodyTop, sideLeft: 0, sideTop: bodyTop + timeline.height, wide: false, timeline, side: { width, height: below } };
}
