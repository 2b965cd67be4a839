/** The verdict over a trace for a command, with progress: from its database, or found now and kept there. */

import { judgeTrace, storedVerdict, type Verdict } from "../analyzer/index.ts";
import { type Trace, TraceError } from "../recorder/index.ts";
import type { Io } from "./io.ts";
import { type Progress, startProgress } from "./progress.ts";

/** Null when it was interrupted. */
export async function judgeAndKeep(io: Io, trace: Trace, progress = startProgress()): Promise<Verdict | null> {
  const verdict = await judge(io, trace, progress);
  if (verdict !== null) keep(io, trace, verdict);
  return verdict;
}

/** What is kept in the database, or found now. Null when it was interrupted. */
export const verdictFor = async (io: Io, trace: Trace): Promise<Verdict | null> => storedVerdict(trace) ?? (await judgeAndKeep(io, trace));

async function judge(io: Io, trace: Trace, progress: Progress): Promise<Verdict | null> {
  try {
    const onProgress = (rows: number): void => progress.update("comparing with Linux alone", rows, null);
    return await judgeTrace(trace, { signal: io.signal, onProgress });
  } finally {
    progress.end();
  }
}

/** A folder that cannot be written to is no reason to say nothing. */
function keep(io: Io, trace: Trace, verdict: Verdict): void {
  try {
    trace.replaceVerdict(verdict);
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
    io.talk(`the verdict is not kept, so that query does not know it: ${error.message}\n`);
  }
}
