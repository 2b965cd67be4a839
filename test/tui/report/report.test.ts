/** What a report holds, and how large it is. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { openTrace, record } from "../../../recorder/index.ts";
import type { ReportData } from "../../../tui/report/data.ts";
import { lanesOf, windowsAround } from "../../../tui/report/lanes.ts";
import { pageParts } from "../../../tui/report/parts.ts";
import { eintr } from "../../support/command-line.ts";
import { syntheticSource, testInfo } from "../../support/synthetic-source.ts";
import { tempPaths } from "../../support/temp-dir.ts";

const fresh = tempPaths();

const dataIn = (file: string): ReportData =>
  JSON.parse(/<script type="application\/json" id="eintr-data">(.*?)<\/script>/s.exec(readFileSync(file, "utf8"))?.[1] ?? "") as ReportData;

async function reportOf(name: string, stack: string): Promise<{ file: string; dir: string; data: ReportData }> {
  const dir = fresh("a.trace");
  await eintr(["record", name, "--stack", stack, "-o", dir]);
  const file = fresh("a.html");
  const { code, talk } = await eintr(["report", dir, "-o", file]);
  expect(code, talk).toBe(0);
  return { file, dir, data: dataIn(file) };
}

test("script and style are far smaller than a megabyte", () => {
  const { script, style } = pageParts();
  expect(script.length + style.length).toBeLessThan(200_000);
});

test("says what the trace says: findings with their evidence marked, differences, signals, slices", async () => {
  const { dir, data } = await reportOf("lost-interrupted-error", "graphene-sgx");
  const trace = await openTrace(dir);
  try {
    const [finding] = data.findings;
    expect(finding?.evidence).toEqual(
      trace.ask("SELECT seq, caption FROM evidence WHERE finding = 1 ORDER BY position").map(([seq, caption]) => ({ seq, caption })),
    );
    const marked = finding?.diagram?.lines.flatMap((line) => (line.is === "row" && line.caption !== null ? [line.seq] : []));
    expect(marked).toEqual(finding?.evidence.map(({ seq }) => seq));
    expect(data.differences.map(({ seq, what, here, there }) => [seq, what, here, there])).toEqual(
      trace.ask("SELECT seq, what, here, there FROM difference ORDER BY id"),
    );
    expect(data.signals.map(({ id, outcome, delay }) => [id, outcome, delay])).toEqual(
      trace.ask("SELECT id, outcome, delay_ns FROM signals"),
    );
    for (const [kind, table] of [
      ["call", "syscall"],
      ["handler", "handler"],
      ["upcall", "upcall"],
      ["enclave", "entry"],
    ]) {
      const seqs = data.lanes.slices.filter((list) => list.kind === kind).flatMap(({ seq }) => seq);
      expect(
        seqs.sort((a, b) => a - b),
        kind,
      ).toEqual(trace.ask(`SELECT seq FROM ${table} ORDER BY seq`).map(([seq]) => seq));
    }
    expect(data.cuts).toEqual([]);
  } finally {
    trace.close();
  }
});

test.each([
  ["an end of a process", "w3-delayed-bit"],
  ["a handler", "w7-burst-blocked"],
  ["a call", "w2-sigsuspend-pending"],
])("draws the first difference where no rule found anything: %s", async (_, name) => {
  const { data } = await reportOf(name, "graphene-linux");
  const cause = data.differences.find((one) => one.cause);
  const rows = cause?.diagram?.lines.flatMap((line) => (line.is === "row" ? [line.seq] : [])) ?? [];
  expect(rows).toContain(cause?.seq);
});

test("what a thread had open when it ended is over with it", async () => {
  const { dir, data } = await reportOf("w3-delayed-bit", "graphene-linux");
  const trace = await openTrace(dir);
  const [[exit = 0] = []] = trace.ask("SELECT time_ns FROM transitions WHERE kind = 'thread.exit' AND thread = 'main'") as number[][];
  const [[open = 0] = []] = trace.ask("SELECT count(*) FROM syscall WHERE duration IS NULL") as number[][];
  trace.close();
  const calls = data.lanes.slices.find(({ kind, thread }) => kind === "call" && data.threads[thread]?.name === "main");
  const ended = calls?.end.filter((_, i) => data.lanes.names[calls.left[i] as number] === "never ends");
  expect(open).toBeGreaterThan(0);
  expect(ended).toEqual(Array(open).fill(exit));
});

describe("a long trace", () => {
  test("is cut to what lies near the places that matter", async () => {
    const dir = fresh("long.trace");
    await record(syntheticSource({ rows: 60_000 }), dir, testInfo());
    const trace = await openTrace(dir);
    try {
      const name = (event: number): string => `event ${event}`;
      const whole = lanesOf(trace, [30_000], name);
      const cut = lanesOf(trace, [30_000], name, 5000);
      expect([whole.shown, cut.all]).toEqual([whole.all, whole.all]);
      expect(cut.shown).toBeLessThan(whole.shown / 5);
      // Each slice near the place is there as in the whole.
      for (const list of whole.lanes.slices) {
        const near = list.seq.filter((seq) => seq >= 28_000 && seq < 32_000);
        const here = cut.lanes.slices.find(({ kind, thread }) => kind === list.kind && thread === list.thread);
        expect(here?.seq.filter((seq) => seq >= 28_000) ?? []).toEqual(near);
      }
      const [begin, end] = cut.lanes.covered[0] ?? [0, 0];
      expect(begin).toBeGreaterThan(0);
      expect(end).toBeLessThan(cut.lanes.to);
    } finally {
      trace.close();
    }
  });

  test("windows join where they meet, and begin at the begin without a place", () => {
    expect(windowsAround([10_000, 12_000, 50_000], 51_000)).toEqual([
      [8_000, 14_000],
      [48_000, 51_000],
    ]);
    expect(windowsAround([], 500)).toEqual([[0, 500]]);
  });

  test("a long diagram shows the rows around its evidence, and counts those between", async () => {
    const dir = fresh("long-finding.trace");
    await record(syntheticSource({ rows: 30_000, threads: 1 }), dir, testInfo());
    await eintr(["analyze", dir]);
    const trace = await openTrace(dir);
    const evidence = [100, 15_000, 29_000].map((seq) => ({ seq, id: "x", caption: `at ${seq}` }));
    const finding = {
      rule: "r",
      severity: "low",
      title: "long",
      thread: 0,
      firstSeq: 100,
      lastSeq: 29_000,
      costNs: 0,
      fingerprint: "f",
      evidence,
    };
    const ran = trace.ask("SELECT rule FROM analysis").map(([rule]) => ({ rule: String(rule), findings: 0, costNs: 0, omitted: 0 }));
    trace.replaceFindings([finding], [...ran, { rule: "r", findings: 1, costNs: 0, omitted: 0 }]);
    trace.close();
    const file = fresh("long.html");
    const { talk } = await eintr(["report", dir, "-o", file]);
    const data = dataIn(file);
    const lines = data.findings.find(({ title }) => title === "long")?.diagram?.lines ?? [];
    const seqs = lines.flatMap((line) => (line.is === "row" ? [line.seq] : []));
    for (const { seq } of evidence) expect(seqs).toContain(seq);
    expect(lines.filter(({ is }) => is === "gap").length).toBeGreaterThan(0);
    expect(lines.length).toBeLessThan(200);
    expect(data.cuts.join("\n")).toContain("Long diagrams show the rows around their evidence");
    expect(talk).toContain("Long diagrams");
  });
});

test("refuses to replace a file, and a trace without rows", async () => {
  const { file, dir } = await reportOf("initialisation", "graphene-sgx");
  const again = await eintr(["report", dir, "-o", file]);
  expect([again.code, again.talk]).toEqual([2, expect.stringContaining("exists; --force replaces it")]);
});
