/**
 * Findings as a JUnit report: a test case for the verdict, which fails when the application fares differently, whether a rule says why or not
 * (what fails the command is not green in its report), and one for each rule, which fails when it found something that is not accepted.
 */

import { junitXml, type TestCase } from "../documents/junit.ts";
import { becauseLines } from "../present/because.ts";
import { safe } from "../present/safe.ts";
import { durationText } from "../present/time.ts";
import { verdictLines } from "../present/verdict.ts";
import type { AnalysisReport, ReportedGroup } from "./report.ts";

export const junitText = (report: AnalysisReport): string =>
  junitXml(safe(`${report.dir} on ${report.stack}`), [verdictCase(report), ...report.ran.map((id) => ruleCase(id, report.groups))]);

function verdictCase({ verdict, because, differs }: AnalysisReport): TestCase {
  const lines = [...verdictLines(verdict), ...becauseLines(because)];
  const [what = "", comparison = ""] = lines;
  const failure = differs ? { message: comparison, type: "difference", text: lines.join("\n") } : null;
  return { group: "eintr.verdict", name: `as on Linux alone: ${what}`, seconds: null, failure };
}

function ruleCase(id: string, groups: readonly ReportedGroup[]): TestCase {
  const news = groups.filter(({ rule, accepted }) => rule === id && !accepted);
  const [first] = news;
  const failure = first && { message: safe(first.first.title), type: first.severity, text: news.map(groupText).join("\n") };
  return { group: "eintr.rules", name: safe(id), seconds: null, failure: failure ?? null };
}

const groupText = ({ first, count, costNs, line }: ReportedGroup): string =>
  [
    `${safe(first.title)}${count === 1 ? "" : ` (${count} times)`}, ${durationText(costNs)} wasted${line === null ? "" : `, line ${line}`}`,
    ...first.evidence.map(({ seq, caption }) => `  ${seq}  ${safe(caption)}`),
  ].join("\n");
