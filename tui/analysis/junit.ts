/** Findings as a JUnit report: one test case for each rule, which fails when the rule found something that is not accepted. */

import { safe } from "../present/safe.ts";
import { durationText } from "../present/time.ts";
import type { AnalysisReport, ReportedGroup } from "./report.ts";

export function junitText({ dir, stack, rules, groups }: AnalysisReport): string {
  const cases = rules.map((rule) => ({ rule, found: groups.filter((group) => group.rule === rule.id) }));
  const failing = cases.filter(({ found }) => found.some(({ accepted }) => !accepted)).length;
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites tests="${cases.length}" failures="${failing}">`,
    `  <testsuite name="${attribute(`eintr ${stack}`)}" tests="${cases.length}" failures="${failing}" errors="0" skipped="0" time="0">`,
    `    <properties><property name="trace" value="${attribute(dir)}"/></properties>`,
    ...cases.flatMap(({ rule, found }) => testCase(rule.id, found)),
    "  </testsuite>",
    "</testsuites>",
  ];
  return lines.map((line) => `${line}\n`).join("");
}

function testCase(id: string, found: readonly ReportedGroup[]): string[] {
  const head = `    <testcase classname="eintr" name="${attribute(id)}" time="0"`;
  const news = found.filter(({ accepted }) => !accepted);
  const [first] = news;
  if (first === undefined) return [`${head}/>`];
  const told = news.flatMap(({ first: one, count, costNs, line }) => [
    `${one.title}${count === 1 ? "" : ` (${count} times)`}, ${durationText(costNs)} wasted${line === null ? "" : `, line ${line}`}`,
    ...one.evidence.map(({ seq, caption }) => `  ${seq}  ${caption}`),
  ]);
  return [
    `${head}>`,
    `      <failure type="${attribute(first.severity)}" message="${attribute(first.title)}">${told.map(content).join("\n")}</failure>`,
    "    </testcase>",
  ];
}

/** XML 1.0 has no control characters, not even as references. */
const content = (text: string): string => safe(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const attribute = (text: string): string => content(text).replaceAll('"', "&quot;");
