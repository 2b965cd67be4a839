/** `eintr analyze`: run the rules over a trace. */

import { existsSync, statSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Command, Option } from "commander";
import { findEntry, findRule, RULES } from "../../analyzer/catalogue.ts";
import {
  type AnalysisResult,
  atLeast,
  type Because,
  createLogPlaces,
  type Difference,
  type FindingGroup,
  firstOf,
  type Rule,
  SEVERITIES,
  type Severity,
  type Verdict,
} from "../../analyzer/index.ts";
import { stacksKnowing } from "../../engine/index.ts";
import { ARROW_NAME, isPacked, type Trace } from "../../recorder/index.ts";
import { type Accepted, besideBaseline, readBaseline, writeBaseline } from "../analysis/baseline.ts";
import { junitText } from "../analysis/junit.ts";
import { markdownText } from "../analysis/markdown.ts";
import { linesOfFindings } from "../analysis/places.ts";
import type { AnalysisReport, ReportedGroup, Unexplained } from "../analysis/report.ts";
import { sarifText } from "../analysis/sarif.ts";
import { type Analyzed, analyzeAndKeep, keepWithUsers } from "../analyzing.ts";
import { becauseOf } from "../explaining.ts";
import { InputError, type Io } from "../io.ts";
import { verdictFor } from "../judging.ts";
import { openForCommand } from "../opening.ts";
import { packageVersion } from "../package-root.ts";
import { becauseLines, byEffect, unexplainedOf } from "../present/because.ts";
import { findingsText, summary } from "../present/findings.ts";
import { safe, safeJson } from "../present/safe.ts";
import { paint } from "../present/style.ts";
import { verdictJson, verdictLines } from "../present/verdict.ts";
import { startProgress } from "../progress.ts";
import { loadRules } from "../user-rules/load.ts";
import { followLive } from "../watching.ts";

const FORMATS = ["text", "json", "sarif", "markdown", "junit"] as const;

interface Options {
  live?: boolean;
  rule?: string[];
  rules?: string[];
  severity: Severity;
  format: (typeof FORMATS)[number];
  failOn: Severity | "never";
  baseline?: string;
  writeBaseline?: string;
  source?: string;
}

const repeated = (one: string, before: string[] = []): string[] => [...before, one];

export function analyzeCommand(io: Io): Command {
  return new Command("analyze")
    .description("tell how the application fared, and look for known ways of going wrong; both are kept in the trace's database")
    .argument("<trace>", "trace folder")
    .option("--live", "follow a trace that another process records: the first finding of each kind is told as it comes, all at its end")
    .option("--rule <id>", "only this rule; may be repeated (list: eintr rules)", repeated)
    .option("--rules <path>", "rules of your own besides: a .sql file, a .mjs module or a folder of them; may be repeated", repeated)
    .addOption(new Option("--severity <severity>", "tell only findings of at least this severity").choices([...SEVERITIES]).default("info"))
    .addOption(
      new Option("--format <name>", "text; json: one object a line; sarif, markdown, junit: one document")
        .choices([...FORMATS])
        .default("text"),
    )
    .addOption(
      new Option("--fail-on <severity>", "exit with 1 for findings of at least this severity; never: not for differences either")
        .choices([...SEVERITIES, "never"])
        .default("info"),
    )
    .option("--baseline <file>", "accepted findings: they do not fail; new ones do, and those that are gone are told")
    .option("--write-baseline <file>", "accept what is found now: write it to this file")
    .option("--source <file>", "the scenario or log that sarif and markdown point at (default: the log's name, or the scenario's)")
    .addHelpText(
      "after",
      `
Exit code: 0 the application fares as on Linux and nothing is found, 1 it fares
differently, or findings at or above --fail-on, 2 wrong use or input. With
--format json the first line is the verdict: {"verdict": ...}. With --baseline
only findings that it does not have count, and differences that no finding or
only accepted ones explain do not.

Examples:
  eintr analyze a.trace
  eintr analyze a.trace --fail-on high --format json
  eintr record server -o a.trace & eintr analyze a.trace --live
  eintr analyze a.trace --rule spurious-yield-per-pending
  eintr analyze a.trace --write-baseline accepted.json
  eintr analyze a.trace --baseline accepted.json --format junit > eintr.xml
  eintr analyze a.trace --format sarif --source my-case.yaml > eintr.sarif
  eintr analyze a.trace --rules my-rules/
  eintr query a.trace "SELECT rule, findings, cost_ns FROM analysis"`,
    )
    .action(async (dir: string, options: Options) => {
      const rules = options.rule?.map(findRule);
      const users = loadRules(options.rules ?? []);
      const accepted = options.baseline === undefined ? null : readBaseline(options.baseline);
      const live = options.live === true ? await lookOn(io, dir, rules, options.severity) : undefined;
      if (live === null) {
        io.talk("interrupted; the recording goes on without it\n");
        io.exitCode = 130;
        return;
      }
      const trace = await openForCommand(io, dir);
      try {
        const verdict = await verdictFor(io, trace);
        const again = (): Promise<Analyzed | null> => analyzeAndKeep(io, trace, rules, users);
        const analyzed = verdict === null ? null : live === undefined ? await again() : await keepWithUsers(io, trace, live, users);
        if (verdict === null || analyzed === null) {
          io.talk("interrupted; the findings of before are kept\n");
          io.exitCode = 130;
          return;
        }
        const { result, unkept } = analyzed;
        const shown = atSeverity(result, options.severity);
        await tell(io, { dir, trace, verdict, found: result, shown, rules: rules ?? RULES, accepted, options });
        io.talk(`${dir}: ${summary(result)} in ${trace.transitions.rows.toLocaleString("en")} transitions\n`);
        const omitted = result.ran.reduce((sum, run) => sum + run.omitted, 0);
        if (omitted > 0)
          io.talk(`${omitted.toLocaleString("en")} of them are like others and only counted: table analysis has the totals\n`);
        if (unkept !== null) io.talk(`not kept, so that show, replay and query do not know them: ${safe(unkept)}\n`);
        if (accepted !== null) tellBaseline(io, result, accepted);
        if (options.writeBaseline !== undefined) writeBaseline(options.writeBaseline, result.groups);
        if (fails(verdict, result.groups, accepted, options.failOn)) io.exitCode = 1;
      } finally {
        trace.close();
      }
    });
}

