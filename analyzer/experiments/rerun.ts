/** Runs a trace's scenario again from its decisions and compares, row by row (design, "Promise: determinism"). */

import { setImmediate as turn } from "node:timers/promises";
import {
  type Block,
  boot,
  COLUMN_NAMES,
  type ColumnName,
  type Decision,
  type FixName,
  findStackName,
  isFix,
  isOption,
  type OptionName,
  parseScenario,
  type Run,
  type StackName,
  type Transition,
  transitionAt,
} from "../../engine/index.ts";
import type { Trace } from "../../recorder/index.ts";

/** The trace cannot be run again, or not with this change. The message is for the user as it is. */
export class ExperimentError extends Error {}

export interface Changes {
  readonly stack?: StackName | undefined;
  readonly fixes?: readonly FixName[] | undefined;
  readonly options?: readonly OptionName[] | undefined;
  readonly decisions?: readonly Decision[] | undefined;
  /** Instead of the recorded decisions: for a recording that was made so. */
  readonly scheduler?: "scripted" | undefined;
}

/** The run of a trace, at its start. Throws ExperimentError for a trace this build cannot run, ScenarioError for a broken text in it. */
export function runOf(trace: Trace, changes: Changes = {}): Run {
  const { info, dir } = trace;
  if (info.origin !== "emulated") throw new ExperimentError(`${dir}: was imported from a real run: there is no scenario to run again`);
  const known = <N extends string>(found: N | undefined, name: string, what: string): N => {
    if (found === undefined) throw new ExperimentError(`${dir}: recorded by eintr ${info.eintr} with ${what} "${name}", unknown here`);
    return found;
  };
  const scenario = parseScenario(info.scenarioText, `scenario of ${dir}`);
  return boot({
    stack: changes.stack ?? known(findStackName(info.stack), info.stack, "the stack"),
    // Another run may need more transitions for the same time; the caller bounds it.
    scenario: isAnother(changes) ? { ...scenario, limit: { ...scenario.limit, transitions: Number.MAX_SAFE_INTEGER } } : scenario,
    fixes: changes.fixes ?? info.fixes.map((name) => known(isFix(name) ? name : undefined, name, "the fix")),
    options: changes.options ?? info.options.map((name) => known(isOption(name) ? name : undefined, name, "the option")),
    scheduler: changes.scheduler ?? "recorded",
    seed: info.seed,
    decisions: changes.scheduler === undefined ? (changes.decisions ?? trace.decisions) : [],
  });
}

const isAnother = ({ stack, fixes, options }: Changes): boolean => stack !== undefined || fixes !== undefined || options !== undefined;

export interface RowDifference {
  readonly seq: number;
  /** Columns that differ; empty when one of the two ends here. */
  readonly columns: readonly ColumnName[];
  /** Null when the recording ends here. */
  readonly recorded: Transition | null;
  /** Null when the run ends here. */
  readonly again: Transition | null;
}

/**
 * The first transition at which `run` differs from the trace, null when there is none. Yields to the event loop after each block.
 * `onProgress` gets the number of rows compared; it returns false to stop (then the result says nothing).
 */
export async function firstDifferingRow(trace: Trace, run: Run, onProgress: (rows: number) => boolean): Promise<RowDifference | null> {
  let seq = 0;
  // What the trace knows nothing of is not compared: an older one lacks the columns that came later.
  const compared = COLUMN_NAMES.filter((name) => !(trace.absent as readonly ColumnName[]).includes(name));
  for (const recorded of trace.rows()) {
    let found: RowDifference | null = null;
    let made = 0;
    const sink = {
      put(again: Block): void {
        found ??= differenceIn(recorded, again, seq + made, compared);
        made += again.n;
      },
    };
    while (run.run(seq + recorded.n - run.machine.seq, sink) && run.machine.seq < seq + recorded.n) {
      await turn();
      if (!onProgress(seq)) return null;
    }
    run.flush(sink);
    if (found !== null) return found;
    if (made < recorded.n) return { seq: seq + made, columns: [], recorded: transitionAt(recorded, made), again: null };
    seq += recorded.n;
    await turn();
    if (!onProgress(seq)) return null;
  }
  return trace.transitions.end?.reason === "finished" ? goesOn(run, seq, onProgress) : null;
}

/** Rows of `again` (from `seq`) against those of the recorded block, in the columns `compared`. */
function differenceIn(recorded: Block, again: Block, seq: number, compared: readonly ColumnName[]): RowDifference | null {
  const offset = seq - recorded.seq0;
  let first = again.n;
  for (const name of compared) {
    const a = recorded[name];
    const b = again[name];
    for (let i = 0; i < first; i += 1) if (a[offset + i] !== b[i]) first = i;
  }
  if (first === again.n) return null;
  const columns = compared.filter((name) => recorded[name][offset + first] !== again[name][first]);
  return { seq: seq + first, columns, recorded: transitionAt(recorded, offset + first), again: transitionAt(again, first) };
}

async function goesOn(run: Run, seq: number, onProgress: (rows: number) => boolean): Promise<RowDifference | null> {
  let next: Transition | null = null;
  const sink = { put: (block: Block) => void (next ??= transitionAt(block, 0)) };
  while (run.run(1, sink) && run.machine.seq === seq) {
    await turn();
    if (!onProgress(seq)) return null;
  }
  run.flush(sink);
  return next === null ? null : { seq, columns: [], recorded: null, again: next };
}

/** "SEQ:POINT=CHOICE" changes one decision, the first of its kind of choice point at that seq; the list stays in order of seq. */
export function withDecision(decisions: readonly Decision[], text: string): Decision[] {
  const match = /^(\d+):(thread|arrive|interrupt|arrival)=(\d+)$/.exec(text);
  if (match === null)
    throw new ExperimentError(
      `--decide: expected SEQ:POINT=CHOICE with a choice point of thread, arrive, interrupt, arrival (such as 120:arrive=1), found "${text}"`,
    );
  const changed = { seq: Number(match[1]), point: match[2] ?? "", choice: Number(match[3]) };
  const at = decisions.findIndex((d) => d.seq === changed.seq && d.point === changed.point);
  if (at >= 0) return decisions.with(at, changed);
  return [...decisions, changed].sort((a, b) => a.seq - b.seq);
}
