/**
 * The `signal` table: what became of each signal, followed by its id through all layers. Ids may first be seen in
 * any order and a signal may stay open for the whole run, so these rows do not suit the page writer: each goes
 * to a spill file when its road has ended (or when too many are open) and is inserted through SQLite at the end,
 * which merges what is known of an id. Signals are far rarer than transitions.
 */

import { BLOCK_ROWS, type Block, type Events, type Hop, KIND, type KindName, signalIdReader } from "../../engine/index.ts";
import { OUTCOME } from "../schema/outcomes.ts";
import { insertSql } from "../schema/sql.ts";
import { columnNames, emptyRow, positions } from "../schema/tables.ts";
import type { Spill } from "./spill.ts";

const Column = positions("signal");
const NOTHING_KNOWN = emptyRow("signal");

/** A signal whose end is this long ago is hardly heard of again (if it is, the rows are merged). */
const REST_ROWS = 4 * BLOCK_ROWS;
/** Open signals in memory; the oldest beyond that are written early and merged at the end. */
const MAX_OPEN = 65_536;

const column = (name: KindName, hop: Hop): readonly [number, number] => [KIND[name], Column[hop]];
/** The column that a kind's first row of a signal goes to. */
const COLUMN_OF_KIND = new Map<number, number>([
  column("host.signal.generate", "generated"),
  column("host.signal.deliver", "delivered"),
  column("pal.event.pend", "pended"),
  column("pal.event.inject", "pended"),
  column("pal.event.overwrite", "pended"),
  column("libos.signal.overwrite", "appended"),
  column("libos.upcall.enter", "upcall"),
  column("libos.signal.decide", "decided"),
  column("libos.signal.append", "appended"),
  column("libos.signal.fetch", "fetched"),
  column("app.handler.enter", "handled"),
]);

/** By `value` of host.signal.discard. */
const DISCARDED: readonly (number | undefined)[] = [OUTCOME.ignored, OUTCOME.coalesced, OUTCOME.lost, OUTCOME.lost, OUTCOME.cleared];

/** The outcome that a row of this kind and value gives a signal; null for none. */
function outcomeOf(kind: number, value: number, { consumed }: SignalEvents): number | null {
  switch (kind) {
    case KIND["app.handler.enter"]:
      return OUTCOME.handled;
    case KIND["libos.signal.ignore"]:
      return OUTCOME.ignored;
    case KIND["host.signal.discard"]:
      return DISCARDED[value] ?? OUTCOME.lost;
    case KIND["signal.take"]:
      return OUTCOME.taken;
    case KIND["libos.signal.drop"]:
      return OUTCOME.dropped;
    case KIND["libos.signal.lost"]:
    case KIND["pal.event.lost"]:
      return OUTCOME.lost;
    case KIND["libos.signal.kill"]:
      return OUTCOME.killed;
    case KIND["host.signal.default"]:
      return OUTCOME["host default"];
    case KIND["pal.event.deliver"]:
    case KIND["libos.upcall.enter"]:
      return consumed.includes(value) ? OUTCOME.consumed : null;
    default:
      return null;
  }
}

/** A stronger fact replaces a weaker one: pending < consumed < the other ends < handled. */
const rank = (outcome: number): number =>
  outcome === OUTCOME.handled ? 3 : outcome === OUTCOME.pending ? 0 : outcome === OUTCOME.consumed ? 1 : 2;

/** What has to be known of the PAL events of a stack: data that a thread can be given. */
export type SignalEvents = Pick<Events, "withoutSignal" | "consumed">;

export interface SignalDeriver {
  /** Row `row` of the block, whose kind carries a signal id, when the trace has so many threads. */
  take(block: Block, row: number, threadCount: number): void;
  /** Let go of signals that ended long before `seq`. */
  rest(seq: number): void;
  finish(): void;
}

