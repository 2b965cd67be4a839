/** What a report says of a trace: asked of its database and rows, bounded whatever the length of the trace. */

import { findRule, RuleError } from "../../analyzer/catalogue.ts";
import { type Because, firstOf, type Verdict } from "../../analyzer/index.ts";
import { shownBy } from "../../engine/index.ts";
import type { Trace } from "../../recorder/index.ts";
import { becauseOf } from "../explaining.ts";
import type { Io } from "../io.ts";
import { marksOf } from "../marks.ts";
import { becauseLines, byEffect } from "../present/because.ts";
import type { DiagramOptions } from "../present/diagram.ts";
import { safe } from "../present/safe.ts";
import { hasEnclave } from "../present/two-column.ts";
import { verdictLines } from "../present/verdict.ts";
import { type Stretch, stretchOfDifference, stretchOfFinding } from "../stretch.ts";
import type { ReportData, ReportDiagram, ReportDifference, ReportFinding, ReportNote } from "./data.ts";
import { diagramFor } from "./diagrams.ts";
import { lanesOf } from "./lanes.ts";
import { signalsOf } from "./signals.ts";

const MOST_FINDINGS = 200;
const MOST_DIAGRAMS = 40;
const MOST_DIFFERENCES = 500;
const MOST_OUTCOMES = 200;
const MOST_TEXT = 400;

/** The trace's verdict and findings are in its database. Throws TraceError; Interrupted after Ctrl-C. */
export async function collectReport(io: Io, trace: Trace, verdict: Verdict): Promise<ReportData> {
  const events = shownBy(trace.info.stack).events;
  const cuts: string[] = [];
  const because = becauseOf(verdict, explainersOf(trace), trace.threads);
  const found = findingsOf(trace, because);
  const drawing = createDrawing(io, trace);
  const findings: ReportFinding[] = [];
  for (const finding of found.shown) findings.push({ ...finding, diagram: await drawing.ofFinding(finding) });
  if (found.all > found.shown.length) cuts.push(`${count(found.all - found.shown.length)} further kinds of findings are left out.`);
  const differences = await differencesOf(trace, verdict, drawing);
  if (verdict.differences.length + verdict.omitted > differences.length)
    cuts.push(`${count(differences.length)} of ${count(verdict.differences.length + verdict.omitted)} differences are shown.`);

  const places = [...findings.map(({ from }) => from), ...differences.flatMap(({ seq }) => (seq === null ? [] : [seq]))];
  const { lanes, all, shown } = lanesOf(trace, places, events.name);
  if (shown < all)
    cuts.push(
      `The lanes show ${count(shown)} of ${count(all)} calls, handlers, upcalls and stays in the enclave: those near findings and differences.`,
    );
  const roads = signalsOf(
    trace,
    findings.map(({ from, to }) => [from, to]),
  );
  if (roads.signals.length < roads.all) cuts.push(`The roads of ${count(roads.signals.length)} of ${count(roads.all)} signals are shown.`);
  if (drawing.cut()) cuts.push("Long diagrams show the rows around their evidence; what is left out between is counted there.");
  if (!trace.complete) cuts.push("The recording was killed: the report is of what had been written.");

  const { info } = trace;
  return {
    run: {
      eintr: safe(info.eintr, MOST_TEXT),
      stack: safe(info.stack, MOST_TEXT),
      fixes: info.fixes.map((fix) => safe(fix, MOST_TEXT)),
      options: info.options.map((option) => safe(option, MOST_TEXT)),
      scenario: safe(info.scenario, MOST_TEXT),
      clock: info.origin === "emulated" ? "virtual time" : "real time",
      transitions: trace.transitions.rows,
      time: Number(trace.ask("SELECT time FROM run")[0]?.[0] ?? 0),
      reason: trace.transitions.end?.reason ?? "killed",
      digest: trace.transitions.end?.digest ?? "",
    },
    verdict: [...verdictLines(verdict), ...becauseLines(because)],
    outcomes: verdict.outcomes.slice(0, MOST_OUTCOMES).map(({ subject, name, text, otherText }) => ({
      subject,
      name: safe(name, MOST_TEXT),
      text: safe(text, MOST_TEXT),
      other: otherText === null ? null : safe(otherText, MOST_TEXT),
    })),
    threads: trace.threads.map(({ name, pid, internal }) => ({ name: safe(name, MOST_TEXT), pid, internal })),
    findings,
    differences,
    notes: notesOf(trace),
    signals: roads.signals,
    lanes,
    quality: trace.ask("SELECT name, count, severity, advice FROM quality ORDER BY name LIMIT 200").map(([name, n, severity, advice]) => ({
      name: safe(String(name), MOST_TEXT),
      count: Number(n),
      severity: safe(String(severity), MOST_TEXT),
      advice: safe(String(advice), MOST_TEXT),
    })),
    cuts,
  };
}

function notesOf(trace: Trace): ReportNote[] {
  return marksOf(trace).flatMap(({ seq, note }) => {
    const [row] = trace.ask("SELECT time_ns, thread, flow, label FROM transitions WHERE seq = ?", seq);
    if (row === undefined) return [];
    const [time, thread, flow, label] = row;
    return [
      { seq, time: Number(time), thread: safe(String(thread), MOST_TEXT), place: safe(`${flow}: ${label}`, MOST_TEXT), note: safe(note) },
    ];
  });
}

