/** `record --live`: the rules look on while a run is recorded, and tell the first of each kind of finding as it comes. */

import { type Analysis, createAnalysis } from "../analyzer/catalogue.ts";
import { type AnalysisResult, atLeast, type Finding, type Names, type Severity } from "../analyzer/index.ts";
import type { Sink } from "../engine/index.ts";
import type { Io } from "./io.ts";
import { safe } from "./present/safe.ts";

export interface Watch {
  /** The sink for the blocks of a run whose rows speak of these names. Once for a watch. */
  over(names: Names): Sink;
  /** Whether a finding came that ends the recording. */
  readonly hasSeenEnough: () => boolean;
  /** After the last block. Null when nothing was watched. */
  finish(): AnalysisResult | null;
}

/** `until`: a finding of at least this severity ends the recording; null: none does. */
export function watchLive(io: Pick<Io, "talk">, until: Severity | null): Watch {
  let analysis: Analysis | null = null;
  let enough = false;
  return {
    over(names) {
      const tell = (finding: Finding): void => {
        enough ||= until !== null && atLeast(finding.severity, until);
        io.talk(`${lineOf(finding, names)}\n`);
      };
      analysis = createAnalysis(names, undefined, tell);
      return analysis;
    },
    hasSeenEnough: () => enough,
    finish: () => analysis?.finish() ?? null,
  };
}

function lineOf({ rule, severity, title, thread, lastSeq }: Finding, { threads }: Names): string {
  const who = thread === null ? "" : `, thread ${safe(threads[thread]?.name ?? String(thread), 30)}`;
  return `${severity}  ${rule}: ${safe(title)} (seq ${lastSeq.toLocaleString("en")}${who})`;
}
