/** Findings as text. */

import { expect, test } from "vitest";
import type { Finding } from "../../analyzer/index.ts";
import { findingsText, summary } from "../../tui/present/findings.ts";
import { paint } from "../../tui/present/style.ts";

test("those alike are told once, with how many there are and what all of them cost, the ones only counted included", () => {
  const finding: Finding = {
    rule: "spurious-yield-per-pending",
    severity: "low",
    title: "a yield that nobody needs",
    thread: 0,
    firstSeq: 5,
    lastSeq: 9,
    costNs: 100,
    fingerprint: "abc",
    evidence: [{ seq: 5, id: "here", caption: "here" }],
  };
  const result = {
    findings: [finding, finding, finding],
    groups: [
      {
        fingerprint: "abc",
        rule: finding.rule,
        severity: finding.severity,
        title: finding.title,
        count: 10,
        costNs: 1000,
        exits: 20,
        firstSeq: 5,
        worstSeq: 77,
        worstCostNs: 300,
        lastSeq: 99,
      },
    ],
    omitted: new Map([["abc", 7]]),
    omittedCostNs: new Map([["abc", 700]]),
    ran: [],
  };
  const text = findingsText("a.trace", result, [{ name: "main", pid: 1, tid: 1, internal: false }], paint(false));
  expect(text.match(/a yield that nobody needs/g)).toHaveLength(1);
  expect(text).toContain("and 9 more like it, 1000 ns, 20 enclave exits in all");
  expect(text).toContain("the worst begins at seq 77 (300 ns), the last at seq 99");
  expect(summary(result)).toBe("0 rules ran: 10 findings");
});
