/**
 * Findings as SARIF 2.1.0 (OASIS, 2020), the form that code hosts and editors read: one run, its rules, one result for each fingerprint, and
 * one for each difference from Linux that no finding explains: what nobody knows the cause of is not green.
 */

import { createHash } from "node:crypto";
import type { Severity } from "../../analyzer/index.ts";
import { safe } from "../present/safe.ts";
import type { AnalysisReport, ReportedGroup, Unexplained } from "./report.ts";
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
            rules: [...rules, UNEXPLAINED].map((rule) => ({
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
        results: [
          ...groups.map((group) => result(report, group, index.get(group.rule) ?? -1)),
          ...report.unexplained.map((one) => difference(report, one)),
        ],
        columnKind: "utf16CodeUnits",
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

/** Its page, as rules have theirs. */
const UNEXPLAINED = {
  id: "unexplained-difference",
  title: "the application fares differently, and no rule says why",
  severity: "medium",
  what: "The application sees something else than on Linux alone, and no finding of a rule lies there.",
  why: "It is a fault of the library OS that has no rule yet, or of the emulation.",
  recognise: "The run is compared with one of the same scenario on Linux, call by call.",
  remedy: "eintr diff tells the differences in full.",
  layers: ["app"],
  generations: ["any"],
  source: "Linux signal(7)",
} as const;

function difference(report: AnalysisReport, { thread, text, seq, line }: Unexplained): Record<string, unknown> {
  const message = safe(`thread ${thread}: ${text}`);
  return {
    ruleId: UNEXPLAINED.id,
    ruleIndex: report.rules.length,
    level: LEVELS[UNEXPLAINED.severity],
    message: { text: message },
    locations: [locationOf(report, safe(thread), message, line)],
    partialFingerprints: { "eintr/v1": createHash("sha256").update(`${UNEXPLAINED.id}\n${message}`).digest("hex").slice(0, 12) },
    occurrenceCount: 1,
    rank: RANK[UNEXPLAINED.severity],
    baselineState: "new",
    codeFlows: [],
    properties: { stack: report.stack, ...(seq === null ? {} : { firstSeq: seq }) },
  };
}

const locationOf = (report: AnalysisReport, thread: string, message: string, line: number | null): Record<string, unknown> => ({
  physicalLocation: {
    artifactLocation: { uri: uriOf(report.source), index: 0 },
    ...(line === null ? {} : { region: { startLine: line } }),
  },
  logicalLocations: [{ name: thread, kind: "function", fullyQualifiedName: `thread ${thread}` }],
  message: { text: message },
});

/** A path as a relative reference: what a name has of signs that mean something there is no part of the path. */
const uriOf = (file: string): string =>
  file
    .replace(/\p{Surrogate}/gu, "\ufffd")
    .split("/")
    .map((part) => encodeURIComponent(part))
    .join("/");

function result(report: AnalysisReport, group: ReportedGroup, ruleIndex: number): Record<string, unknown> {
  const { first, line, count, costNs, exits } = group;
  const thread = safe(threadName(report, first.thread));
  const location = (message: string): Record<string, unknown> => locationOf(report, thread, message, line);
  return {
    ruleId: group.rule,
    ...(ruleIndex < 0 ? {} : { ruleIndex }),
    level: LEVELS[group.severity],
    message: { text: `${safe(first.title)}${count === 1 ? "" : ` (${count} times)`}` },
    locations: [location(safe(first.title))],
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
              location: location(`seq ${seq}: ${safe(caption)}`),
            })),
          },
        ],
      },
    ],
    properties: { stack: report.stack, costNs, exits, firstSeq: group.firstSeq, worstSeq: group.worstSeq, lastSeq: group.lastSeq },
  };
}