export function createSignalDeriver(events: SignalEvents, out: Spill): SignalDeriver {
  const signalId = signalIdReader(events);
  const open = new Map<number, number[]>();
  let restedAt = 0;

  const signalOf = (id: number, block: Block, row: number): number[] => {
    let signal = open.get(id);
    if (signal === undefined) {
      signal = [...NOTHING_KNOWN];
      signal[Column.id] = id;
      signal[Column.signal] = block.signal[row] as number;
      signal[Column.thread] = block.thread[row] as number;
      signal[Column.outcome] = OUTCOME.pending;
      open.set(id, signal);
      if (open.size > MAX_OPEN) {
        for (const [oldest, facts] of open) {
          out.append(facts);
          open.delete(oldest);
          break;
        }
      }
    }
    return signal;
  };

  const end = (signal: number[], outcome: number, seq: number): void => {
    if (rank(outcome) <= rank(signal[Column.outcome] as number)) return;
    signal[Column.outcome] = outcome;
    // A handled signal ends when its handler does.
    signal[Column.ended] = outcome === OUTCOME.handled ? Number.NaN : seq;
  };

  return {
    take(block, row, threadCount): void {
      const id = signalId(block, row);
      const kind = block.kind[row] as number;
      const value = block.value[row] as number;
      const seq = block.seq0 + row;
      const overwrites = kind === KIND["pal.event.overwrite"] || kind === KIND["libos.signal.overwrite"];
      if (overwrites && value > 0) end(signalOf(value, block, row), OUTCOME.lost, seq);
      if (id <= 0) return;

      const signal = signalOf(id, block, row);
      if (signal[Column.signal] === 0) signal[Column.signal] = block.signal[row] as number;
      const names = kind === KIND["host.signal.generate"] || kind === KIND["libos.signal.append"];
      if (names && value >= 0 && value < threadCount) signal[Column.thread] = value;
      const at = COLUMN_OF_KIND.get(kind);
      if (at !== undefined && Number.isNaN(signal[at])) {
        signal[at] = seq;
        if (at === Column.generated) signal[Column.time_generated] = block.time[row] as number;
        if (at === Column.handled) {
          signal[Column.time_handled] = block.time[row] as number;
          signal[Column.delay] = (signal[Column.time_handled] as number) - (signal[Column.time_generated] as number);
        }
      }
      const outcome = outcomeOf(kind, value, events);
      if (outcome !== null) end(signal, outcome, seq);
      else if (kind === KIND["app.handler.return"] || kind === KIND["app.handler.longjmp"]) signal[Column.ended] = seq;
    },
    rest(seq): void {
      if (seq < restedAt + REST_ROWS) return;
      restedAt = seq;
      for (const [id, signal] of open) {
        if (!((signal[Column.ended] as number) < seq - REST_ROWS)) continue;
        out.append(signal);
        open.delete(id);
      }
    },
    finish(): void {
      for (const signal of open.values()) out.append(signal);
      open.clear();
    },
  };
}

/** Outcomes that a later fact replaces, in SQL; `rank` says the same. */
const OPEN = `(${OUTCOME.pending}, ${OUTCOME.consumed})`;

/** Facts that are the same in all pieces, or are merged in their own way below; of the others the first counts. */
const MERGED_OTHERWISE: ReadonlySet<string> = new Set(["id", "signal", "thread", "ended", "outcome", "delay"]);

/** Insert a signal; what was written of the same id before is completed, not lost. */
export const SIGNAL_UPSERT = `${insertSql("signal")}
ON CONFLICT (id) DO UPDATE SET
  ${columnNames("signal")
    .filter((name) => !MERGED_OTHERWISE.has(name))
    .map((name) => `${name} = COALESCE(${name}, excluded.${name})`)
    .join(",\n  ")},
  ended = CASE WHEN excluded.outcome = ${OUTCOME.handled} THEN excluded.ended
    WHEN outcome IN ${OPEN} THEN COALESCE(excluded.ended, ended) ELSE COALESCE(ended, excluded.ended) END,
  delay = COALESCE(time_handled, excluded.time_handled) - COALESCE(time_generated, excluded.time_generated),
  outcome = CASE WHEN excluded.outcome = ${OUTCOME.pending} THEN outcome
    WHEN outcome IN ${OPEN} OR excluded.outcome = ${OUTCOME.handled} THEN excluded.outcome ELSE outcome END`;
