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

/** A difference that no finding explains. */
export interface Unexplained {
  readonly thread: string;
  /** "read(pipe, 8): 0, on Linux -EINTR". */
  readonly text: string;
  /** Null where it is something that does not happen here. */
  readonly seq: number | null;
  readonly line: number | null;
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
  /** Of these, what no finding explains; none where a baseline accepts all differences. */
  readonly unexplained: readonly Unexplained[];
  /** It fares differently, and no baseline accepts that. */
  readonly differs: boolean;
  readonly version: string;
}

export const threadName = ({ threads }: Pick<AnalysisReport, "threads">, thread: number | null): string =>
  thread === null ? "" : (threads[thread]?.name ?? String(thread));
