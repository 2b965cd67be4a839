/**
 * Where the application sees something otherwise than on Linux alone. A long run has a hundred thousand such places: the first ones are read
 * when it is opened, the places of all of them in the background, and a text when it is shown.
 */

import { setImmediate as turn } from "node:timers/promises";
import type { Cell, Trace } from "../../../recorder/index.ts";
import { withUnits } from "../../present/units.ts";
import type { ReplaySession } from "../session.ts";
import type { Direction } from "./rows.ts";

export interface Shows {
  readonly seq: number;
  /** "read(pipe, 64): 0, on Linux -EINTR". */
  readonly text: string;
}

/** In order of seq. */
export interface Differences {
  readonly first: readonly Shows[];
  /** `first` has all that show up to here; infinite when it has all. */
  readonly upTo: number;
}

/** Differences that are read when a trace is opened. */
const FIRST = 2000;
/** Rows that are read in one go in the background: some milliseconds. */
const ROWS_AT_ONCE = 2000;
/** Places that are kept: a verdict has fewer, a stranger's database may have any number. */
const MOST_PLACES = 400_000;
/** Texts that are asked for at once. */
const MOST_SHOWN = 100;
const MAX_TEXT = 2000;

/** In SQL: where a difference shows. At the end of the call that differs, when it has one: there the application sees it. */
const SHOWS = "coalesce((SELECT c.exit_seq FROM syscall c WHERE c.seq = d.seq), d.seq)";
const TEXTS = `substr(d.what, 1, ${MAX_TEXT}), substr(d.here, 1, ${MAX_TEXT}), substr(d.there, 1, ${MAX_TEXT})`;
const DIFFERS = "FROM difference d WHERE d.seq IS NOT NULL AND d.weight = 'differs'";

const shownAs = ([seq, what, here, there]: readonly Cell[]): Shows => ({
  seq: Number(seq),
  text: withUnits(`${what}: ${here}, on Linux ${there}`),
});

/** By where they begin, which has an index: nothing that begins later shows before. */
export function firstDifferences(trace: Trace): Differences {
  const rows = trace.ask(`SELECT ${SHOWS}, ${TEXTS}, d.seq ${DIFFERS} ORDER BY d.seq LIMIT ${FIRST}`);
  const upTo = rows.length < FIRST ? Number.POSITIVE_INFINITY : Number(rows.at(-1)?.[4]);
  const first = rows.map(shownAs).sort((a, b) => a.seq - b.seq);
  return { first: first.filter(({ seq }) => seq <= upTo), upTo };
}

/** All of them, in order of seq. */
interface Places {
  readonly seqs: Float64Array;
  readonly ids: Float64Array;
}

const counted = new WeakMap<Trace, Places>();

/** Reads where all differences show, unless they are known; ends early when `signal` is aborted, and then nothing is kept. Throws TraceError. */
export async function countDifferences({ trace, differences }: ReplaySession, signal: AbortSignal): Promise<void> {
  if (differences.upTo === Number.POSITIVE_INFINITY || counted.has(trace)) return;
  const places: { readonly id: number; readonly seq: number }[] = [];
  for (let from = 0; ; ) {
    const rows = trace.ask(`SELECT d.id, ${SHOWS} ${DIFFERS} AND d.id > ? ORDER BY d.id LIMIT ${ROWS_AT_ONCE}`, from);
    for (const [id, seq] of rows) places.push({ id: Number(id), seq: Number(seq) });
    if (rows.length < ROWS_AT_ONCE || places.length >= MOST_PLACES) break;
    from = Number(rows.at(-1)?.[0]);
    await turn();
    if (signal.aborted) return;
  }
  places.sort((a, b) => a.seq - b.seq || a.id - b.id);
  counted.set(trace, { seqs: Float64Array.from(places, ({ seq }) => seq), ids: Float64Array.from(places, ({ id }) => id) });
}

/** Index of the first place at or after `seq`. */
function firstFrom(seqs: ArrayLike<number>, seq: number): number {
  let low = 0;
  let high = seqs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((seqs[middle] as number) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

const firstSeqs = new WeakMap<Differences, Float64Array>();

function seqsOf({ trace, differences }: ReplaySession): Float64Array {
  const all = counted.get(trace)?.seqs ?? firstSeqs.get(differences);
  if (all !== undefined) return all;
  const made = Float64Array.from(differences.first, ({ seq }) => seq);
  firstSeqs.set(differences, made);
  return made;
}

/** Whether one shows from `from` on and before `end`; of those that are not counted yet nothing is known. */
export function differsWithin(session: ReplaySession, from: number, end: number): boolean {
  const seqs = seqsOf(session);
  const at = firstFrom(seqs, from);
  return at < seqs.length && (seqs[at] as number) < end;
}

/** Those that show from `from` up to `to`, a hundred at most. */
export function differencesWithin(session: ReplaySession, from: number, to: number): readonly Shows[] {
  const { first, upTo } = session.differences;
  const seqs = seqsOf(session);
  const [begin, end] = [firstFrom(seqs, from), firstFrom(seqs, to + 1)];
  if (to <= upTo) return first.slice(firstFrom(seqs, from), end);
  return textsOf(session, begin, Math.min(end, begin + MOST_SHOWN));
}

/** The texts that were asked for last: a redraw asks for them again. */
const asked = new WeakMap<Trace, { readonly begin: number; readonly end: number; readonly texts: readonly Shows[] }>();

function textsOf({ trace, differences }: ReplaySession, begin: number, end: number): readonly Shows[] {
  const places = counted.get(trace);
  if (places === undefined) return differences.first.slice(begin, end);
  const last = asked.get(trace);
  if (last !== undefined && last.begin === begin && last.end === end) return last.texts;
  const texts = Array.from(places.ids.subarray(begin, end)).flatMap((id) =>
    trace.ask(`SELECT ${SHOWS}, ${TEXTS} FROM difference d WHERE d.id = ?`, id).map(shownAs),
  );
  asked.set(trace, { begin, end, texts });
  return texts;
}

/** The next (1) or last (-1) one. Where those beyond the first are not counted yet, the database looks for it. */
export function differenceFrom(session: ReplaySession, seq: number, direction: Direction): Shows | undefined {
  const { trace, differences } = session;
  const { first, upTo } = differences;
  if (!counted.has(trace) && (direction === 1 ? seq >= (first.at(-1)?.seq ?? 0) : seq > upTo) && upTo < Number.POSITIVE_INFINITY) {
    // By where it shows: a call that waits at `seq` may have begun before it.
    const [compare, order] = direction === 1 ? [">", "ASC"] : ["<", "DESC"];
    return trace
      .ask(`SELECT ${SHOWS} AS shows, ${TEXTS} ${DIFFERS} AND shows ${compare} ? ORDER BY shows ${order} LIMIT 1`, seq)
      .map(shownAs)[0];
  }
  const seqs = seqsOf(session);
  const at = direction === 1 ? firstFrom(seqs, seq + 1) : firstFrom(seqs, seq) - 1;
  return at < 0 || at >= seqs.length ? undefined : textsOf(session, at, at + 1)[0];
}