const BEGINS_MS = 3000;
const LOOK_MS = 100;

/** A recorder that was started just before (`eintr record ... &`) has no rows yet: some seconds are waited for them. */
async function untilRowsCome({ signal }: Io, dir: string): Promise<void> {
  const file = path.join(dir, ARROW_NAME);
  const isThere = (): boolean => isPacked(dir) || (existsSync(file) && (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0);
  for (let waited = 0; waited < BEGINS_MS && !isThere() && !signal.aborted; waited += LOOK_MS)
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
}

/** Null when Ctrl-C came before the end of the recording. */
async function lookOn(io: Io, dir: string, rules: readonly Rule[] | undefined, severity: Severity): Promise<AnalysisResult | null> {
  await untilRowsCome(io, dir);
  if (io.signal.aborted) return null;
  if (!existsSync(dir)) throw new InputError(`there is no trace "${dir}" yet: begin the recording first (eintr record)`);
  const progress = startProgress();
  const talk = (text: string): void => {
    progress.end();
    io.talk(text);
  };
  try {
    const onProgress = (rows: number): void => progress.update("following", rows, null);
    return await followLive({ talk, signal: io.signal }, dir, { rules, severity, onProgress });
  } finally {
    progress.end();
  }
}

function atSeverity(result: AnalysisResult, least: Severity): AnalysisResult {
  return {
    ...result,
    findings: result.findings.filter(({ severity }) => atLeast(severity, least)),
    groups: result.groups.filter(({ severity }) => atLeast(severity, least)),
  };
}

interface Told {
  readonly dir: string;
  readonly trace: Trace;
  readonly verdict: Verdict;
  readonly found: AnalysisResult;
  /** Of these, what is told. */
  readonly shown: AnalysisResult;
  readonly rules: readonly Rule[];
  readonly accepted: readonly Accepted[] | null;
  readonly options: Options;
}

async function tell(io: Io, told: Told): Promise<void> {
  const { dir, trace, verdict, found, options } = told;
  // Of some rules only, nobody can say that none explains a difference.
  const because = options.rule === undefined ? becauseOf(verdict, found.findings, trace.threads) : [];
  const { explaining, others } = byEffect(told.shown.groups, because);
  const shown = { ...told.shown, groups: because.length === 0 ? told.shown.groups : [...explaining, ...others] };
  const report = (): AnalysisReport => reportOf({ ...told, shown }, because);
  switch (options.format) {
    case "text":
      await io.out([...verdictLines(verdict), ...becauseLines(because)].map((line) => `${line}\n`).join(""));
      await io.out(
        findingsText(
          dir,
          shown,
          trace.threads,
          paint(io.color),
          io.columns,
          createLogPlaces(trace),
          others[0] && explaining.length > 0 ? others[0].fingerprint : null,
          (rule) => (findEntry(rule) ? { fix: fixFor(rule, trace) } : null),
        ),
      );
      return;
    case "json":
      await io.out(
        `${safeJson({ verdict: { ...verdictJson(verdict), because: because.map(({ rule, follows }) => ({ rule, follows })) } })}\n`,
      );
      for (const finding of shown.findings) await io.out(`${safeJson(finding)}\n`);
      return;
    case "sarif":
      return io.out(sarifText(report()));
    case "markdown":
      return io.out(markdownText(report()));
    case "junit":
      return io.out(junitText(report()));
  }
}

/** The switch that mends what the rule tells of, where the trace's scenario can be run again with it. */
function fixFor(rule: string, { info }: Trace): string | null {
  const fix = findEntry(rule)?.fix ?? null;
  if (fix === null || info.origin !== "emulated" || info.fixes.includes(fix)) return null;
  return stacksKnowing(fix).some((stack) => stack === info.stack) ? fix : null;
}

/** Unexplained differences in a document; a run that goes another way has thousands. */
const MOST_UNEXPLAINED = 100;

function reportOf({ dir, trace, verdict, found, shown, rules, accepted, options }: Told, because: readonly Because[]): AnalysisReport {
  const lineOf = linesOfFindings(trace);
  const lineAt = (name: string, seq: number | null): number | null =>
    seq === null ? null : lineOf({ thread: trace.threads.findIndex((one) => one.name === name), lastSeq: seq });
  const known = new Set((accepted ?? []).map(({ fingerprint }) => fingerprint));
  const groups = shown.groups.flatMap((group): ReportedGroup[] => {
    const at = shown.findings.findIndex(({ fingerprint }) => fingerprint === group.fingerprint);
    const first = shown.findings[at];
    if (first === undefined) return [];
    return [{ ...group, first, id: at + 1, line: lineOf(first), accepted: known.has(group.fingerprint) }];
  });
  const told = ({ thread, what, one, other, line }: Difference): Unexplained => ({
    thread,
    text: `${what}: ${one.text}, on Linux ${other.text}`,
    seq: one.seq,
    line: line ?? lineAt(thread, one.seq),
  });
  return {
    dir,
    source: options.source ?? verdict.log ?? `${trace.info.scenario}.yaml`,
    stack: trace.info.stack,
    groups,
    rules,
    ran: found.ran.map(({ rule }) => rule),
    threads: trace.threads,
    verdict,
    because,
    unexplained: accepted === null ? unexplainedOf(because).slice(0, MOST_UNEXPLAINED).map(told) : [],
    differs: accepted === null && firstOf(verdict) !== undefined,
    version: packageVersion(),
  };
}

/** What a rule found that did not run this time is not gone. */
function tellBaseline(io: Io, { groups, ran }: AnalysisResult, accepted: readonly Accepted[]): void {
  const asked = new Set(ran.map(({ rule }) => rule));
  const { news, known, gone } = besideBaseline(
    groups,
    accepted.filter(({ rule }) => asked.has(rule)),
  );
  io.talk(`baseline: ${known.length} accepted, ${news.length} new, ${gone.length} gone\n`);
  for (const { rule, title } of news) io.talk(`  new: ${rule}: ${title}\n`);
  for (const { rule, title } of gone) io.talk(`  gone: ${rule}: ${title}\n`);
}

/** With a baseline the differences are accepted with the findings that it has. */
function fails(
  verdict: Verdict,
  groups: readonly FindingGroup[],
  accepted: readonly Accepted[] | null,
  failOn: Options["failOn"],
): boolean {
  if (failOn === "never") return false;
  const counted = accepted === null ? groups : besideBaseline(groups, accepted).news;
  if (counted.some(({ severity }) => atLeast(severity, failOn))) return true;
  return accepted === null && firstOf(verdict) !== undefined;
}
