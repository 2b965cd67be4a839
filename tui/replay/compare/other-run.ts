/** The other run: the same scenario with the same decisions, otherwise only as chosen; recorded, opened and laid beside this one. */

import { existsSync } from "node:fs";
import path from "node:path";
import { runOf } from "../../../analyzer/index.ts";
import { FIX_NAMES, type FixName, hint, optionsOf, STACK_NAMES, type StackName } from "../../../engine/index.ts";
import { ARROW_NAME, openTrace, record, type Trace } from "../../../recorder/index.ts";
import { InputError } from "../../io.ts";
import { openSession, type ReplaySession } from "../session.ts";
import { alignCalls } from "./alignment.ts";
import type { Choice } from "./choices.ts";

/** The other run may take another number of transitions for the same time; so many times more at most. */
export const MORE_ROWS = 10;

type OtherRun = Exclude<Choice, { readonly what: "trace" }>;

/** Told what goes on. */
type Told = (text: string) => void;

/**
 * The session beside the chosen one, aligned. Null when it was stopped. `dir` is a folder for the recording that is not there yet.
 * Throws TraceError, ExperimentError, InputError.
 */
export async function besideOther(
  session: ReplaySession,
  chosen: Choice,
  dir: string,
  stop: AbortSignal,
  told: Told,
): Promise<ReplaySession | null> {
  const trace = chosen.what === "trace" ? await openNamed(chosen.name) : await recordChosen(session.trace, chosen, dir, stop, told);
  if (trace === null) return null;
  const other = openSession(trace, { paint: session.paint, ascii: session.ascii }, null);
  const both = { ...session, other };
  const aligned = await alignCalls(both, stop, (done, total) =>
    told(`aligning the two runs: ${Math.floor((100 * done) / Math.max(1, total))} %`),
  );
  if (aligned) return both;
  trace.close();
  return null;
}

async function openNamed(dir: string): Promise<Trace> {
  if (!existsSync(path.join(dir, ARROW_NAME)))
    throw new InputError(`${dir}: no stack, no fix and no trace folder of that name${hint(dir, [...STACK_NAMES, ...FIX_NAMES])}`);
  return openTrace(dir);
}

async function recordChosen(trace: Trace, chosen: OtherRun, dir: string, stop: AbortSignal, told: Told): Promise<Trace | null> {
  const { info, transitions } = trace;
  const fixes = chosen.what === "fix" ? [...info.fixes, chosen.name as FixName] : undefined;
  const run = runOf(trace, chosen.what === "fix" ? { fixes: fixes as FixName[] } : { stack: chosen.name as StackName });
  await record(
    run,
    dir,
    { ...info, stack: run.options.stack, fixes: [...(fixes ?? info.fixes)], options: optionsOf(run.options) },
    {
      rows: MORE_ROWS * transitions.rows,
      stopAtNs: transitions.end?.reason === "finished" ? undefined : timeOfLast(transitions),
      signal: stop,
      onProgress: ({ rows }) => told(`running it: ${rows.toLocaleString("en")} transitions (Esc stops)`),
    },
  );
  return stop.aborted ? null : openTrace(dir);
}

/** Up to the same virtual time, where the trace was cut. */
export function timeOfLast(transitions: Trace["transitions"]): number {
  const last = transitions.readBlock(transitions.batches.length - 1);
  return last.time[last.n - 1] ?? 0;
}
