/**
 * Findings as SARIF 2.1.0 (OASIS, 2020), the form that code hosts and editors read: one run, its rules, one result for each fingerprint.
 */

import type { Severity } from "../../analyzer/index.ts";
import { safe } from "../present/safe.ts";
import type { AnalysisReport, ReportedGroup } from "./report.ts";
import { threadName } from "./report.ts";

const LEVELS: Readonly<Record<Severity, "error" | "warning" | "note">> = {
  critical: "error",
  high: "error",
  medium: "warning",
  low: "note",
  info: "note",
};

/** Scale of `security-severity`, which some hosts sort by. */
const RANK: Readonly<Record<Severity, number>> = { critical: 95, high: 75, medium: 50, low: 25, info: 5 };

export function sarifText(report: AnalysisReport): string {
  const { rules, groups, version, source } = report;
  const index = new Map(rules.map(({ id }, i) => [id, i]));
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "eintr",
            version,
            rules: rules.map((rule) => ({
              id: rule.id,
              shortDescription: { text: rule.title },
              fullDescription: { text: rule.what },
              help: { text: `${rule.why}\n\n${rule.recognise}\n\n${rule.remedy}` },
              defaultConfiguration: { level: LEVELS[rule.severity] },
              properties: { tags: [...rule.layers, ...rule.generations], source: rule.source },
            })),
          },
        },
        artifacts: [{ location: { uri: uriOf(source) } }],
        results: groups.map((group) => result(report, group, index.get(group.rule) ?? -1)),
        columnKind: "utf16CodeUnits",
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

/** A path as a relative reference: what a name has of signs that mean something there is no part of the path. */
const uriOf = (file: string): string =>
  file
    .replace(/\p{Surrogate}/gu, "\ufffd")
    .split("/")
    .map((part) => encodeURIComponent(part))
    .join("/");

function result(report: AnalysisReport, group: ReportedGroup, ruleIndex: number): Record<string, unknown> {
  const { first, line, count, costNs, exits } = group;
  const location = (message: string, of: number | null): Record<string, unknown> => ({
    physicalLocation: {
      artifactLocation: { uri: uriOf(report.source), index: 0 },
      ...(of === null ? {} : { region: { startLine: of } }),
    },
    logicalLocations: [
      { name: threadName(report, first.thread), kind: "function", fullyQualifiedName: `thread ${threadName(report, first.thread)}` },
    ],
    message: { text: message },
  });
  return {
    ruleId: group.rule,
    ...(ruleIndex < 0 ? {} : { ruleIndex }),
    level: LEVELS[group.severity],
    message: { text: `${safe(first.title)}${count === 1 ? "" : ` (${count} times)`}` },
    locations: [location(safe(first.title), line)],
    partialFingerprints: { "eintr/v1": group.fingerprint },
    occurrenceCount: count,
    rank: RANK[group.severity],
    baselineState: group.accepted ? "unchanged" : "new",
    codeFlows: [
      {
        threadFlows: [
          {
            locations: first.evidence.map(({ seq, caption }, executionOrder) => ({
              executionOrder,
              location: { ...location(`seq ${seq}: ${safe(caption)}`, line) },
            })),
          },
        ],
      },
    ],
    properties: { stack: report.stack, costNs, exits, firstSeq: group.firstSeq, worstSeq: group.worstSeq, lastSeq: group.lastSeq },
  };
}
