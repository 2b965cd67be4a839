/** The findings, and the walkthrough of the active one: its evidence, step by step. */

import { RULE_IDS, SEVERITIES } from "../../../analyzer/index.ts";
import { safe } from "../../present/safe.ts";
import { type Paint, plain, type Style } from "../../present/style.ts";
import { wrapCells } from "../../present/two-column.ts";
import { isTooLongToAnalyze, type ReplaySession, type StoredFinding } from "../session.ts";
import { activeFinding, type ReplayState } from "../state.ts";
import { entryLines, type Pane, windowFrom } from "./pane.ts";

export const findingsPane: Pane<"findings"> = {
  id: "findings",
  title: "what is wrong in this trace, and the evidence",
  lines(session, s, width, height) {
    const verdict = verdictAbove(session, width, height);
    return [...verdict, ...listed(session, s, width, height - verdict.length)];
  },
};

/** Lines that a pane must have for the verdict to stand above the findings, and what it takes of them at most. */
const HIGH = 14;
const VERDICT_LINES = 5;

function verdictAbove(session: ReplaySession, width: number, height: number): string[] {
  if (height < HIGH || session.verdict.length === 0) return [];
  const lines = session.verdict.flatMap((line) => wrapCells(line, width));
  return [...lines.slice(0, VERDICT_LINES).map((line) => safe(line, width)), ""];
}

function listed(session: ReplaySession, s: ReplayState, width: number, height: number): string[] {
  const { paint } = session;
  const { findings } = s;
  if (findings.length === 0) return wrapCells(none(session, s), width).map(paint.dim);
  const selected = activeFinding(s);
  const told = selected === undefined ? { lines: [], at: 0 } : evidenceLines(session, s, selected, width);
  const room = Math.max(1, Math.min(findings.length, height - told.lines.length - 1));
  const from = windowFrom(s.finding ?? 0, room, findings.length);
  const shown = findings.slice(from, from + room);
  const widest = (texts: readonly string[]): number => Math.max(...texts.map((text) => text.length));
  const where = width < NARROW ? ({ firstSeq }: StoredFinding): string => `seq ${firstSeq}` : intervalText;
  const interval = widest(shown.map(where));
  const severity = widest(shown.map((finding) => safe(finding.severity, 8)));
  const entries = shown.map((finding, i) => ({
    head: `${from + i === s.finding ? ">" : " "} ${where(finding).padEnd(interval)}  ${safe(finding.severity, 8).padEnd(severity)}  `,
    text: finding.title,
  }));
  const list = entryLines(entries, width, height - told.lines.length - 1, (s.finding ?? -1) - from).flatMap((lines, i) => {
    const style = from + i === s.finding ? paint.strong : plain;
    return lines.map((line, at) =>
      at === 0 ? inItsTone(line, interval + BEFORE_SEVERITY, shown[i]?.severity ?? "", style, paint) : style(line),
    );
  });
  const below = Math.max(0, height - list.length - 1);
  const first = windowFrom(told.at, below, told.lines.length);
  const counted = session.onlyCounted > 0 ? `${session.onlyCounted} more, like others, are only counted; ` : "";
  const keys = keysLine(selected === undefined ? null : walkthroughPosition(s, selected), width - counted.length);
  return [...list, ...told.lines.slice(first, first + below), paint.dim(safe(counted + keys, width))];
}

/** What there is to do, as much of it as there is room for: what Enter does goes last. */
function keysLine(position: string | null, width: number): string {
  if (position === null) return "Enter or } begins the walkthrough";
  const whole = `evidence ${position}, b back, F plays; } next finding`;
  const texts = [whole, `evidence ${position}; } next finding`, `evidence ${position}`];
  return texts.find((text) => text.length <= width) ?? position;
}

/** In a pane that is narrower what a finding says has more need of the room than where it ends. */
const NARROW = 64;

/** Cells of a row before its severity, besides those of its interval. */
const BEFORE_SEVERITY = 4;

/** The severity in its colour; a severity that a stranger's trace made up has none. */
function inItsTone(line: string, at: number, severity: string, style: Style, { tone }: Paint): string {
  const known = SEVERITIES.find((one) => one === severity && line.startsWith(one, at));
  if (known === undefined) return style(line);
  return `${style(line.slice(0, at))}${tone[known](known)}${style(line.slice(at + known.length))}`;
}

const intervalText = ({ firstSeq, lastSeq }: StoredFinding): string =>
  firstSeq === lastSeq ? `seq ${firstSeq}` : `seq ${firstSeq} to ${lastSeq}`;

/** Which evidence is told, and what Enter does. */
export function walkthroughPosition(s: ReplayState, { evidence }: StoredFinding): string {
  const at = s.evidence + 1;
  if (s.walkthroughOver && at < evidence.length) return `${at} of ${evidence.length}: Enter begins at the first`;
  // The first Enter at the end says that it is the end.
  const end = `, the end: Enter ${s.walkthroughOver ? "" : "twice "}begins again`;
  return `${at} of ${evidence.length}${at < evidence.length ? ": Enter goes on" : end}`;
}

/** Why the list is empty. */
function none(session: ReplaySession, s: ReplayState): string {
  if (s.looking) return "the rules are looking through the trace ...";
  if (s.analysisFailed) return "the rules could not look through all of the trace: eintr analyze says why";
  const outcome = session.verdict.length === 0 ? "" : `; ${session.verdict.join("; ")}`;
  if (isTooLongToAnalyze(session) && !s.looked)
    return safe(`the trace is long, and not all rules looked through it yet: Enter has them do it (Esc stops)${outcome}`);
  return safe(`no findings: the ${RULE_IDS.length} rules that know what goes wrong found nothing here${outcome}`);
}

/** The evidence as lines, and which of them is stood at. */
function evidenceLines(session: ReplaySession, s: ReplayState, finding: StoredFinding, width: number): { lines: string[]; at: number } {
  const lines: string[] = [];
  let at = 0;
  finding.evidence.forEach(({ seq, caption }, i) => {
    const now = i === s.evidence;
    if (now) at = lines.length;
    for (const [part, text] of wrapCells(safe(caption), width - 14).entries()) {
      const line = safe(part === 0 ? ` ${now ? ">" : " "} ${String(seq).padStart(8)}  ${text}` : `${" ".repeat(13)}${text}`, width);
      lines.push(now ? session.paint.warn(line) : line);
    }
  });
  const more = safe("   w explains why it matters, and how it was fixed", width);
  return { lines: [...lines, session.paint.dim(more)], at };
}
