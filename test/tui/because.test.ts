/** Findings that explain what the application does otherwise are told first. */

import { expect, it } from "vitest";
import type { Because, Difference, FindingGroup } from "../../analyzer/index.ts";
import { byEffect } from "../../tui/present/because.ts";

const group = (rule: string, severity: FindingGroup["severity"]): FindingGroup => ({
  ...{ rule, severity, fingerprint: rule, title: rule, count: 1, costNs: 0, exits: 0 },
  ...{ firstSeq: 0, worstSeq: 0, worstCostNs: 0, lastSeq: 0 },
});

const because = (kind: Difference["kind"], rule: string | null): Because => {
  const side = { seq: 1, text: "0", result: 0 };
  const difference: Difference = { kind, weight: "differs", thread: "main", what: "read()", line: null, one: side, other: side };
  return { difference, rule, follows: false };
};

it("the others come last, the gravest first; what explains a mask alone is one of them", () => {
  const groups = [group("loud", "low"), group("lost", "medium"), group("grave", "critical"), group("masks", "low"), group("also", "low")];
  const { explaining, others } = byEffect(groups, [
    because("result", "lost"),
    because("mask", "masks"),
    because("call", null),
    because("call", "also"),
  ]);
  expect(explaining.map(({ rule }) => rule)).toEqual(["lost", "also"]);
  expect(others.map(({ rule }) => rule)).toEqual(["grave", "loud", "masks"]);
});
