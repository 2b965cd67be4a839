/** One pass over the columns for all rules: a row that no rule names costs one look at a table. */

import { createHash } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import { type Block, KIND, KIND_COUNT, type Sink } from "../engine/index.ts";
import type { RuleRun } from "../recorder/index.ts";
import type { Finding } from "./finding.ts";
import type { Names, Report, Rule, RuleState } from "./rule.ts";
import { RULES } from "./rules/index.ts";

/** Findings kept for one fingerprint; more are only counted, so that memory does not grow with the run. */
export const MAX_ALIKE = 1000;

export interface Analysis extends Sink {
  /** End of the trace: the findings in order of their first transition. */
  finish(): AnalysisResult;
}

export interface AnalysisResult {
  readonly findings: Finding[];
  /** By fingerprint: how many more there were than were kept. */
  readonly omitted: ReadonlyMap<string, number>;
  /** By fingerprint: what those more cost. */
  readonly omittedCostNs: ReadonlyMap<string, number>;
  /** Each rule that ran, whether it found something or not; its numbers are of all its findings. */
  readonly ran: readonly RuleRun[];
}

/** Takes the blocks of a run or trace in order. `names` may still grow meanwhile. */
export function createAnalysis(names: Names, rules: readonly Rule[] = RULES): Analysis {
  const findings: Finding[] = [];
  const alike = new Map<string, number>();
  const omitted = new Map<string, number>();
  const omittedCostNs = new Map<string, number>();
  const ran: Totals[] = [];
  const states: RuleState[] = [];
  const byKind: (RuleState[] | null)[] = Array.from({ length: KIND_COUNT }, () => null);
  for (const rule of rules) {
    const totals: Totals = { rule: rule.id, findings: 0, costNs: 0, omitted: 0 };
    const state = rule.start(names, (found) => keep(rule, totals, found));
    ran.push(totals);
    states.push(state);
    for (const kind of rule.kinds) (byKind[KIND[kind]] ??= []).push(state);
  }
  const wanted = Uint8Array.from(byKind, (list) => (list === null ? 0 : 1));

  function keep(rule: Rule, totals: Totals, found: Report): void {
    const { title, thread, costNs, evidence } = found;
    const first = evidence[0];
    const last = evidence[evidence.length - 1];
    if (first === undefined || last === undefined) throw new Error(`${rule.id}: a finding without evidence`);
    const fingerprint = createHash("sha256")
      .update([rule.id, ...found.same].join("\n"))
      .digest("hex")
      .slice(0, 12);
    totals.findings += 1;
    totals.costNs += costNs;
    add(alike, fingerprint, 1);
    if ((alike.get(fingerprint) ?? 0) > MAX_ALIKE) {
      totals.omitted += 1;
      add(omitted, fingerprint, 1);
      add(omittedCostNs, fingerprint, costNs);
      return;
    }
    findings.push({
      rule: rule.id,
      severity: rule.severity,
      title,
      thread,
      firstSeq: first.seq,
      lastSeq: last.seq,
      costNs,
      fingerprint,
      evidence,
    });
  }

  return {
    put(block: Block): void {
      const { kind, n } = block;
      for (let row = 0; row < n; row += 1) {
        const id = kind[row] as number;
        if (wanted[id] !== 1) continue;
        for (const state of byKind[id] ?? []) state.take(block, row);
      }
    },
    finish() {
      for (const state of states) state.finish();
      findings.sort((a, b) => a.firstSeq - b.firstSeq || a.lastSeq - b.lastSeq);
      return { findings, omitted, omittedCostNs, ran };
    },
  };
}

type Totals = { -readonly [F in keyof RuleRun]: RuleRun[F] };

const add = (sums: Map<string, number>, key: string, more: number): void => void sums.set(key, (sums.get(key) ?? 0) + more);

/** What of a recorded trace the rules need. */
export type Analyzable = Names & { rows(): Iterable<Block> };

/** Analyze a recorded trace in one go: nothing else happens meanwhile. */
export function analyze(trace: Analyzable, rules?: readonly Rule[]): AnalysisResult {
  const analysis = createAnalysis(trace, rules);
  for (const block of trace.rows()) analysis.put(block);
  return analysis.finish();
}

export interface GentleOptions {
  readonly rules?: readonly Rule[] | undefined;
  /** Ends the analysis. */
  readonly signal?: AbortSignal | undefined;
  /** Told the rows done after each block. */
  readonly onProgress?: ((rows: number) => void) | undefined;
}

/** The same, but lets timers and signals in after each block. Null when `signal` was aborted. */
export async function analyzeGently(trace: Analyzable, options: GentleOptions = {}): Promise<AnalysisResult | null> {
  const { rules, signal, onProgress } = options;
  const analysis = createAnalysis(trace, rules);
  for (const block of trace.rows()) {
    analysis.put(block);
    onProgress?.(block.seq0 + block.n);
    await turn();
    if (signal?.aborted === true) return null;
  }
  return analysis.finish();
}
