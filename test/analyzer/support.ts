/** Run scenarios in memory with the analyzer listening, and look at the rows its findings point to. */

import { readFileSync } from "node:fs";
import path from "node:path";
import { createAnalysis, RULES } from "../../analyzer/catalogue.ts";
import type { AnalysisResult, Finding, MadeRow, Names, Rule } from "../../analyzer/index.ts";
import {
  type Block,
  boot,
  COLUMN_NAMES,
  KIND,
  type KindName,
  kindName,
  newBlock,
  parseScenario,
  type Run,
  type RunOptions,
  type Scenario,
  type Site,
  type StackName,
  type Transition,
  transitionAt,
} from "../../engine/index.ts";

const FOLDER = path.resolve(import.meta.dirname, "../../engine/scenarios");

export type { MadeRow } from "../../analyzer/index.ts";
export { BUILT_IN } from "../support/run-scenario.ts";

const builtIn = new Map<string, Scenario>();

/** A built-in scenario by its name, or the body of one as YAML (without name and title; the indentation of its first line is cut). */
export function scenario(text: string): Scenario {
  if (!text.includes("\n")) {
    const known = builtIn.get(text) ?? parseScenario(readFileSync(path.join(FOLDER, `${text}.yaml`), "utf8"), text);
    builtIn.set(text, known);
    return known;
  }
  const indent = /^ */.exec(text.replace(/^\n+/, ""))?.[0].length ?? 0;
  const body = text
    .split("\n")
    .map((line) => line.slice(indent))
    .join("\n");
  return parseScenario(`name: inline\ntitle: inline\n${body}`, "inline");
}

export interface Row extends Transition {
  readonly name: KindName;
  readonly at: Site;
}

export interface Watched extends AnalysisResult {
  readonly rows: readonly Row[];
  readonly run: Run;
}

export interface WatchOptions extends Omit<RunOptions, "stack" | "scenario"> {
  readonly rules?: readonly Rule[];
  readonly rows?: number;
}

/** What most tests here are about: the two rules of the page, in full. The others have their examples. */
const PAGE_RULES = RULES.filter(({ id }) => id === "sgx-interrupted-code-lost" || id === "spurious-yield-per-pending");

/** Run to the end, or for that many rows. */
export function watch(
  text: string,
  stack: StackName,
  { rules = PAGE_RULES, rows: most = 100_000, ...options }: WatchOptions = {},
): Watched {
  const run = boot({ stack, scenario: scenario(text), ...options });
  const analysis = createAnalysis(run, rules);
  const rows: Row[] = [];
  const sink = {
    put(block: Block): void {
      analysis.put(block);
      for (let i = 0; i < block.n; i += 1) {
        const row = transitionAt(block, i);
        rows.push({ ...row, name: kindName(row.kind) as KindName, at: run.sites[row.site] as Site });
      }
    },
  };
  run.run(most, sink);
  run.flush(sink);
  return { rows, run, ...analysis.finish() };
}

/** The same rows in blocks of another size. */
export function analyzeRows(rows: readonly Transition[], names: Names, size: number, rules: readonly Rule[] = PAGE_RULES): AnalysisResult {
  const analysis = createAnalysis(names, rules);
  const block = newBlock(size);
  for (let from = 0; from < rows.length; from += size) {
    const part = rows.slice(from, from + size);
    block.seq0 = from;
    block.n = part.length;
    for (const [i, row] of part.entries()) for (const name of COLUMN_NAMES) block[name][i] = row[name];
    analysis.put(block);
  }
  return analysis.finish();
}

/** Rows by hand, for what the engine cannot do. */
export const madeUp = (list: readonly MadeRow[]): Transition[] =>
  list.map(({ name, ...given }, seq) => ({
    time: seq * 1000,
    thread: 0,
    site: 0,
    signal: 0,
    value: 0,
    extra: 0,
    depth: 0,
    cssa: 0,
    preempt: 0,
    pending: 0,
    detail: 0,
    ...given,
    seq,
    kind: KIND[name],
  }));

export const LOST = "sgx-interrupted-code-lost";
export const YIELD = "spurious-yield-per-pending";

export const ofRule = (found: AnalysisResult, rule: string): Finding[] => found.findings.filter((finding) => finding.rule === rule);

/** Rows of a kind, optionally only those of one function of the emulated code. */
export const rowsOf = (w: Watched, name: KindName, flow?: string): Row[] =>
  w.rows.filter((row) => row.name === name && (flow === undefined || row.at.flow === flow));

/** Rows at a place written as scenarios write it: "flow: label". */
export const rowsAt = (w: Watched, place: string): Row[] => w.rows.filter((row) => `${row.at.flow}: ${row.at.label}` === place);

export const rowAt = (w: Watched, seq: number): Row => {
  const row = w.rows[seq];
  if (row === undefined) throw new Error(`no row ${seq}`);
  return row;
};

/** Results the application saw of its calls, as "read(pipe, 8) = -4", of one thread (0 = main). */
export function results(w: Watched, thread = 0): string[] {
  const calls: string[] = [];
  const seen: string[] = [];
  for (const row of w.rows) {
    if (row.thread !== thread) continue;
    if (row.name === "app.call") calls.push(row.at.label);
    if (row.name === "app.return") seen.push(`${calls.pop()} = ${row.value}`);
  }
  return seen;
}

/** Kinds of the rows a finding points to. */
export const evidenceKinds = (w: Watched, finding: Finding): string[] => finding.evidence.map(({ seq }) => rowAt(w, seq).name);