const count = (n: number): string => n.toLocaleString("en");

/** Draws while there is room for diagrams. */
interface Drawing {
  ofFinding(finding: Omit<ReportFinding, "diagram">): Promise<ReportDiagram | null>;
  of(stretch: Stretch): Promise<ReportDiagram | null>;
  /** Something was left out. */
  cut(): boolean;
}

function createDrawing(io: Io, trace: Trace): Drawing {
  const options: Omit<DiagramOptions, "marks"> = {
    sites: trace.sites,
    sgx: hasEnclave(trace.sites),
    absent: trace.absent,
    eventName: shownBy(trace.info.stack).events.name,
  };
  let drawn = 0;
  let cut = false;
  const of = async (stretch: Stretch): Promise<ReportDiagram | null> => {
    drawn += 1;
    if (drawn > MOST_DIAGRAMS) {
      cut = true;
      return null;
    }
    const made = await diagramFor(io, trace, stretch, options);
    cut ||= made.cut;
    return made.diagram;
  };
  return {
    of,
    ofFinding: ({ id }) => of(stretchOfFinding(trace, id)),
    cut: () => cut,
  };
}

/** A stranger's database may have any number of findings. */
const MOST_EXPLAINERS = 100_000;

const explainersOf = (trace: Trace): Parameters<typeof becauseOf>[1] =>
  trace
    .ask(`SELECT rule, thread, first_seq, last_seq, substr(title, 1, ${MOST_TEXT}) FROM finding ORDER BY id LIMIT ${MOST_EXPLAINERS}`)
    .map(([rule, thread, firstSeq, lastSeq, title]) => ({
      rule: String(rule),
      thread: thread === null ? null : Number(thread),
      firstSeq: Number(firstSeq),
      lastSeq: Number(lastSeq),
      title: String(title),
    }));

/** One of each fingerprint, the first; those of them first that explain a difference, as `eintr analyze` tells them. */
function findingsOf(trace: Trace, because: readonly Because[]): { shown: Omit<ReportFinding, "diagram">[]; all: number } {
  const all = Number(trace.ask("SELECT count(DISTINCT fingerprint) FROM finding")[0]?.[0]);
  const inTime = trace
    .ask("SELECT min(id), count(*), sum(cost_ns), rule, severity FROM finding GROUP BY fingerprint ORDER BY min(id) LIMIT ?", MOST_FINDINGS)
    .map(([id, alike, cost, rule, severity]) => ({ id, alike, cost, rule: String(rule), severity: String(severity) }));
  const { explaining, others } = byEffect(inTime, because);
  const groups = because.length === 0 ? inTime : [...explaining, ...others];
  const shown = groups.flatMap(({ id, alike, cost }) => {
    const [row] = trace.ask(
      `SELECT f.rule, f.severity, f.title, t.name, f.first_seq, f.last_seq, f.fingerprint
       FROM finding f LEFT JOIN thread t ON t.id = f.thread WHERE f.id = ?`,
      Number(id),
    );
    if (row === undefined) return [];
    const [rule, severity, title, thread, from, to, fingerprint] = row;
    const evidence = trace.ask("SELECT seq, caption FROM evidence WHERE finding = ? ORDER BY position LIMIT 100", Number(id));
    return [
      {
        id: Number(id),
        rule: safe(String(rule), MOST_TEXT),
        severity: safe(String(severity), MOST_TEXT),
        title: safe(String(title), MOST_TEXT),
        thread: thread === null ? "" : safe(String(thread), MOST_TEXT),
        from: Number(from),
        to: Number(to),
        cost: Number(cost),
        fingerprint: safe(String(fingerprint), MOST_TEXT),
        alike: Number(alike) - 1,
        evidence: evidence.map(([seq, caption]) => ({ seq: Number(seq), caption: safe(String(caption), MOST_TEXT) })),
        about: aboutRule(String(rule)),
      },
    ];
  });
  return { shown, all };
}

function aboutRule(id: string): ReportFinding["about"] {
  try {
    const { what, why, remedy } = findRule(id);
    return { what, why, remedy };
  } catch (error) {
    // A finding of another eintr, or of a user's rule.
    if (error instanceof RuleError) return null;
    throw error;
  }
}

async function differencesOf(trace: Trace, verdict: Verdict, drawing: Drawing): Promise<ReportDifference[]> {
  const chosen = verdict.differences.slice(0, MOST_DIFFERENCES);
  const cause = firstOf(verdict);
  if (cause !== undefined && !chosen.includes(cause)) chosen.unshift(cause);
  const made: ReportDifference[] = [];
  for (const [i, one] of chosen.entries()) {
    const isCause = one === cause;
    const { seq } = one.one;
    const stretch = !isCause || seq === null ? null : stretchOfDifference(trace, seq);
    made.push({
      id: i + 1,
      kind: one.kind,
      weight: one.weight,
      thread: safe(one.thread, MOST_TEXT),
      what: safe(one.what, MOST_TEXT),
      seq,
      here: safe(one.one.text, MOST_TEXT),
      there: safe(one.other.text, MOST_TEXT),
      line: one.line,
      cause: isCause,
      diagram: isCause && stretch !== null ? await drawing.of(stretch) : null,
    });
  }
  return made;
}
