/** Runs a case and says what of its expectations holds. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { analyze } from "../../analyzer/catalogue.ts";
import { type AnalysisResult, type Difference, firstOf, judgeTrace, type Verdict } from "../../analyzer/index.ts";
import { boot, optionsOf, parseScenario } from "../../engine/index.ts";
import { openTrace, type RunInfo, record } from "../../recorder/index.ts";
import { Interrupted } from "../io.ts";
import { packageVersion } from "../package-root.ts";
import type { CaseFile, Expectation } from "./form.ts";

export interface CaseResult {
  /** What does not hold, in words; empty when all does. */
  readonly failures: readonly string[];
  /** Decisions that met no choice: the emulation is another than when the case was made. */
  readonly unanswered: number;
}

export interface CaseOptions {
  /** Names the file, in errors of the scenario. */
  readonly where: string;
  readonly signal?: AbortSignal | undefined;
  /** Folder in which the trace stays; without it it is removed. */
  readonly keep?: string | undefined;
}

/** Throws ScenarioError, TraceError where the trace cannot be written; Interrupted. */
export async function runCase(what: CaseFile, { where, signal, keep }: CaseOptions): Promise<CaseResult> {
  const scratch = keep === undefined ? mkdtempSync(path.join(tmpdir(), "eintr-case-")) : null;
  const remove = (): void => {
    if (scratch !== null) rmSync(scratch, { recursive: true, force: true });
  };
  process.once("exit", remove);
  try {
    const { verdict, found, unanswered } = await answers(what, where, keep ?? path.join(scratch ?? "", "case.trace"), signal);
    return { failures: what.expect.flatMap((one) => failure(one, verdict, found)), unanswered };
  } finally {
    process.off("exit", remove);
    remove();
  }
}

async function answers(
  { stack, fixes, options, seed, rows, decisions, scenario: text }: CaseFile,
  where: string,
  dir: string,
  signal: AbortSignal | undefined,
): Promise<{ verdict: Verdict; found: AnalysisResult; unanswered: number }> {
  const scenario = parseScenario(text, `scenario of ${where}`);
  const run = boot({ stack, scenario, fixes, options, scheduler: "recorded", seed, decisions });
  const info: RunInfo = {
    eintr: packageVersion(),
    stack,
    fixes: [...fixes],
    options: optionsOf(run.options),
    scenario: scenario.name,
    scenarioText: text,
    seed,
    scheduler: "recorded",
    origin: "emulated",
  };
  await record(run, dir, info, { rows, signal, force: true });
  const trace = await openTrace(dir, { signal });
  if (trace === null) throw new Interrupted();
  try {
    const verdict = await judgeTrace(trace, { signal });
    const found = verdict === null ? null : await analyze(trace, { signal });
    if (verdict === null || found === null || signal?.aborted === true) throw new Interrupted();
    trace.replaceVerdict(verdict);
    trace.replaceFindings(found.findings, found.ran);
    return { verdict, found, unanswered: run.unanswered.length };
  } finally {
    trace.close();
  }
}

/** Nothing, or why it does not hold. */
function failure(one: Expectation, verdict: Verdict, { findings }: AnalysisResult): string[] {
  switch (one.is) {
    case "same-as-linux": {
      const first = firstOf(verdict);
      return first === undefined ? [] : [`expected the same as on Linux; first difference: ${differenceText(first)}`];
    }
    case "finding":
    case "no-finding": {
      const alike = findings.filter(({ rule, fingerprint }) => rule === one.rule && fingerprint === (one.fingerprint ?? fingerprint));
      const name = `${one.rule}${one.fingerprint === null ? "" : ` with the fingerprint ${one.fingerprint}`}`;
      if (alike.length > 0 === (one.is === "finding")) return [];
      if (one.is === "no-finding")
        return [`expected no finding ${name}; found: ${alike[0]?.title ?? ""} (seq ${alike[0]?.firstSeq ?? ""})`];
      const others = [...new Set(findings.map(({ rule, fingerprint }) => `${rule} ${fingerprint}`))];
      return [`expected the finding ${name}; found: ${others.length === 0 ? "nothing" : others.slice(0, 10).join(", ")}`];
    }
    default: {
      const is = verdict.differences.find(
        ({ what, thread, one: here, other }) =>
          what === one.what && thread === one.thread && here.text === one.here && other.text === one.linux,
      );
      const name = `${one.thread} ${one.what}: ${one.here}, on Linux ${one.linux}`;
      if ((is !== undefined) === (one.is === "difference")) return [];
      if (one.is === "no-difference") return [`expected no difference ${name}; it is there`];
      const first = firstOf(verdict);
      return [`expected the difference ${name}; first difference: ${first === undefined ? "none" : differenceText(first)}`];
    }
  }
}

const differenceText = ({ thread, what, one, other }: Difference): string => `${thread} ${what}: ${one.text}, on Linux ${other.text}`;
