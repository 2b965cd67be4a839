/** What a document is: the answers of a trace, in a form that people or other tools read. Bounded, however long the trace is. */

import type { Trace } from "../../recorder/index.ts";
import type { Io } from "../io.ts";
import type { ReportData } from "../report/data.ts";

export interface Told {
  readonly io: Io;
  readonly trace: Trace;
  readonly data: ReportData;
  /** The finding that a picture is of; undefined: the first one, or the first difference. */
  readonly finding: number | undefined;
}

export interface Document {
  readonly id: string;
  /** How a file of it usually ends. */
  readonly extension: string;
  /** What it is, in one line. */
  readonly text: string;
  /** It shows one finding: the option --finding says which. */
  readonly ofOneFinding: boolean;
  write(told: Told): Promise<string>;
}
