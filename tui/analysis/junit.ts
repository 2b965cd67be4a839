/**
 * Findings as a JUnit report: one test case for each rule, which fails when the rule found something that is not accepted, and one before them
 * that fails when the application fares differently, whether a rule says why or not: what fails the command is not green in its report.
 */

import { becauseLines } from "../present/because.ts";
import { safe } from "../present/safe.ts";
import { durationText } from "../present/time.ts";
import { verdictLines } from "../present/verdict.ts";
import type { AnalysisReport, ReportedGroup } from "./report.ts";

export function junitText({ dir, stack, rules, groups, verdict, because, differs }: AnalysisReport): string {
  const cases = rules.map((rule) => ({ rule, found: groups.filter((group) => group.rule === rule.id) }));
  const failing = cases.filter(({ found }) => found.some(({ accepted }) => !accepted)).length + Number(differs);
  const tests = cases.length + 1;
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites tests="${tests}" failures="${failing}">`,
    `  <testsuite name="${attribute(`eintr ${stack}`)}" tests="${tests}" failures="${failing}" errors="0" skipped="0" time="0">`,
    `    <properties><property name="trace" value="${attribute(dir)}"/></properties>`,
    ...testCase(LIKE_LINUX, differs ? differenceOf([...verdictLines(verdict), ...becauseLines(because)]) : null),
    ...cases.flatMap(({ rule, found }) => testCase(rule.id, failureOf(found))),
    "  </testsuite>",
    "</testsuites>",
  ];
  return lines.map((line) => `${line}\n`).join("");
}

const LIKE_LINUX = "the application fares as on Linux";

interface Failure {
  readonly type: string;
  readonly message: string;
  readonly lines: readonly string[];
}

/** The lines say how it fared, then what was the first difference. */
const differenceOf = (lines: readonly string[]): Failure => ({ type: "difference", message: lines[1] ?? lines[0] ?? "", lines });

function failureOf(found: readonly ReportedGroup[]): Failure | null {
  const news = found.filter(({ accepted }) => !accepted);
  const [first] = news;
  if (first === undefined) return null;
  const lines = news.flatMap(({ first: one, count, costNs, line }) => [
    `${one.title}${count === 1 ? "" : ` (${count} times)`}, ${durationText(costNs)} wasted${line === null ? "" : `, line ${line}`}`,
    ...one.evidence.map(({ seq, caption }) => `  ${seq}  ${caption}`),
  ]);
  return { type: first.severity, lines, message: first.first.title };
}

function testCase(id: string, failure: Failure | null): string[] {
  const head = `    <testcase classname="eintr" name="${attribute(id)}" time="0"`;
  if (failure === null) return [`${head}/>`];
  const { type, message, lines } = failure;
  return [
    `${head}>`,
    `      <failure type="${attribute(type)}" message="${attribute(message)}">${lines.map(content).join("\n")}</failure>`,
    "    </testcase>",
  ];
}

/** XML 1.0 has no control characters, not even as references. */
const content = (text: string): string => safe(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const attribute = (text: string): string => content(text).replaceAll('"', "&quot;");
