/** Records a case on a stack, with progress, and says in words what came out. Used by `record`, `demo` and, for a case, `replay`. */

import { BrokenLaw, boot, type FixName, type Run, type Scheduler, type StackName } from "../engine/index.ts";
import { type QualityCounter, type Recorded, type RunInfo, record } from "../recorder/index.ts";
import { keepCase } from "./bug.ts";
import { type Case, openCaseGently } from "./case.ts";
import type { Io } from "./io.ts";
import { packageVersion } from "./package-root.ts";
import { momentText } from "./present/time.ts";
import { startProgress } from "./progress.ts";

export { openCaseGently };

export interface RecordingOptions {
  readonly stack: StackName;
  readonly fixes: readonly FixName[];
  readonly scheduler: Scheduler;
  readonly seed?: number | undefined;
  readonly rows?: number | undefined;
  /** At most about so many bytes of transitions.arrow. */
  readonly bytes?: number | undefined;
  readonly force: boolean;
}

/** Throws TraceError. */
export async function recordCase(io: Io, what: Case, dir: string, options: RecordingOptions): Promise<Recorded> {
  const { scenario } = what;
  const seed = options.seed ?? scenario.seed;
  const run = boot({ stack: options.stack, scenario, fixes: options.fixes, scheduler: options.scheduler, seed });
  const info: RunInfo = {
    eintr: packageVersion(),
    stack: options.stack,
    fixes: [...options.fixes],
    scenario: what.name,
    scenarioText: what.text,
    seed,
    scheduler: options.scheduler,
    origin: "emulated",
  };
  const progress = startProgress();
  try {
    return await record(run, dir, info, {
      rows: options.rows,
      bytes: options.bytes,
      force: options.force,
      signal: io.signal,
      quality: () => [...what.counters, ...plansLeft(run)],
      onProgress({ phase, rows, total, timeNs, bytes }) {
        const words =
          phase === "seal" ? "writing trace.db" : `${rows.toLocaleString("en")} transitions, ${momentText(timeNs, 1)}, ${megabytes(bytes)}`;
        progress.update(words, rows, total);
      },
    });
  } catch (error) {
    if (error instanceof BrokenLaw) keepCase(error, `${dir}.bug.json`, what.text);
    throw error;
  } finally {
    progress.end();
  }
}

/** Why a run with plans that come for ever was over. */
const plansLeft = ({ plansLeft: count }: Run): QualityCounter[] =>
  count === 0 ? [] : [{ name: "plans-left", count, severity: "notice", advice: PLANS_LEFT }];

const PLANS_LEFT = "signals or arrivals of the scenario were still to come, but nobody was left whom they could reach: the run ended there";

export function tellRecorded(io: Io, recorded: Recorded, stack: StackName): void {
  const { end, dir } = recorded;
  const why = {
    finished: "",
    aborted: ", stopped early",
    "row-limit": ", at the limit of transitions",
    "time-limit": ", at the limit of time",
  };
  io.talk(
    `${dir}: ${end.rows.toLocaleString("en")} transitions on ${stack}, ${momentText(end.time, 1)} of virtual time${why[end.reason]}\n`,
  );
  io.talk(`digest ${end.digest}\n`);
  if (recorded.sealed === null) io.talk("interrupted before trace.db was made; the next command makes it\n");
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
