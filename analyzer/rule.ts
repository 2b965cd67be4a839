/** What a rule is: a documentation, and a small state machine over the kinds of transition it names. */

import type { Block, FixName, KindName, Layer, Site, ThreadInfo } from "../engine/index.ts";
import type { Evidence, Severity } from "./finding.ts";

/** Names a rule may need. The lists grow while a run goes on: look up when needed. */
export interface Names {
  readonly sites: readonly Site[];
  readonly threads: readonly ThreadInfo[];
  readonly texts: readonly string[];
}

export interface Report {
  readonly title: string;
  readonly thread: number;
  /** Virtual ns wasted; the rule's `cost` says which. */
  readonly costNs: number;
  /** In order of seq, at least one. */
  readonly evidence: readonly Evidence[];
  /** What makes it the same thing in other runs: names, never seqs or times. */
  readonly same: readonly (string | number)[];
}

export interface RuleState {
  /** Row `row` of the block, of one of the rule's kinds. The block is reused: copy what is kept. */
  take(block: Block, row: number): void;
  /** The trace is over. */
  finish(): void;
}

export interface Rule {
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
  readonly layers: readonly Layer[];
  /** What is looked for. */
  readonly what: string;
  /** Why it matters to a program. */
  readonly why: string;
  /** How the library OS was, or could be, mended. */
  readonly mend: string;
  /** The switch that mends it here. */
  readonly fix: FixName | null;
  /** What comes close and is none. */
  readonly not: readonly string[];
  /** What `costNs` of a finding counts. */
  readonly cost: string;
  readonly source: string;
  /** A built-in scenario that shows it. */
  readonly example: string;
  readonly kinds: readonly KindName[];
  start(names: Names, report: (found: Report) => void): RuleState;
}
