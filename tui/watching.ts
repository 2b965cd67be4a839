/** `record --live`, `analyze --live`: the rules look on while a run is recorded, and tell the first of each kind of finding as it comes. */

import { setImmediate as turn } from "node:timers/promises";
import { type Analysis, createAnalysis } from "../analyzer/catalogue.ts";
import { type AnalysisResult, atLeast, type Finding, type Names, type Rule, type Severity } from "../analyzer/index.ts";
import type { Sink } from "../engine/index.ts";
import { followTrace, isPacked, recorderIsDone } from "../recorder/index.ts";
import { InputError, type Io } from "./io.ts";
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

export interface FollowOptions {
  /** All without it. */
  readonly rules: readonly Rule[] | undefined;
  /** Findings below it are not told as they come. */
  readonly severity: Severity;
  /** Called after each block with the number of rows so far. */
  readonly onProgress: (rows: number) => void;
}

/** What another process records into `dir`, analyzed as it comes, until that ends. Null when Ctrl-C came first. */
export async function followLive(io: Pick<Io, "talk" | "signal">, dir: string, options: FollowOptions): Promise<AnalysisResult | null> {
  if (isPacked(dir)) throw new InputError(`${dir} is a packed trace, which nobody records any more: leave --live out`);
  const followed = followTrace(dir);
  try {
    const analysis = createAnalysis(followed, options.rules, (finding) => {
      if (atLeast(finding.severity, options.severity)) io.talk(`${lineOf(finding, followed)}\n`);
    });
    for await (const block of followed.blocks(io.signal)) {
      analysis.put(block);
      options.onProgress(followed.rows);
      // Ctrl-C is heard between two blocks.
      await turn();
    }
    if (io.signal.aborted) return null;
    const result = analysis.finish(followed.reason === "finished");
    return (await recorderIsDone(dir, io.signal)) ? result : null;
  } finally {
    followed.close();
  }
}

function lineOf({ rule, severity, title, thread, lastSeq }: Finding, { threads }: Names): string {
  const who = thread === null ? "" : `, thread ${safe(threads[thread]?.name ?? String(thread), 30)}`;
  return `${severity}  ${rule}: ${safe(title)} (seq ${lastSeq.toLocaleString("en")}${who})`;
}
