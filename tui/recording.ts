/** Records a case on a stack, with progress, and says in words what came out. Used by `record`, `demo` and, for a case, `replay`. */

import {
  BrokenLaw,
  boot,
  type FixName,
  logLines,
  type OptionName,
  optionsOf,
  type Run,
  type Scheduler,
  type StackName,
  signalName,
} from "../engine/index.ts";
import { type QualityCounter, type Recorded, type RecordOptions, type RunInfo, record } from "../recorder/index.ts";
import { keepCase } from "./bug.ts";
import { type Case, openCase, type ScenarioCase, type TransitionsCase } from "./case.ts";
import type { Io } from "./io.ts";
import { packageVersion } from "./package-root.ts";
import { momentText } from "./present/time.ts";
import { startProgress } from "./progress.ts";
import type { Watch } from "./watching.ts";

export { openCase };

export interface RecordingOptions {
  readonly stack: StackName;
  readonly fixes: readonly FixName[];
  readonly options?: readonly OptionName[] | undefined;
  readonly scheduler: Scheduler;
  readonly seed?: number | undefined;
  readonly rows?: number | undefined;
  /** At most about so many bytes of transitions.arrow. */
  readonly bytes?: number | undefined;
  readonly force: boolean;
  /** Rules that look on while it is recorded. */
  readonly watch?: Watch | undefined;
}

/** Throws TraceError, and what an importer throws while it reads. */
export async function recordCase(
  io: Pick<Io, "signal">,
  what: Case,
  dir: string,
  options: RecordingOptions,
  progress = startProgress(),
): Promise<Recorded> {
  const shared: RecordOptions = {
    rows: options.rows,
    bytes: options.bytes,
    force: options.force,
    stopWhen: options.watch?.hasSeenEnough,
    signal: io.signal,
    onProgress({ phase, rows, total, timeNs, bytes }) {
      const words =
        phase === "seal" ? "writing trace.db" : `${rows.toLocaleString("en")} transitions, ${momentText(timeNs, 1)}, ${megabytes(bytes)}`;
      progress.update(words, rows, total);
    },
  };
  try {
    return await (what.is === "scenario" ? emulate(what, dir, options, shared) : keep(what, dir, shared, options.watch));
  } finally {
    progress.end();
  }
}

async function emulate(what: ScenarioCase, dir: string, options: RecordingOptions, shared: RecordOptions): Promise<Recorded> {
  const { stack, fixes, options: chosen = [], scheduler } = options;
  const { scenario, text, counters } = what;
  const seed = options.seed ?? scenario.seed;
  const run = boot({ stack, scenario, fixes, options: chosen, scheduler, seed });
  const also = options.watch?.over(run);
  const info: RunInfo = {
    eintr: packageVersion(),
    stack,
    fixes: [...fixes],
    options: optionsOf(run.options),
    scenario: what.name,
    scenarioText: text,
    seed,
    scheduler,
    origin: "emulated",
  };
  try {
    return await record(run, dir, info, { ...shared, also, quality: () => [...counters, ...plansLeft(run), ...plansMissed(run)] });
  } catch (error) {
    if (error instanceof BrokenLaw) keepCase(error, `${dir}.bug.json`, text);
    throw error;
  }
}

/** What happened, as an importer tells it. */
async function keep(what: TransitionsCase, dir: string, shared: RecordOptions, watch: Watch | undefined): Promise<Recorded> {
  const { source, importer, name, limits, counters, close } = what;
  const also = watch?.over(source);

  const info: RunInfo = {
    eintr: packageVersion(),
    stack: importer.id,
    fixes: [],
    options: [],
    scenario: name,
    scenarioText: "",
    seed: 0,
    scheduler: "",
    origin: "imported",
    clock: importer.clock,
  };
  try {
    return await record(source, dir, info, { ...shared, also, rows: shared.rows ?? limits.rows, stopAtNs: limits.time, quality: counters });
  } finally {
    close();
  }
}

/** Why a run with plans that come for ever was over. */
const plansLeft = ({ plansLeft: count }: Run): QualityCounter[] =>
  count === 0 ? [] : [{ name: "plans-left", count, severity: "notice", advice: PLANS_LEFT }];

const PLANS_LEFT = "signals or arrivals of the scenario were still to come, but nobody was left whom they could reach: the run ended there";

/** A signal that never came leaves a run in which nothing went wrong. Of a log all plans are the importer's, and other stacks go other ways. */
function plansMissed({ plansMissed: missed, options }: Run): QualityCounter[] {
  const { signals, arrivals } = options.scenario;
  const [first] = missed;
  if (first === undefined || logLines(options.scenario).size > 0) return [];
  const signal = signals[first];
  const arrival = arrivals[first - signals.length];
  const place = Object.entries(signal?.when ?? arrival?.when ?? {}).map(
    ([key, value]) => `${key}: ${key === "handler" ? signalName(Number(value)) : value}`,
  );
  const what = signal ? signalName(signal.signal) : `what is to come to ${arrival?.to}`;
  const advice = `signals or arrivals of the scenario never came, for the run never came to their place; the first is ${what}, when { ${place.join(", ")} }`;
  return [{ name: "plans-missed", count: missed.length, severity: "notice", advice }];
}

/** What is told of a case when its run is over, without the run's program. */
export type AboutCase = Pick<ScenarioCase, "is" | "counters" | "real"> | Pick<TransitionsCase, "is" | "importer">;

export const aboutCase = (what: Case): AboutCase =>
  what.is === "scenario" ? { is: what.is, counters: what.counters, real: what.real } : { is: what.is, importer: what.importer };

export function tellRecorded(io: Io, recorded: Recorded, what: AboutCase, stack: StackName): void {
  const { end, dir } = recorded;
  const why = {
    finished: "",
    aborted: ", stopped early",
    "row-limit": ", at the limit of transitions",
    "time-limit": ", at the limit of time",
  };
  const [from, time] = what.is === "scenario" ? [`on ${stack}`, "virtual time"] : [`from ${what.importer.text}`, "real time"];
  io.talk(`${dir}: ${end.rows.toLocaleString("en")} transitions ${from}, ${momentText(end.time, 1)} of ${time}${why[end.reason]}\n`);
  io.talk(`digest ${end.digest}\n`);
  if (recorded.sealed === null) io.talk("interrupted before trace.db was made; the next command makes it\n");
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
