/** Where things are on the screen. */

/** Ink would clear the whole screen for each frame that is as high as the terminal. */
export const SPARE_LINES = 1;
export const MIN_WIDTH = 60;
/** Of the terminal: 18. */
export const MIN_HEIGHT = 18 - SPARE_LINES;
const WIDE = 140;
/** Below the body, above the footer. */
export const MESSAGE_LINES = 2;

interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Layout {
  readonly bodyHeight: number;
  /** First line of the body: the header and the minimap are above it. */
  readonly bodyTop: number;
  readonly timeline: Size;
  readonly side: Size;
  /** The pane stands beside the timeline, not below. */
  readonly wide: boolean;
}

export function layoutOf({ width, height }: Size): Layout {
  const bodyHeight = height - 3 - MESSAGE_LINES;
  const bodyTop = 2;
  if (width >= WIDE) {
    const left = Math.floor(width * 0.56);
    return {
      bodyHeight,
      bodyTop,
      wide: true,
      timeline: { width: left, height: bodyHeight },
      side: { width: width - left - 3, height: bodyHeight },
    };
  }
  const below = Math.max(6, Math.floor(bodyHeight * 0.4));
  return { bodyHeight, bodyTop, wide: false, timeline: { width, height: bodyHeight - below }, side: { width, height: below } };
}
