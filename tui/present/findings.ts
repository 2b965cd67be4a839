/** Findings as text: each as a person would tell it, those alike only once. */

import type { AnalysisResult, Finding, FindingGroup } from "../../analyzer/index.ts";
import type { ThreadInfo } from "../../engine/index.ts";
import { pasted } from "./pasted.ts";
import { safe } from "./safe.ts";
import type { Paint } from "./style.ts";
import { durationText } from "./time.ts";
import { wrapCells } from "./two-column.ts";
import { withUnits } from "./units.ts";

/** Alike findings told in full; the others are counted. */
const TOLD_ALIKE = 1;

interface Told {
  readonly finding: Finding;
  /** Its number in the trace's database, from 1. */
  readonly id: number;
  readonly group: FindingGroup;
}

/** Where a thread was at a seq, in the log that the trace came from: `program.strace:32`; null without one. */
export type PlaceInLog = (thread: number, seq: number) => string | null;

export interface RulePage {
  /** The switch with which the trace's scenario can be run again; null for none. */
  readonly fix: string | null;
}

/** Above findings with which the application does what it would do without them. */
const BESIDES = "besides, none of these explains a difference in what the application does:\n\n";

/**
 * `columns` of the terminal; null for a file, where each evidence is one line. `besides`: the fingerprint from which on findings explain no
 * difference, if that is to be said. `pageOf` a rule of the catalogue tells of it; null for a rule of the user's own.
 */
export function findingsText(
  dir: string,
  { findings, groups }: Pick<AnalysisResult, "findings" | "groups">,
  threads: readonly ThreadInfo[],
  paint: Paint,
  columns: number | null = null,
  placeInLog: PlaceInLog = () => null,
  besides: string | null = null,
  pageOf: (rule: string) => RulePage | null = () => ({ fix: null }),
): string {
  const told = groups.flatMap((group): Told[] => {
    const at = findings.findIndex(({ fingerprint }) => fingerprint === group.fingerprint);
    const finding = findings[at];
    return finding === undefined ? [] : [{ finding, id: at + 1, group }];
  });
  return told
    .map((one) => {
      const head = one.group.fingerprint === besides ? paint.dim(BESIDES) : "";
      return head + findingText(dir, one, threads, paint, columns ?? Number.POSITIVE_INFINITY, placeInLog, pageOf(one.group.rule));
    })
    .join("\n");
}

/** ", 2 enclave exits"; empty for none. */
export const exitsText = (exits: number): string =>
  exits === 0 ? "" : `, ${exits.toLocaleString("en")} enclave ${exits === 1 ? "exit" : "exits"}`;

function findingText(
  dir: string,
  told: Told,
  threads: readonly ThreadInfo[],
  paint: Paint,
  columns: number,
  placeInLog: PlaceInLog,
  page: RulePage | null,
): string {
  const { finding, id, group } = told;
  const thread = finding.thread === null ? "" : `  thread ${safe(threads[finding.thread]?.name ?? String(finding.thread), 30)}`;
  const place = finding.thread === null ? null : placeInLog(finding.thread, finding.firstSeq);
  const alike = group.count - TOLD_ALIKE;
  const lines = [
    `${paint.tone[finding.severity](finding.severity)}  ${paint.strong(finding.rule)}`,
    ...broken(safe(withUnits(finding.title)), columns, "  ").map(paint.strong),
    `  seq ${finding.firstSeq} to ${finding.lastSeq}${thread}${place === null ? "" : `  in ${safe(place, 80)}`}  cost ${durationText(finding.costNs)}${exitsText(finding.exits ?? 0)}  fingerprint ${finding.fingerprint}`,
    ...finding.evidence.flatMap(({ seq, caption }) => broken(safe(withUnits(caption)), columns, `  ${String(seq).padStart(8)}  `)),
  ];
  if (alike > 0) {
    lines.push(`  and ${alike.toLocaleString("en")} more like it, ${durationText(group.costNs)}${exitsText(group.exits)} in all`);
    lines.push(`  the worst begins at seq ${group.worstSeq} (${durationText(group.worstCostNs)}), the last at seq ${group.lastSeq}`);
  }
  lines.push(paint.dim(`  see it: ${pasted("show", dir, "--finding", id)}`));
  lines.push(paint.dim(`  step through it: ${pasted("replay", dir, "--finding", id)}`));
  if (page?.fix) lines.push(paint.dim(`  see it mended: ${pasted("rerun", dir, "--fix", page.fix)}`));
  if (page !== null) lines.push(paint.dim(`  about the rule: ${pasted("explain", finding.rule)}`));
  return `${lines.join("\n")}\n`;
}

/** A text behind `head`, broken between words; further lines stand below the first. */
const broken = (text: string, columns: number, head: string): string[] =>
  wrapCells(text, Math.max(columns - head.length, 20)).map((line, i) => (i === 0 ? head : " ".repeat(head.length)) + line);

/** "2 rules ran: no findings", "... 1 finding", "... 1,200 findings": those that were only counted are among them. */
export function summary(result: Pick<AnalysisResult, "findings" | "omitted" | "ran">): string {
  const omitted = [...result.omitted.values()].reduce((sum, n) => sum + n, 0);
  const all = result.findings.length + omitted;
  const rules = result.ran.length;
  const found = all === 0 ? "no findings" : `${all.toLocaleString("en")} ${all === 1 ? "finding" : "findings"}`;
  return `${rules} ${rules === 1 ? "rule" : "rules"} ran: ${found}`;
}
