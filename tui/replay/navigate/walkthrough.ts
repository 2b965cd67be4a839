/** Navigation over findings: which one is active, and the walkthrough of its evidence. */

import type { Rule } from "../../../analyzer/index.ts";
import { catalogueIfLoaded, loadCatalogue } from "../catalogue.ts";
import type { Context } from "../context.ts";
import type { StoredFinding } from "../session.ts";
import { activeFinding, type ReplayState } from "../state.ts";
import { goTo } from "./navigation.ts";
import { worstOf } from "./opening.ts";
import type { Direction } from "./rows.ts";

const THE_END = "the walkthrough ends here. w explains why it matters and how it was fixed; Enter restarts it";
const NO_FINDING: Readonly<Record<Direction, string>> = { 1: "no finding further on", [-1]: "no finding before here" };

const noneAtAll = ({ looking, analysisFailed }: ReplayState): string =>
  looking ? "the rules are still looking" : analysisFailed ? "the rules could not look through all of the trace" : "no findings";

const placeOf = (finding: StoredFinding, evidence: number): number => finding.evidence[evidence]?.seq ?? finding.firstSeq;

/** The nearest finding after or before here, at its first evidence. */
export function finding(c: Context, direction: Direction): void {
  const s = c.state();
  if (s.findings.length === 0) return c.dispatch({ type: "say", message: noneAtAll(s) });
  const places = s.findings.map(({ firstSeq }, index) => ({ seq: firstSeq, index })).sort(inOrder);
  // Who has just opened the trace is shown the finding that it was opened at.
  if (s.fresh && s.finding !== null && direction === 1) return void begin(c, s.finding);
  const here = placeHere(c, direction);
  const next = direction === 1 ? places.find((place) => inOrder(place, here) > 0) : places.findLast((place) => inOrder(place, here) < 0);
  if (next === undefined) return c.dispatch({ type: "say", message: NO_FINDING[direction] });
  begin(c, next.index);
}

/** Several findings can begin at the same transition: then the order of the list counts. */
interface Place {
  readonly seq: number;
  readonly index: number;
}

const inOrder = (a: Place, b: Place): number => a.seq - b.seq || a.index - b.index;

/** At the start of a walkthrough the cursor counts as being at the finding, wherever its first evidence is. */
function placeHere(c: Context, direction: Direction): Place {
  const s = c.state();
  const told = activeFinding(s);
  if (told !== undefined && s.finding !== null && s.evidence === 0 && !isElsewhere(c, told))
    return { seq: told.firstSeq, index: s.finding };
  return { seq: s.seq, index: direction === 1 ? Number.POSITIVE_INFINITY : -1 };
}

/** Start the walkthrough of a finding; false if there is no such finding. */
function begin(c: Context, index: number): boolean {
  const s = c.state();
  const found = s.findings[index];
  if (found === undefined) {
    c.dispatch({ type: "say", message: noneAtAll(s) });
    return false;
  }
  c.dispatch({ type: "finding", finding: index, evidence: 0 });
  c.dispatch({ type: "pane", pane: "findings" });
  goTo(c, placeOf(found, 0), null, found.title);
  return true;
}

/** Along the evidence of the finding, or back to it for who went elsewhere; false when that leads nowhere. */
export function evidence(c: Context, direction: Direction): boolean {
  const s = c.state();
  const told = activeFinding(s);
  if (told === undefined) return begin(c, worstOf(s.findings));
  if (isElsewhere(c, told)) return standAt(c, told, s.evidence);
  if (direction === 1 && s.walkthroughOver) return standAt(c, told, 0);
  const next = s.evidence + direction;
  if (told.evidence[next] !== undefined) return standAt(c, told, next);
  c.dispatch({ type: "say", message: direction === 1 ? THE_END : "the walkthrough begins here" });
  if (direction === 1) c.dispatch({ type: "walkthroughOver" });
  return false;
}

/** Play the walkthrough from the current evidence on; from the first one if it is at its end. */
export function playWalkthrough(c: Context): void {
  const { evidence: at } = c.state();
  const told = activeFinding(c.state());
  if (told === undefined) {
    if (!begin(c, worstOf(c.state().findings))) return;
  } else if (at >= told.evidence.length - 1) standAt(c, told, 0);
  else if (isElsewhere(c, told)) standAt(c, told, at);
  c.dispatch({ type: "play", direction: 1, what: "evidence" });
}

/** Evidence at a seq that cannot be read (the trace is damaged or forged) does not block the walkthrough. */
function isElsewhere(c: Context, told: StoredFinding): boolean {
  const { seq, evidence: at } = c.state();
  const place = placeOf(told, at);
  if (seq === place) return false;
  try {
    return c.session.rows.at(place) !== null;
  } catch {
    return false;
  }
}

function standAt(c: Context, told: StoredFinding, at: number): true {
  c.dispatch({ type: "finding", finding: c.state().finding, evidence: at });
  goTo(c, placeOf(told, at), null, told.evidence[at]?.caption ?? told.title);
  return true;
}

/** What there is to read about the finding that is told, or about the first one: its rule, or why there is nothing. */
export function ruleToRead(s: ReplayState): { readonly rule: Rule } | { readonly none: string } {
  const about = activeFinding(s) ?? s.findings[0];
  if (about === undefined) return { none: noneAtAll(s) };
  const rule = catalogueIfLoaded()?.RULES.find(({ id }) => id === about.rule);
  // The finding comes from the trace's database: from another eintr, or a stranger.
  return rule === undefined ? { none: "no rule of that name here" } : { rule };
}

export async function why(c: Context): Promise<void> {
  await loadCatalogue();
  const about = ruleToRead(c.state());
  if ("none" in about) return c.dispatch({ type: "say", message: about.none });
  c.dispatch({ type: "overlay", overlay: "why" });
}
