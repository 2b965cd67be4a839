/** Rows that are marked in the timelines, and what is said below them. */

import { bookmarkText } from "../navigate/bookmarks.ts";
import { differencesWithin } from "../navigate/differences.ts";
import type { ReplaySession } from "../session.ts";
import { activeFinding, type ReplayState } from "../state.ts";

/** Of the rows from `from` to `to`, by seq: differences from Linux alone, wrong turns of all findings, bookmarks, the evidence of the finding that is told; the last one counts. */
export function marksOf(session: ReplaySession, s: ReplayState, from: number, to: number): Map<number, string> {
  const marks = new Map(differencesWithin(session, from, to).map(({ seq, text }) => [seq, text]));
  for (const [seq, caption] of turnsOf(s.findings)) if (seq >= from && seq <= to) marks.set(seq, caption);
  for (const seq of s.bookmarks) marks.set(seq, bookmarkText(s, seq));
  const finding = activeFinding(s);
  for (const { seq, caption } of finding?.evidence ?? []) marks.set(seq, caption);
  return marks;
}

const turns = new WeakMap<ReplayState["findings"], ReadonlyMap<number, string>>();

function turnsOf(findings: ReplayState["findings"]): ReadonlyMap<number, string> {
  const known = turns.get(findings);
  if (known !== undefined) return known;
  const made = new Map(
    findings.flatMap(({ evidence }) => evidence.flatMap(({ isTurn, seq, caption }) => (isTurn === true ? [[seq, caption] as const] : []))),
  );
  turns.set(findings, made);
  return made;
}
