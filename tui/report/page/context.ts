/** What the parts of the page know of each other. */

import type { ReportData } from "../data.ts";

export interface Hit {
  /** What it is: "finding", "difference", "signal", "row", "call". */
  readonly sort: string;
  readonly text: string;
  go(): void;
}

export interface Page {
  readonly data: ReportData;
  /** What the search looks through. */
  readonly hits: Hit[];
  /** Elements that show a transition, by its seq: rows of diagrams. */
  readonly rows: Map<number, HTMLElement>;
  /** To a transition: its row in a diagram, else its place in the lanes. */
  goTo(seq: number): void;
  /** To a time in the lanes. */
  showTime(time: number, thread: number | null): void;
}
