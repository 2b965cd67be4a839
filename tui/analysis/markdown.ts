/** Findings as Markdown, for an issue or a build's summary. */

import { becauseLines } from "../present/because.ts";
import { exitsText } from "../present/findings.ts";
import { safe } from "../present/safe.ts";
import { durationText } from "../present/time.ts";
import { verdictLines } from "../present/verdict.ts";
import { type AnalysisReport, type ReportedGroup, threadName } from "./report.ts";

export function markdownText(report: AnalysisReport): string {
  const { dir, stack, groups, verdict, because } = report;
  const lines = [
    `# ${text(dir)} on ${text(stack)}`,
    "",
    ...[...verdictLines(verdict), ...becauseLines(because)].flatMap((line) => [text(line), ""]),
  ];
  if (groups.length === 0) lines.push("No findings.", "");
  else {
    lines.push("| severity | rule | what | times | cost |", "| --- | --- | --- | --- | --- |");
    for (const group of groups) lines.push(row(group));
    lines.push("");
    for (const group of groups) lines.push(...section(report, group));
  }
  return `${lines.join("\n").trimEnd()}\n`;
}

const row = ({ severity, rule, first, count, costNs, exits, accepted }: ReportedGroup): string =>
  `| ${severity}${accepted ? " (accepted)" : ""} | ${rule} | ${text(first.title)} | ${count.toLocaleString("en")} | ${durationText(costNs)}${exitsText(exits)} |`;

function section(report: AnalysisReport, { rule, first, line, worstSeq, lastSeq, count }: ReportedGroup): string[] {
  const where = [`thread ${threadName(report, first.thread)}`, ...(line === null ? [] : [`line ${line} of ${report.source}`])];
  const remedy = report.rules.find(({ id }) => id === rule)?.remedy ?? "";
  const alike = count === 1 ? [] : [`The worst begins at seq ${worstSeq}, the last at seq ${lastSeq}.`, ""];
  return [
    `## ${rule}: ${text(first.title)}`,
    "",
    `In ${where.map(text).join(", ")}.`,
    "",
    "| seq | |",
    "| --- | --- |",
    ...first.evidence.map(({ seq, caption }) => `| ${seq} | ${text(caption)} |`),
    "",
    ...alike,
    ...(remedy === "" ? [] : [`How the library OS was, or could be, fixed: ${text(remedy)}`, ""]),
  ];
}

/** What a stranger's name says is text, no Markdown and no HTML. */
const text = (given: string): string => safe(given).replace(/[\\`*_{}[\]<>#|~]/g, (sign) => (sign === "_" ? sign : `\\${sign}`));
