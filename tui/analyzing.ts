/** Runs the rules over a trace, with progress, and keeps the findings in its database. Used by `analyze` and `demo`. */

import { analyze } from "../analyzer/catalogue.ts";
import type { AnalysisResult, Rule } from "../analyzer/index.ts";
import { type Trace, TraceError } from "../recorder/index.ts";
import type { Io } from "./io.ts";
import { startProgress } from "./progress.ts";
import type { UserRules } from "./user-rules/load.ts";
import { runUserRules, together } from "./user-rules/run.ts";

export interface Analyzed {
  readonly result: AnalysisResult;
  /** Why the findings could not be kept in the database; null when they are. They are worth telling all the same. */
  readonly unkept: string | null;
}

const NONE_OF_YOUR_OWN: UserRules = { sql: [], modules: [] };

/** Null when it was interrupted; then the findings of before stay. `users`: rules that the user brings. */
export async function analyzeAndKeep(
  io: Io,
  trace: Trace,
  rules?: readonly Rule[],
  users: UserRules = NONE_OF_YOUR_OWN,
  progress = startProgress(),
): Promise<Analyzed | null> {
  const total = trace.transitions.rows;
  try {
    const result = await analyze(trace, {
      rules,
      signal: io.signal,
      onProgress: (rows) => progress.update("analyzing", rows, total),
    });
    return result === null ? null : await keepWithUsers(io, trace, result, users);
  } finally {
    progress.end();
  }
}

/** The same where the rules have looked on already, as the trace was recorded. */
export async function keepWithUsers(io: Io, trace: Trace, result: AnalysisResult, users: UserRules): Promise<Analyzed> {
  const all = together(result, await runUserRules(users, trace, io.signal));
  return { result: all, unkept: keepFindings(trace, all) };
}

/** Null, or why they could not be kept. */
export function keepFindings(trace: Trace, { findings, ran }: AnalysisResult): string | null {
  try {
    trace.replaceFindings(findings, ran);
    return null;
  } catch (error) {
    if (error instanceof TraceError) return error.message;
    throw error;
  }
}
