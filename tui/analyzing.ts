/** Runs the rules over a trace, with progress, and keeps the findings in its database. Used by `analyze` and `demo`. */

import { type AnalysisResult, analyze, type Rule } from "../analyzer/index.ts";
import type { Trace } from "../recorder/index.ts";
import type { Io } from "./io.ts";
import { startProgress } from "./progress.ts";

/** Null when it was interrupted; then the findings of before stay. Throws TraceError. */
export function analyzeTrace(io: Io, trace: Trace, rules?: readonly Rule[]): AnalysisResult | null {
  const progress = startProgress();
  const total = trace.transitions.rows;
  try {
    const result = analyze(trace, {
      rules,
      onProgress(rows) {
        progress.update("analyzing", rows, total);
        return !io.signal.aborted;
      },
    });
    if (result !== null) trace.replaceFindings(result.findings);
    return result;
  } finally {
    progress.end();
  }
}
