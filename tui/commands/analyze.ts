/** `eintr analyze`: run the rules over a trace. */

import { Command, Option } from "commander";
import { atLeast, createLogPlaces, findRule, firstOf, SEVERITIES, type Severity, type Verdict } from "../../analyzer/index.ts";
import { analyzeAndKeep } from "../analyzing.ts";
import type { Io } from "../io.ts";
import { verdictFor } from "../judging.ts";
import { openForCommand } from "../opening.ts";
import { findingsText, summary } from "../present/findings.ts";
import { safe, safeJson } from "../present/safe.ts";
import { paint } from "../present/style.ts";
import { verdictJson, verdictLines } from "../present/verdict.ts";

interface Options {
  rule?: string[];
  format: "text" | "json";
  failOn: Severity | "never";
}

export function analyzeCommand(io: Io): Command {
  return new Command("analyze")
    .description("tell how the application fared, and look for known ways of going wrong; both are kept in the trace's database")
    .argument("<trace>", "trace folder")
    .option("--rule <id>", "only this rule; may be repeated (list: eintr explain)", (id: string, before: string[] = []) => [...before, id])
    .addOption(new Option("--format <name>", "text, or one JSON object a line").choices(["text", "json"]).default("text"))
    .addOption(
      new Option("--fail-on <severity>", "exit with 1 for findings of at least this severity; never: not for differences either")
        .choices([...SEVERITIES, "never"])
        .default("info"),
    )
    .addHelpText(
      "after",
      `
Exit code: 0 the application fares as on Linux and nothing is found, 1 it fares
differently, or findings at or above --fail-on, 2 wrong use or input. With
--format json the first line is the verdict: {"verdict": ...}.

Examples:
  eintr analyze a.trace
  eintr analyze a.trace --fail-on high --format json
  eintr analyze a.trace --rule spurious-yield-per-pending
  eintr query a.trace "SELECT rule, findings, cost_ns FROM analysis"`,
    )
    .action(async (dir: string, options: Options) => {
      const rules = options.rule?.map(findRule);
      const trace = await openForCommand(io, dir);
      try {
        const verdict = await verdictFor(io, trace);
        if (verdict !== null) await tellVerdict(io, verdict, options.format);
        const analyzed = verdict === null ? null : await analyzeAndKeep(io, trace, rules);
        if (verdict === null || analyzed === null) {
          io.talk("interrupted; the findings of before are kept\n");
          io.exitCode = 130;
          return;
        }
        const { result, unkept } = analyzed;
        if (options.format === "text")
          await io.out(findingsText(dir, result, trace.threads, paint(io.color), io.columns, createLogPlaces(trace)));
        else for (const finding of result.findings) await io.out(`${safeJson(finding)}\n`);
        io.talk(`${dir}: ${summary(result)} in ${trace.transitions.rows.toLocaleString("en")} transitions\n`);
        const omitted = result.ran.reduce((sum, run) => sum + run.omitted, 0);
        if (omitted > 0)
          io.talk(`${omitted.toLocaleString("en")} of them are like others and only counted: table analysis has the totals\n`);
        if (unkept !== null) io.talk(`not kept, so that show, replay and query do not know them: ${safe(unkept)}\n`);
        const { failOn } = options;
        if (failOn !== "never" && firstOf(verdict) !== undefined) io.exitCode = 1;
        if (failOn !== "never" && result.findings.some((finding) => atLeast(finding.severity, failOn))) io.exitCode = 1;
      } finally {
        trace.close();
      }
    });
}

function tellVerdict(io: Io, verdict: Verdict, format: Options["format"]): Promise<void> {
  if (format === "json") return io.out(`${safeJson({ verdict: verdictJson(verdict) })}\n`);
  return io.out(
    verdictLines(verdict)
      .map((line) => `${line}\n`)
      .join(""),
  );
}
