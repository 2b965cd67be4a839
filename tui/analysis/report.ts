/** What a report of an analysis is made from, whatever its form. */

import type { Because, Finding, FindingGroup, Rule, Verdict } from "../../analyzer/index.ts";
import type { ThreadInfo } from "../../engine/index.ts";

export interface ReportedGroup extends FindingGroup {
  /** The first one, in full. */
  readonly first: Finding;
  /** Its number in the trace's database, from 1. */
  readonly id: number;
  /** Line of the scenario or log; null where there is none. */
  readonly line: number | null;
  /** In the baseline. */
  readonly accepted: boolean;
}

export interface AnalysisReport {
  /** The trace folder as the user wrote it. */
  readonly dir: string;
  /** The scenario's or log's file, as tools should show it. */
  readonly source: string;
  readonly stack: string;
  /** Those first that explain what the application does differently. */
  readonly groups: readonly ReportedGroup[];
  /** Of the catalogue, as far as they were asked. */
  readonly rules: readonly Rule[];
  /** Ids of all that ran, the user's own among them. */
  readonly ran: readonly string[];
  readonly threads: readonly ThreadInfo[];
  readonly verdict: Verdict;
  /** Why the application fares differently; empty where only some rules ran. */
  readonly because: readonly Because[];
  /** It fares differently, and no baseline accepts that. */
  readonly differs: boolean;
  readonly version: string;
}

export const threadName = ({ threads }: Pick<AnalysisReport, "threads">, thread: number | null): string =>
  thread === null ? "" : (threads[thread]?.name ?? String(thread));
