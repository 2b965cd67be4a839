/** Where a trace opens: at the first wrong turn of what was found, else at the first difference from Linux alone, else at its begin. */

import { SEVERITIES } from "../../../analyzer/index.ts";
import { firstOfDifferences } from "../compare/position.ts";
import { around } from "../lanes/view.ts";
import type { ReplaySession, StoredFinding } from "../session.ts";
import type { ReplayState } from "../state.ts";

const WASTEFUL: ReadonlySet<string> = new Set(["info", "low"]);

/** Index of the evidence where it went wrong; the first where no rule says which. */
const wrongTurn = ({ evidence }: StoredFinding): number =>
  Math.max(
    0,
    evidence.findIndex(({ isTurn }) => isTurn === true),
  );

/** Transitions before and after a difference that the lanes show with it. */
const NEAR = 100;

/** Index of the first finding of the worst severity there is. */
export function worstOf(findings: readonly StoredFinding[]): number {
  const rank = ({ severity }: StoredFinding): number => (SEVERITIES as readonly string[]).indexOf(severity);
  return findings.reduce((worst, finding, i) => (rank(finding) > rank(findings[worst] as StoredFinding) ? i : worst), 0);
}

/** What to show first, as far as it is known; findings may come later. */
export function opening(session: ReplaySession, findings: readonly StoredFinding[]): Partial<ReplayState> {
  const begin = { ...placeToSee(session, findings), fresh: true };
  if (session.other === null) return begin;
  // With a fix the story is that of the finding; two different runs are looked at for where they differ.
  const parted = isWithFix(session, session.other) ? null : firstOfDifferences(session);
  return { ...begin, ...(parted === null ? {} : placeAt(session, parted.seq)), pane: "compare" };
}

const isWithFix = ({ trace: { info } }: ReplaySession, other: ReplaySession): boolean =>
  info.scenario === other.trace.info.scenario && info.stack === other.trace.info.stack;

function placeToSee(session: ReplaySession, findings: readonly StoredFinding[]): Partial<ReplayState> {
  const at = worstOf(findings);
  const told = findings[at];
  // Of what is merely wasteful the application sees nothing: a difference that it sees goes before.
  if (told !== undefined && (session.firstDifference === null || !WASTEFUL.has(told.severity))) {
    const evidence = wrongTurn(told);
    const place = placeAt(session, told.evidence[evidence]?.seq ?? told.firstSeq);
    // Enter tells the story from its begin, not from its turn on.
    const lanes = around(session, told.firstSeq, told.lastSeq);
    if (place !== null) return { ...place, lanes, pane: "findings", finding: at, evidence, walkthroughOver: evidence > 0 };
  }
  const { firstDifference } = session;
  const place = placeAt(session, firstDifference?.seq ?? null);
  if (place === null || firstDifference === null) return { ...placeAt(session, 0) };
  const lanes = around(session, firstDifference.from - NEAR, Math.min(session.rows.count - 1, firstDifference.seq + NEAR));
  return { ...place, lanes, pane: "findings" };
}

/** A seq from the database need not be one, or lies where the trace is damaged. */
function placeAt(session: ReplaySession, seq: number | null): Pick<ReplayState, "seq" | "thread"> | null {
  try {
    const row = seq === null ? null : session.rows.at(seq);
    return row === null ? null : { seq: row.seq, thread: row.thread };
  } catch {
    return null;
  }
}

/** "3 findings: 1 high, 2 low". */
export function countsText({ findings, looking }: ReplayState): string {
  if (findings.length === 0) return looking ? "looking for what is wrong ..." : "";
  const counts = [...SEVERITIES]
    .reverse()
    .map((severity) => [severity, findings.filter((one) => one.severity === severity).length] as const)
    .filter(([, count]) => count > 0)
    .map(([severity, count]) => `${count} ${severity}`);
  return `${findings.length} ${findings.length === 1 ? "finding" : "findings"}: ${counts.join(", ")}`;
}
