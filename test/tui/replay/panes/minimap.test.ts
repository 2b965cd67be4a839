/** The marks on the line of the whole trace: findings, without hiding what is below them. */

import { expect, test } from "vitest";
import { findingColumns } from "../../../../tui/replay/panes/minimap.ts";

const CELLS = 30;
const column = (seq: number): number => Math.floor(seq / 10);
const everywhere = (severity: string) => Array.from({ length: CELLS }, (_, i) => ({ severity, firstSeq: 10 * i }));
const marked = (...findings: { severity: string; firstSeq: number }[]): number[] =>
  [...findingColumns(findings, column, CELLS)].sort((a, b) => a - b);

test("a few findings are all marked", () => {
  expect(marked({ severity: "low", firstSeq: 15 }, { severity: "critical", firstSeq: 200 })).toEqual([1, 20]);
});

test("of a trace that is full of them the graver ones are", () => {
  const grave = [
    { severity: "critical", firstSeq: 200 },
    { severity: "high", firstSeq: 40 },
  ];
  expect(marked(...everywhere("low"), ...grave)).toEqual([4, 20]);
});

test("where all are alike, all are: nothing is hidden", () => {
  expect(marked(...everywhere("medium")).length).toBe(CELLS);
});
