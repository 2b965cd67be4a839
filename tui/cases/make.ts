/** Makes a case of a trace, as short as it can be told from the trace alone, and tries it. */

import { firstOf, runOf, type Verdict } from "../../analyzer/index.ts";
import { optionsOf } from "../../engine/index.ts";
import type { Trace } from "../../recorder/index.ts";
import { InputError, type Io } from "../io.ts";
import { packageVersion } from "../package-root.ts";
import type { CaseFile, Expectation } from "./form.ts";
import { runCase } from "./run.ts";

/** What the case is of. */
export interface Subject {
  readonly title: string;
  readonly expect: Expectation;
  /** The last transition it rests on; null: all of the run. */
  readonly lastSeq: number | null;
}

/** Throws InputError when there is no such finding. */
export function findingSubject(trace: Trace, id: number, present: boolean): Subject {
  const [row] = trace.ask("SELECT rule, fingerprint, title, last_seq FROM finding WHERE id = ?", id);
  if (row === undefined) {
    const known = Number(trace.ask("SELECT count(*) FROM finding")[0]?.[0]);
    throw new InputError(`${trace.dir}: no finding ${id}; ${known === 0 ? "nothing was found" : `they are numbered 1 to ${known}`}`);
  }
  const [rule, fingerprint, title, last] = row;
  const expect: Expectation = { is: present ? "finding" : "no-finding", rule: String(rule), fingerprint: String(fingerprint) };
  return { title: String(title), expect, lastSeq: Number(last) };
}

/** The first difference; a run without one is expected to stay so. */
export function verdictSubject(verdict: Verdict): Subject {
  const first = firstOf(verdict);
  if (first === undefined) return { title: "the application sees the same as on Linux", expect: { is: "same-as-linux" }, lastSeq: null };
  const { what, thread, one, other } = first;
  const expect: Expectation = { is: "difference", what, thread, here: one.text, linux: other.text };
  return { title: `${thread} ${what}: ${one.text}, on Linux ${other.text}`, expect, lastSeq: null };
}

/**
 * The shortest of some tries of which the expectation holds: up to the last transition of the finding, or all of the run. A case that
 * expects the opposite of what the trace shows is the same run. Throws ExperimentError for a trace that cannot be run again, InputError
 * when no try shows what the trace does; Interrupted.
 */
export async function makeCase(io: Io, trace: Trace, { title, expect, lastSeq }: Subject): Promise<CaseFile> {
  const run = runOf(trace);
  const { stack, fixes = [], seed = 0 } = run.options;
  const whole = trace.transitions.rows;
  const shown: Expectation = expect.is === "no-finding" ? { ...expect, is: "finding" } : expect;
  const failures: string[] = [];
  for (const rows of lastSeq === null ? [whole] : [Math.min(lastSeq + 1, whole), whole]) {
    const made: CaseFile = {
      title,
      madeBy: packageVersion(),
      stack,
      fixes,
      options: optionsOf(run.options),
      seed,
      rows,
      decisions: trace.decisions.filter((one) => one.seq < rows),
      expect: [shown],
      scenario: trace.info.scenarioText,
    };
    const result = await runCase(made, { where: trace.dir, signal: io.signal });
    if (result.failures.length === 0) return { ...made, expect: [expect] };
    failures.push(...result.failures);
  }
  throw new InputError(
    `${trace.dir}: run again, it does not show the same: ${failures.at(-1)}\nRecord it again with this version of eintr`,
  );
}
