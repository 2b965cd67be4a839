/** A finding of a rule, as the trace's database keeps it. */

import type { FindingRecord } from "../recorder/index.ts";

export const SEVERITIES = ["info", "low", "medium", "high", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface Evidence {
  readonly seq: number;
  /** Which piece of evidence it is: the rule's name for it. */
  readonly id: string;
  /** Why it matters, for a person. */
  readonly caption: string;
  /** Here it went wrong. At most one of a finding's. */
  readonly isTurn?: boolean | undefined;
}

/** A FindingRecord whose severity is one we know. */
export interface Finding extends FindingRecord {
  readonly severity: Severity;
  readonly evidence: readonly Evidence[];
}

export const atLeast = (severity: Severity, least: Severity): boolean => SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(least);
