/** The verdict in a trace's database. A stranger's may hold texts of any length, and any number of them. */

import type { QualityCounter, Trace } from "../../recorder/index.ts";
import type { Difference, DifferenceKind, Weight } from "./difference.ts";
import { logNameOf } from "./log-places.ts";
import { firstOf, type Verdict } from "./verdict.ts";

/** Null if the trace was not compared yet. */
export function storedVerdict(trace: Trace): Verdict | null {
  const outcome = storedOutcome(trace);
  if (outcome === null) return null;
  const differences = storedDifferences(trace, "", MAX_ROWS);
  return { ...outcome, differences, cause: firstOf({ differences }) };
}

/** All but the differences; null if the trace was not compared yet. */
export function storedOutcome(trace: Trace): Omit<Verdict, "differences" | "cause"> | null {
  const outcomes = trace.ask(
    `SELECT subject, ${short("name")}, thread, ${short("how")}, ${short("text")}, seq, ${short("other_how")}, ${short("other_text")},
       compared_seq, ${short("other")}, compared, omitted, beyond FROM outcome ORDER BY id LIMIT ${MAX_ROWS}`,
  );
  const [run] = outcomes;
  if (run === undefined) return null;
  return {
    log: logNameOf(trace.info.scenarioText),
    other: textOrNull(run[9]),
    compared: Number(run[10]),
    omitted: Number(run[11]),
    beyond: Number(run[12]),
    outcomes: outcomes.map(([subject, name, thread, how, text, seq, otherHow, otherText, comparedSeq]) => ({
      subject: subject as "run" | "process" | "thread",
      name: String(name),
      thread: numberOrNull(thread),
      how: String(how),
      text: String(text),
      seq: numberOrNull(seq),
      otherHow: textOrNull(otherHow),
      otherText: textOrNull(otherText),
      comparedSeq: numberOrNull(comparedSeq),
    })),
    notices: trace
      .ask(`SELECT name, count, severity, ${short("advice")} FROM quality WHERE name IN (${NOTICES.map((name) => `'${name}'`).join(", ")})`)
      .map(([name, count, severity, advice]) => ({
        name: String(name),
        count: Number(count),
        severity: SEVERITIES.find((one) => one === severity) ?? "notice",
        advice: String(advice),
      })),
  };
}

/** Those that the SQL condition `where` holds for ("" for all), `most` of them, causes before what follows from them. */
export function storedDifferences(trace: Trace, where: string, most: number): Difference[] {
  const rows = trace.ask(
    `SELECT kind, weight, ${short("thread")}, ${short("what")}, seq, ${short("here")}, result, other_seq, ${short("there")}, other_result, line
       FROM difference ${where} ORDER BY id LIMIT ${most}`,
  );
  return rows.map(([kind, weight, thread, what, seq, here, result, otherSeq, there, otherResult, line]) => ({
    kind: String(kind) as DifferenceKind,
    weight: String(weight) as Weight,
    thread: String(thread),
    what: String(what),
    line: numberOrNull(line),
    one: { seq: numberOrNull(seq), text: String(here), result: numberOrNull(result) },
    other: { seq: numberOrNull(otherSeq), text: String(there), result: numberOrNull(otherResult) },
  }));
}

/** Counters that the verdict adds to the trace's. */
const NOTICES = ["native-results-unknown", "log-differs-from-native", "oracle-stopped-early", "verdict-stopped-early"] as const;
const SEVERITIES: readonly QualityCounter["severity"][] = ["info", "notice", "data-loss", "error"];

/** Of each table. */
export const MAX_ROWS = 200_000;
const short = (column: string): string => `substr(${column}, 1, 2000)`;
const numberOrNull = (cell: unknown): number | null => (cell === null || cell === undefined ? null : Number(cell));
const textOrNull = (cell: unknown): string | null => (cell === null || cell === undefined ? null : String(cell));
