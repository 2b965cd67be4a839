/**
 * Lanes of a long interval, from the tables of calls, handlers and enclave entries instead of from its rows. They are counted once, in the
 * background, into bins of equally many transitions; any zoom then adds up a few bins a column.
 */

import { setImmediate as turn } from "node:timers/promises";
import { OUTCOME } from "../../../recorder/index.ts";
import type { ReplaySession } from "../session.ts";
import { CALLS, codeOf, type Lane, MAX_LANES, MAX_SLICES, NOTHING, type Slice, WAITS } from "./lane.ts";

const BINS = 4096;
/** Rows of a table that are counted in one go: some milliseconds. */
const ROWS_AT_ONCE = 4000;

interface Counted {
  /** Time in calls that begin in the bin, and time of the application before each of them, ns. */
  readonly inCalls: Float64Array;
  readonly inApp: Float64Array;
  /** 1 where one call goes on through the whole bin. */
  readonly waits: Uint8Array;
  readonly handlers: Uint16Array;
  readonly entries: Uint16Array;
  /** End of the last call, ns. */
  lastEnd: number;
  /** Seq at which it begins. */
  lastCall: number;
}

type Overview = ReadonlyMap<number, Counted>;

const overviews = new WeakMap<ReplaySession["trace"], Overview>();

export const isCounted = ({ trace }: ReplaySession): boolean => overviews.has(trace);

/** Counts the tables unless that is done; ends early when `signal` is aborted, and then nothing is kept. Throws TraceError. */
export async function countOverview(session: ReplaySession, signal: AbortSignal): Promise<void> {
  const { trace, rows } = session;
  if (overviews.has(trace)) return;
  const made = new Map<number, Counted>();
  const bin = (seq: number): number => Math.max(0, Math.min(BINS - 1, Math.floor((seq * BINS) / rows.count)));
  const of = (thread: number): Counted | null => {
    let known = made.get(thread);
    if (known === undefined && made.size < MAX_LANES) made.set(thread, (known = newCounted()));
    return known ?? null;
  };
  const each = async (columns: string, table: string, take: (row: readonly number[]) => void): Promise<boolean> => {
    const last = rows.count - 1;
    for (let from = -1; ; ) {
      const found = trace.ask(`SELECT ${columns} FROM ${table} WHERE seq > ? AND seq <= ${last} ORDER BY seq LIMIT ${ROWS_AT_ONCE}`, from);
      for (const row of found) take(row.map((cell) => (cell === null ? Number.NaN : Number(cell))));
      if (found.length < ROWS_AT_ONCE) return true;
      from = Number(found.at(-1)?.[0]);
      await turn();
      if (signal.aborted) return false;
    }
  };
  /** The last one of each thread: a stranger's table may have any number. */
  const exits = new Map<number, Exit>();
  const processExits = new Map<number, Exit>();
  const calls = (row: readonly number[]): void => {
    const [seq = 0, thread = 0, exit = 0, time = 0, duration = 0, site = 0] = row;
    const c = of(thread);
    if (c === null) return;
    const label = Number.isNaN(exit) ? (trace.sites[site]?.label ?? "") : "";
    const how = EXITS.exec(label)?.[0];
    if (how !== undefined) (how === "exit(" ? exits : processExits).set(thread, { seq, thread, ofProcess: how !== "exit(" });
    c.lastCall = seq;
    const first = bin(seq);
    const end = Number.isNaN(exit) ? BINS : bin(exit);
    c.inCalls[first] = (c.inCalls[first] as number) + (Number.isNaN(duration) ? 0 : duration);
    c.inApp[first] = (c.inApp[first] as number) + Math.max(0, time - c.lastEnd);
    if (end > first + 1) c.waits.fill(1, first + 1, end);
    c.lastEnd = Number.isNaN(duration) ? time : time + duration;
  };
  const counting = (column: "handlers" | "entries") => (row: readonly number[]) => {
    const [seq = 0, thread = 0] = row;
    const counts = of(thread)?.[column];
    if (counts !== undefined) counts[bin(seq)] = Math.min(65_535, (counts[bin(seq)] as number) + 1);
  };
  const whole =
    (await each("seq, thread, exit_seq, time, duration, site", "syscall", calls)) &&
    (await each("seq, thread", "handler", counting("handlers"))) &&
    (await each("seq, thread", "entry", counting("entries")));
  if (!whole) return;
  for (const [thread, end] of endsOf(trace, [...exits.values(), ...processExits.values()], made))
    made.get(thread)?.waits.fill(0, Math.min(BINS, bin(end) + 1));
  overviews.set(trace, made);
}

