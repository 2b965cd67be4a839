/**
 * The answers as a test report: a test for the verdict, and one for each rule. Source: the JUnit XML that CI systems read, as its schema
 * "JUnit.xsd" of Jenkins' xUnit plugin has it.
 */

import { escaped, escapedAttribute } from "../present/markup.ts";
import type { ReportData, ReportFinding } from "../report/data.ts";
import type { Document } from "./document.ts";

export interface TestCase {
  readonly group: string;
  readonly name: string;
  /** Seconds; null where nothing was measured. */
  readonly seconds: number | null;
  /** Null: it passes. */
  readonly failure: { readonly message: string; readonly type: string; readonly text: string } | null;
}

/** A whole file with one suite. Texts have no control characters. */
export function junitXml(suite: string, cases: readonly TestCase[]): string {
  const failures = cases.filter(({ failure }) => failure !== null).length;
  const time = cases.reduce((sum, { seconds }) => sum + (seconds ?? 0), 0).toFixed(3);
  const counts = `tests="${cases.length}" failures="${failures}" errors="0" skipped="0" time="${time}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="eintr" ${counts}>
  <testsuite name="${escapedAttribute(suite)}" ${counts}>
${cases.map(caseXml).join("\n")}
  </testsuite>
</testsuites>
`;
}

function caseXml({ group, name, seconds, failure }: TestCase): string {
  const head = `    <testcase classname="${escapedAttribute(group)}" name="${escapedAttribute(name)}"${seconds === null ? "" : ` time="${seconds.toFixed(3)}"`}`;
  if (failure === null) return `${head}/>`;
  const { message, type, text } = failure;
  return `${head}>
      <failure message="${escapedAttribute(message)}" type="${escapedAttribute(type)}">${escaped(text)}</failure>
    </testcase>`;
}

export const junit: Document = {
  id: "junit",
  extension: ".xml",
  text: "the verdict and each rule as a test, for CI",
  ofOneFinding: false,
  async write({ data, trace }) {
    const rules = trace.ask("SELECT rule FROM analysis ORDER BY rule").map(([rule]) => String(rule));
    const { scenario, stack, fixes, options } = data.run;
    return junitXml(`${scenario} on ${[stack, ...fixes, ...options].join(" + ")}`, [
      verdictCase(data),
      ...rules.map((rule) => ruleCase(rule, data)),
    ]);
  },
};

function verdictCase({ verdict, differences }: ReportData): TestCase {
  const cause = differences.find((one) => one.cause);
  const [what = "", comparison = ""] = verdict;
  const failure = cause === undefined ? null : { message: comparison, type: cause.kind, text: verdict.join("\n") };
  return { group: "eintr.verdict", name: `as on Linux alone: ${what}`, seconds: null, failure };
}

function ruleCase(rule: string, { findings }: ReportData): TestCase {
  const found = findings.filter((finding) => finding.rule === rule);
  const [first] = found;
  const failure = first === undefined ? null : { message: first.title, type: first.severity, text: found.map(findingText).join("\n") };
  return { group: "eintr.rules", name: rule, seconds: null, failure };
}

const findingText = ({ title, from, to, thread, fingerprint, alike, evidence }: ReportFinding): string =>
  [
    `${title}: seq ${from} to ${to}, thread ${thread}, fingerprint ${fingerprint}${alike > 0 ? `, and ${alike} more like it` : ""}`,
    ...evidence.map(({ seq, caption }) => `  ${seq}  ${caption}`),
  ].join("\n");
