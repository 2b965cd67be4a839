/** What the rules find, kept: the first of those alike in full, of all of them the number, the cost, the first, the worst and the last. */

import { createHash } from "node:crypto";
import type { RuleRun } from "../recorder/index.ts";
import type { Finding } from "./finding.ts";
import type { RawFinding, Rule } from "./rule.ts";

/** Findings kept for one fingerprint; more are only counted, so that memory does not grow with the run. */
export const MAX_FINDINGS_PER_FINGERPRINT = 1000;

/** Findings that are alike: those with one fingerprint. */
export interface FindingGroup {
  readonly fingerprint: string;
  readonly rule: string;
  readonly severity: Finding["severity"];
  /** Of the first one. */
  readonly title: string;
  readonly count: number;
  /** Of all together: virtual ns, and enclave exits. */
  readonly costNs: number;
  readonly exits: number;
  /** Seqs of the first transition of the first, the worst (in ns) and the last of them. */
  readonly firstSeq: number;
  readonly worstSeq: number;
  readonly worstCostNs: number;
  readonly lastSeq: number;
}

export interface AnalysisResult {
  readonly findings: Finding[];
  /** In order of their first findings. */
  readonly groups: readonly FindingGroup[];
  /** By fingerprint: how many more there were than were kept. */
  readonly omitted: ReadonlyMap<string, number>;
  /** By fingerprint: what those more cost. */
  readonly omittedCostNs: ReadonlyMap<string, number>;
  /** Each rule that ran, whether it found something or not; its numbers are of all its findings. */
  readonly ran: readonly RuleRun[];
}

type Mutable<T> = { -readonly [F in keyof T]: T[F] };

/** What is asked of a rule; one of a user has no generation. */
export type KeptRule = Pick<Rule, "id" | "severity"> & Partial<Pick<Rule, "generations">>;

export interface Keeping {
  /**
   * Where a rule's findings go. What a general rule finds is left out where a rule of the catalogue has found something in the thread that
   * ends at the same transition: so those of the catalogue are to come first.
   */
  of(rule: KeptRule): (finding: RawFinding) => void;
  result(): AnalysisResult;
}

/** `exitsOf` counts the enclave exits of a thread between two seqs; `onFirst` is told the first finding of each fingerprint. */
export function createKeeping(
  exitsOf: (thread: number, first: number, last: number) => number,
  onFirst: (finding: Finding) => void = () => {},
): Keeping {
  const findings: Finding[] = [];
  const groups = new Map<string, Mutable<FindingGroup>>();
  const omitted = new Map<string, number>();
  const omittedCostNs = new Map<string, number>();
  const ran: Mutable<RuleRun>[] = [];
  /** By thread: where the newest finding of a rule of the catalogue ends. */
  const toldAt = new Map<number, number>();

  function groupOf(rule: Pick<Rule, "id" | "severity">, { same, firstSeq }: RawFinding, title: () => string): Mutable<FindingGroup> {
    let key = rule.id;
    for (const part of same) key += `\n${part}`;
    const known = groups.get(key);
    if (known !== undefined) return known;
    const made: Mutable<FindingGroup> = {
      fingerprint: createHash("sha256").update(key).digest("hex").slice(0, 12),
      rule: rule.id,
      severity: rule.severity,
      title: title(),
      count: 0,
      costNs: 0,
      exits: 0,
      firstSeq,
      worstSeq: firstSeq,
      worstCostNs: 0,
      lastSeq: firstSeq,
    };
    groups.set(key, made);
    return made;
  }

  function keep(rule: Pick<Rule, "id" | "severity">, totals: Mutable<RuleRun>, raw: RawFinding): void {
    const { thread, costNs, firstSeq, lastSeq, report } = raw;
    if (lastSeq < 0) throw new Error(`${rule.id}: a finding without evidence`);
    const exits = exitsOf(thread, firstSeq, lastSeq);
    const group = groupOf(rule, raw, () => report().title);
    const { fingerprint } = group;
    group.count += 1;
    group.costNs += costNs;
    group.exits += exits;
    group.firstSeq = Math.min(group.firstSeq, firstSeq);
    group.lastSeq = Math.max(group.lastSeq, firstSeq);
    if (costNs > group.worstCostNs) {
      group.worstCostNs = costNs;
      group.worstSeq = firstSeq;
    }
    totals.findings += 1;
    totals.costNs += costNs;
    if (group.count > MAX_FINDINGS_PER_FINGERPRINT) {
      totals.omitted += 1;
      add(omitted, fingerprint, 1);
      add(omittedCostNs, fingerprint, costNs);
      return;
    }
    const { title, evidence } = report();
    const finding = { rule: rule.id, severity: rule.severity, title, thread, firstSeq, lastSeq, costNs, exits, fingerprint, evidence };
    findings.push(finding);
    if (group.count === 1) onFirst(finding);
  }

  return {
    of(rule) {
      const totals: Mutable<RuleRun> = { rule: rule.id, findings: 0, costNs: 0, omitted: 0 };
      ran.push(totals);
      const isGeneral = rule.generations?.includes("any") === true;
      return (finding) => {
        // Who knows the stack has told it already, and better.
        if (isGeneral && toldAt.get(finding.thread) === finding.lastSeq) return;
        if (!isGeneral) toldAt.set(finding.thread, finding.lastSeq);
        keep(rule, totals, finding);
      };
    },
    result() {
      findings.sort((a, b) => a.firstSeq - b.firstSeq || a.lastSeq - b.lastSeq);
      return { findings, groups: [...groups.values()].sort((a, b) => a.firstSeq - b.firstSeq), omitted, omittedCostNs, ran };
    },
  };
}

const add = (sums: Map<string, number>, key: string, more: number): void => void sums.set(key, (sums.get(key) ?? 0) + more);