/** Calls after which the thread, or its process, is over: what was not answered until then never is. */
const EXITS = /^exit(?:_group)?\(/;

interface Exit {
  readonly seq: number;
  readonly thread: number;
  /** All threads of its process are over then. */
  readonly ofProcess: boolean;
}

/** Where threads are over that had a call under way: by their own exit, that of their process, or a signal. */
function endsOf({ ask, threads }: ReplaySession["trace"], exits: readonly Exit[], made: Overview): Map<number, number> {
  const exit = `SELECT 1 FROM count_by_kind c JOIN kind k ON k.id = c.kind WHERE k.name = 'thread.exit' AND c.thread = ? LIMIT 1`;
  const gone = new Set([...made.keys()].filter((thread) => ask(exit, thread).length > 0));
  const signals = ask(
    `SELECT ended, thread FROM signal WHERE outcome IN (${OUTCOME.killed}, ${OUTCOME["host default"]}) AND ended IS NOT NULL LIMIT ${ROWS_AT_ONCE}`,
  ).map(([seq, thread]): Exit => ({ seq: Number(seq), thread: Number(thread), ofProcess: true }));
  const ends = new Map<number, number>();
  for (const { seq, thread, ofProcess } of [...exits, ...signals])
    for (const [one, { lastCall }] of made) {
      const isMeant = one === thread || (ofProcess && threads[one]?.pid === threads[thread]?.pid);
      // A signal may have stopped it only: then it made calls later.
      if (isMeant && gone.has(one) && seq >= lastCall) ends.set(one, Math.max(seq, ends.get(one) ?? 0));
    }
  return ends;
}

const newCounted = (): Counted => ({
  inCalls: new Float64Array(BINS),
  inApp: new Float64Array(BINS),
  waits: new Uint8Array(BINS),
  handlers: new Uint16Array(BINS),
  entries: new Uint16Array(BINS),
  lastEnd: 0,
  lastCall: 0,
});

const APP = codeOf("app", false);

/** Null as long as the tables are not counted. */
export function overviewLanes(session: ReplaySession, edges: Float64Array): ReadonlyMap<number, Lane> | null {
  const overview = overviews.get(session.trace);
  if (overview === undefined) return null;
  const columns = edges.length - 1;
  const bin = (seq: number): number => Math.max(0, Math.min(BINS - 1, Math.floor((seq * BINS) / session.rows.count)));
  return new Map(
    [...overview].map(([thread, counted]) => {
      const cells = new Uint8Array(columns);
      const inside = new Uint8Array(columns);
      const slices: Slice[] = [];
      for (let i = 0; i < columns; i += 1) {
        const [first, last] = [bin(edges[i] as number), bin(Math.max(edges[i] as number, (edges[i + 1] as number) - 1))];
        cells[i] = cellOf(counted, first, last);
        if (sum(counted.handlers, first, last) > 0 && slices.length < MAX_SLICES)
          slices.push({ what: "handler", from: i, to: i, text: "" });
        inside[i] = sum(counted.entries, first, last) > 0 ? 1 : 0;
      }
      return [thread, { cells, inside, slices }];
    }),
  );
}

/** Threads that are in one and the same call from before `from` until after `end`; none as long as the tables are not counted. */
export function sleepersIn(session: ReplaySession, from: number, end: number): number[] {
  const bin = (seq: number): number => Math.max(0, Math.min(BINS - 1, Math.floor((seq * BINS) / session.rows.count)));
  const [first, last] = [bin(from), bin(Math.max(from, end - 1))];
  return [...(overviews.get(session.trace) ?? [])].flatMap(([thread, { waits }]) =>
    waits.subarray(first, last + 1).every((one) => one === 1) ? [thread] : [],
  );
}

function cellOf(counted: Counted, first: number, last: number): number {
  const [calls, app] = [sum(counted.inCalls, first, last), sum(counted.inApp, first, last)];
  if (calls + app > 0) return app > calls ? APP : CALLS;
  return (counted.waits[first] as number) === 1 ? WAITS : NOTHING;
}

function sum(list: Float64Array | Uint16Array, first: number, last: number): number {
  let total = 0;
  for (let i = first; i <= last; i += 1) total += list[i] as number;
  return total;
}
