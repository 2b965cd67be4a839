/** One case on several stacks, each run recorded, judged and analyzed as `eintr record` and `eintr analyze` do it. */

import path from "node:path";
import { runName, type Severity, type Verdict } from "../analyzer/index.ts";
import { BrokenLaw, type FixName, type OptionName, ScenarioError, STACKS, type StackName, type SwitchName } from "../engine/index.ts";
import type { Trace } from "../recorder/index.ts";
import { analyzeAndKeep } from "./analyzing.ts";
import { keepCase } from "./bug.ts";
import type { ScenarioCase } from "./case.ts";
import { Interrupted, type Io } from "./io.ts";
import { judgeAndKeep } from "./judging.ts";
import { openForCommand } from "./opening.ts";
import type { Progress } from "./progress.ts";
import { recordCase } from "./recording.ts";
import { inScratch } from "./scratch.ts";

export interface Ran {
  readonly is: "ran";
  readonly stack: StackName;
  /** The stack, and those of the switches that it knows. */
  readonly name: string;
  readonly verdict: Verdict;
  readonly findings: readonly FoundBy[];
  /** When the application made its last step, ns; of the run's last transition where it made none. */
  readonly time: { readonly ns: number; readonly of: "application" | "run" };
  /** How often the enclave was left; null for a stack without one. */
  readonly exits: { readonly eexit: number; readonly aex: number } | null;
  readonly transitions: number;
  readonly digest: string;
}

/** All findings of a rule. */
export interface FoundBy {
  readonly rule: string;
  readonly severity: Severity;
  readonly count: number;
}

/** The case cannot be run there: it names a place that the stack does not have. */
export interface Refused {
  readonly is: "refused";
  readonly stack: StackName;
  readonly name: string;
  readonly why: string;
}

export type Compared = Ran | Refused;

export interface Chosen {
  readonly stacks: readonly StackName[];
  readonly fixes: readonly FixName[];
  readonly options: readonly OptionName[];
}

/** In the order of `stacks`. Each trace is gone when its run has been looked at. Throws Interrupted after Ctrl-C. */
export async function compareCase(io: Io, what: ScenarioCase, chosen: Chosen, progress: Progress): Promise<Compared[]> {
  const rows: Compared[] = [];
  for (const [i, stack] of chosen.stacks.entries()) {
    const about = `${what.name} on ${stack} (${i + 1} of ${chosen.stacks.length}): `;
    const shared: Progress = { update: (text, done, total) => progress.update(about + text, done, total), end() {} };
    // Asked for before there is a folder to take away: from here on Ctrl-C is ours.
    stopIfAsked(io);
    rows.push(await inScratch("compare", (dir) => runOn(io, what, stack, chosen, path.join(dir, `${what.name}-${stack}.trace`), shared)));
  }
  return rows;
}

async function runOn(io: Io, what: ScenarioCase, stack: StackName, chosen: Chosen, dir: string, progress: Progress): Promise<Compared> {
  const isKnown = (name: SwitchName): boolean => STACKS[stack].switches?.includes(name) ?? false;
  const fixes = chosen.fixes.filter(isKnown);
  const options = chosen.options.filter(isKnown);
  try {
    const { end } = await recordCase(io, what, dir, { stack, fixes, options, scheduler: "scripted", force: true }, progress);
    stopIfAsked(io);
    const trace = await openForCommand(io, dir);
    try {
      return { is: "ran", stack, ...(await judged(io, trace, stack, progress)), transitions: end.rows, digest: end.digest };
    } finally {
      trace.close();
    }
  } catch (error) {
    if (io.signal.aborted) throw new Interrupted();
    if (error instanceof ScenarioError) return { is: "refused", stack, name: runName({ stack, fixes, options }), why: error.message };
    // The folder will be gone: the case of a bug of ours is kept beside the user.
    if (error instanceof BrokenLaw) keepCase(error, `${path.basename(dir)}.bug.json`, what.text);
    throw error;
  }
}

type Judged = Pick<Ran, "name" | "verdict" | "findings" | "time" | "exits">;

async function judged(io: Io, trace: Trace, stack: StackName, progress: Progress): Promise<Judged> {
  const verdict = await judgeAndKeep(io, trace, progress);
  const analyzed = verdict === null ? null : await analyzeAndKeep(io, trace, undefined, undefined, progress);
  if (verdict === null || analyzed === null) throw new Interrupted();
  const { findings, ran } = analyzed.result;
  return {
    name: runName(trace.info),
    verdict,
    findings: ran.flatMap(({ rule, findings: count }): FoundBy[] => {
      const severity = findings.find((one) => one.rule === rule)?.severity;
      return severity === undefined ? [] : [{ rule, severity, count }];
    }),
    time: timeOf(trace),
    exits: STACKS[stack].enclave ? exitsOf(trace) : null,
  };
}

function stopIfAsked(io: Io): void {
  if (io.signal.aborted) throw new Interrupted();
}

const APPLICATION = "SELECT max(time) FROM transition WHERE site IN (SELECT id FROM site WHERE layer = 'app')";

function timeOf(trace: Trace): Ran["time"] {
  const application = numberIn(trace, APPLICATION);
  if (application !== null) return { ns: application, of: "application" };
  return { ns: numberIn(trace, "SELECT max(time) FROM transition") ?? 0, of: "run" };
}

function exitsOf(trace: Trace): Ran["exits"] {
  const times = (kind: string): number => numberIn(trace, `SELECT count FROM kind WHERE name = '${kind}'`) ?? 0;
  return { eexit: times("sgx.eexit"), aex: times("sgx.aex") };
}

/** The first cell of the first row; null for none and for NULL. */
function numberIn(trace: Trace, sql: string): number | null {
  const cell = trace.ask(sql)[0]?.[0];
  return cell === undefined || cell === null ? null : Number(cell);
}
