/** What may be larger or smaller on the screen. */

/** Shares of the body; who uses the replay changes them. */
export interface Sizes {
  /** Of the height for the timeline, where the pane stands below it. */
  readonly high: number;
  /** Of the width for the timeline, where panes stand beside it. */
  readonly wide: number;
  /** Of the side for the chosen pane. */
  readonly upper: number;
  /** Of the height for the strip; null: as much as what stands in it can use. */
  readonly strip: number | null;
}

export const DEFAULT_SIZES: Sizes = { high: 0.6, wide: 0.57, upper: 0.5, strip: null };
/** What the hand takes hold of to change a size. */
export type Grip = "timeline" | "lower" | "strip";
