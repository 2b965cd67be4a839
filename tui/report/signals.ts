/** The road of each signal: where it was, and when. Of many signals those that came to grief, and those that findings speak of. */

import { HOPS } from "../../engine/index.ts";
import { OUTCOME, type Trace } from "../../recorder/index.ts";
import { safe } from "../present/safe.ts";
import type { ReportHop, ReportSignal } from "./data.ts";

const MOST_SIGNALS = 400;
const MOST_NAME = 60;

export interface MadeSignals {
  readonly signals: ReportSignal[];
  readonly all: number;
}

/** `windows`: stretches of seq (first, last) that matter most. */
export function signalsOf(trace: Trace, windows: readonly (readonly [number, number])[]): MadeSignals {
  const all = Number(trace.ask("SELECT count(*) FROM signal")[0]?.[0]);
  const chosen = new Set<number>();
  const add = (ids: readonly (readonly unknown[])[]): void => {
    for (const [id] of ids) if (chosen.size < MOST_SIGNALS) chosen.add(Number(id));
  };
  if (all > MOST_SIGNALS) {
    for (const [from, to] of windows)
      add(
        trace.ask("SELECT id FROM signal WHERE coalesce(generated, delivered) <= ? AND coalesce(ended, generated) >= ? LIMIT 50", to, from),
      );
    add(
      trace.ask("SELECT id FROM signal WHERE outcome NOT IN (?, ?) ORDER BY id LIMIT ?", OUTCOME.handled, OUTCOME.consumed, MOST_SIGNALS),
    );
  }
  add(trace.ask("SELECT id FROM signal ORDER BY id LIMIT ?", MOST_SIGNALS));
  const columns = HOPS.join(", ");
  const signals = [...chosen]
    .sort((a, b) => a - b)
    .flatMap((id) => trace.ask(`SELECT id, signal, thread, outcome, delay_ns, ${columns} FROM signals WHERE id = ?`, id))
    .map(([id, signal, thread, outcome, delay, ...seqs]): ReportSignal => {
      const hops = seqs.flatMap((seq, i) => (seq === null ? [] : [hopAt(trace, HOPS[i] ?? "", Number(seq))]));
      return {
        id: Number(id),
        signal: String(signal ?? "?"),
        thread: safe(String(thread ?? "?"), MOST_NAME),
        outcome: String(outcome),
        delay: delay === null ? null : Number(delay),
        hops: hops.sort((a, b) => a.seq - b.seq),
      };
    });
  return { signals, all };
}

function hopAt(trace: Trace, name: string, seq: number): ReportHop {
  const [row] = trace.ask("SELECT t.time, s.layer FROM transition t JOIN site s ON s.id = t.site WHERE t.seq = ?", seq);
  return { name, seq, time: Number(row?.[0] ?? 0), layer: String(row?.[1] ?? "host") };
}
