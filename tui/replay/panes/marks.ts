/** Rows that are marked in the timelines, and what is said below them. */

import { bookmarkText } from "../navigate/bookmarks.ts";
import type { ReplaySession } from "../session.ts";
import { activeFinding, type ReplayState } from "../state.ts";

/** By seq: differences from Linux alone, wrong turns of all findings, bookmarks, the evidence of the finding that is told; the last one counts. */
export function marksOf(session: ReplaySession, s: ReplayState): Map<number, string> {
  const marks = new Map([...differencesOf(session), ...turnsOf(s.findings)]);
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

const texts = new WeakMap<ReplaySession["differences"], ReadonlyMap<number, string>>();

function differencesOf({ differences }: ReplaySession): ReadonlyMap<number, string> {
  const known = texts.get(differences);
  if (known !== undefined) return known;
  const made = new Map(differences.map(({ seq, text }) => [seq, text]));
  texts.set(differences, made);
  return made;
}
