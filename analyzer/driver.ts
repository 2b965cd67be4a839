/** One pass over the columns for all rules: a row that no rule names costs one look at a table. */

import { createHash } from "node:crypto";
import { type Block, KIND, KIND_COUNT, type Sink } from "../engine/index.ts";
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
  /** How many more there were of a fingerprint than were kept. */
  readonly omitted: ReadonlyMap<string, number>;
}

/** Takes the blocks of a run or trace in order. `names` may still grow meanwhile. */
export function createAnalysis(names: Names, rules: readonly Rule[] = RULES): Analysis {
  const findings: Finding[] = [];
  const alike = new Map<string, number>();
  const states = rules.map((rule) => rule.start(names, (found) => keep(rule, found)));
  const byKind: (RuleState[] | null)[] = Array.from({ length: KIND_COUNT }, () => null);
  rules.forEach((rule, r) => {
    const state = states[r];
    for (const kind of rule.kinds) if (state !== undefined) (byKind[KIND[kind]] ??= []).push(state);
  });
  const wanted = Uint8Array.from(byKind, (list) => (list === null ? 0 : 1));

  function keep(rule: Rule, found: Report): void {
    const first = found.evidence[0];
    const last = found.evidence[found.evidence.length - 1];
    if (first === undefined || last === undefined) throw new Error(`${rule.id}: a finding without evidence`);
    const fingerprint = createHash("sha256")
      .update([rule.id, ...found.same].join("\n"))
      .digest("hex")
      .slice(0, 12);
    const count = (alike.get(fingerprint) ?? 0) + 1;
    alike.set(fingerprint, count);
    if (count > MAX_ALIKE) return;
    const { title, thread, costNs, evidence } = found;
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
      return {
        findings,
        omitted: new Map([...alike].filter(([, count]) => count > MAX_ALIKE).map(([id, count]) => [id, count - MAX_ALIKE])),
      };
    },
  };
}

export interface AnalyzeOptions {
  readonly rules?: readonly Rule[] | undefined;
  /** Told the rows done after each block; return false to stop. */
  readonly onProgress?: ((rows: number) => boolean) | undefined;
}

/** Analyze a recorded trace. Null when it was stopped. */
export function analyze(trace: Names & { rows(): Iterable<Block> }, options: AnalyzeOptions = {}): AnalysisResult | null {
  const analysis = createAnalysis(trace, options.rules);
  for (const block of trace.rows()) {
    analysis.put(block);
    if (options.onProgress?.(block.seq0 + block.n) === false) return null;
  }
  return analysis.finish();
}
