/** A flow of a specification, and the run that shows it. */

import type { OptionName } from "../../../engine/index.ts";
import type { Interval } from "../../support/flow-listing.ts";
import type { Program } from "../../support/gramine-sgx.ts";

export interface SpecDiagram {
  /** Name of the golden file. */
  readonly name: string;
  /** Sections of the specification. */
  readonly sections: string;
  readonly program: Program;
  readonly options: readonly OptionName[];
  readonly interval: Interval;
  /** What the specification says, and the place of the recorded flow that stands for it. */
  readonly order: readonly (readonly [says: string, place: string])[];
}

/** The diagrams of a stack. */
export interface SpecDiagrams {
  /** As `runGramine` names it. */
  readonly stack: "linux" | "sgx" | "pr347" | "pr1218";
  /** Folder of the goldens below `test/golden`. */
  readonly folder: string;
  readonly specification: string;
  /** Where the scenarios are. */
  readonly file: string;
  readonly diagrams: readonly SpecDiagram[];
}
