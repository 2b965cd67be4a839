/** What an exporter is: a trace in a form that other programs read. */

import type { Trace } from "../trace/open.ts";

/** Takes a piece of the output; resolves when the next may come. */
export type ExportSink = (piece: string | Uint8Array) => Promise<void>;

export interface Exporter {
  /** A short name, e.g. "csv". */
  readonly id: string;
  /** How a file of it usually ends, e.g. ".csv". */
  readonly extension: string;
  /** What it is, in one line. */
  readonly text: string;
  /** The pieces are bytes, no text for a terminal. */
  readonly binary: boolean;
  /** Writes all of the trace, a block at a time: memory does not grow with it. Throws TraceError, and what the sink throws. */
  write(trace: Trace, sink: ExportSink): Promise<void>;
}
