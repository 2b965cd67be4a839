/** Calls, handlers, upcalls and stays in the enclave of each thread over time; of a long trace those near what was found. */

import { resultText, signalName } from "../../engine/index.ts";
import type { Trace } from "../../recorder/index.ts";
import { safe } from "../present/safe.ts";
import { type ReportArrow, type ReportLanes, type ReportSlices, SLICE_KINDS, type SliceKind } from "./data.ts";

const MOST_SLICES = 20_000;
const MOST_ARROWS = 2_000;
const MOST_WINDOWS = 60;
/** Transitions before and after a place that are worth showing, in a long trace. */
const REACH = 2_000;
const MOST_TEXT = 120;

/** First seq, and the one after the last. */
export type Window = readonly [from: number, to: number];

/** Columns: thread, seq, begin, duration, name, how it ended (a number, or NULL). */
const SELECT: Readonly<Record<SliceKind, string>> = {
  call: `SELECT c.thread, c.seq, c.time, c.duration, s.label, c.result, c.exit_seq
    FROM syscall c JOIN site s ON s.id = c.site`,
  handler: "SELECT c.thread, c.seq, c.time, c.duration, c.signal, c.left_how, c.left_seq FROM handler c",
  upcall: "SELECT c.thread, c.seq, c.time, c.duration, c.event, NULL, c.return_seq FROM upcall c",
  enclave: "SELECT c.thread, c.seq, c.time, c.duration, c.how, c.left_how, c.left_seq FROM entry c",
};
const TABLE: Readonly<Record<SliceKind, string>> = { call: "syscall", handler: "handler", upcall: "upcall", enclave: "entry" };
const END: Readonly<Record<SliceKind, string>> = { call: "exit_seq", handler: "left_seq", upcall: "return_seq", enclave: "left_seq" };

const ENTERED = ["EENTER", "EENTER in an exception", "ERESUME"] as const;

export interface MadeLanes {
  readonly lanes: ReportLanes;
  /** How many slices the trace has, and how many are here. */
  readonly all: number;
  readonly shown: number;
}

/** `places`: seqs that matter, the most important first. `eventName`: of the stack's PAL. At most about `most` slices. */
export function lanesOf(trace: Trace, places: readonly number[], eventName: (event: number) => string, most = MOST_SLICES): MadeLanes {
  const counts = SLICE_KINDS.map((kind) => Number(trace.ask(`SELECT count(*) FROM ${TABLE[kind]}`)[0]?.[0]));
  const all = counts.reduce((sum, count) => sum + count, 0);
  const rows = trace.transitions.rows;
  const windows: Window[] = all <= most ? [[0, rows]] : windowsAround(places, rows);
  const time = lastTime(trace);
  const names = createNames();
  // What a thread had open when it ended is over with it.
  const exits = new Map(
    trace
      .ask("SELECT thread, max(time) FROM transition WHERE kind = (SELECT id FROM kind WHERE name = 'thread.exit') GROUP BY thread")
      .map(([thread, at]) => [Number(thread), Number(at)]),
  );
  const slices = new Map<string, Slices>();
  let shown = 0;

  const take = (kind: SliceKind, cells: readonly unknown[]): void => {
    const [thread, seq, begin, duration, name, left, endSeq] = cells as readonly (number | null)[];
    const key = `${kind} ${thread}`;
    let list = slices.get(key);
    if (list === undefined) slices.set(key, (list = emptySlices(kind, Number(thread))));
    list.seq.push(Number(seq));
    list.begin.push(Number(begin));
    // An upcall that never returns is left by DkExceptionReturn, no row says when: it is drawn as a mark.
    list.end.push(
      duration === null ? (kind === "upcall" ? Number(begin) : (exits.get(Number(thread)) ?? time)) : Number(begin) + Number(duration),
    );
    list.name.push(names.of(nameOf(kind, name, eventName)));
    list.left.push(
      names.of(endSeq === null ? (kind === "upcall" ? "is left without a return" : "never ends") : leftText(kind, left ?? null)),
    );
    shown += 1;
  };

  for (const [from, to] of windows) {
    for (const kind of SLICE_KINDS) {
      const room = most - shown;
      // What began before the window and goes on in it.
      if (from > 0 && kind !== "enclave" && kind !== "upcall")
        for (const cells of trace.ask(`${SELECT[kind]} WHERE c.seq < ? AND coalesce(c.${END[kind]}, 9e15) >= ? LIMIT 200`, from, from))
          take(kind, cells);
      for (const cells of trace.ask(`${SELECT[kind]} WHERE c.seq >= ? AND c.seq < ? ORDER BY c.seq LIMIT ?`, from, to, Math.max(room, 0)))
        take(kind, cells);
    }
  }
  return {
    lanes: {
      from: 0,
      to: time,
      names: names.list,
      slices: [...slices.values()].map(inOrder),
      covered: windows.map(([from, to]): [number, number] => [from === 0 ? 0 : timeAt(trace, from), to >= rows ? time : timeAt(trace, to)]),
      arrows: arrowsOf(trace, windows),
    },
    all,
    shown,
  };
}

type Slices = { -readonly [F in keyof ReportSlices]: ReportSlices[F] extends readonly number[] ? number[] : ReportSlices[F] };

const emptySlices = (kind: SliceKind, thread: number): Slices => ({ kind, thread, seq: [], begin: [], end: [], name: [], left: [] });

/** By their begin, each once: windows may both have a long call. */
function inOrder(slices: Slices): ReportSlices {
  const order = slices.seq.map((_, i) => i).sort((a, b) => (slices.seq[a] as number) - (slices.seq[b] as number));
  const once = order.filter((place, i) => slices.seq[place] !== slices.seq[order[i - 1] ?? -1]);
  const pick = (column: readonly number[]): number[] => once.map((place) => column[place] as number);
  const { kind, thread } = slices;
  return {
    kind,
    thread,
    seq: pick(slices.seq),
    begin: pick(slices.begin),
    end: pick(slices.end),
    name: pick(slices.name),
    left: pick(slices.left),
  };
}

/** Around each place, joined where they meet; without a place the begin of the trace. */
export function windowsAround(places: readonly number[], rows: number): Window[] {
  const around = places.slice(0, MOST_WINDOWS).map((seq): Window => [Math.max(0, seq - REACH), Math.min(rows, seq + REACH)]);
  if (around.length === 0) return [[0, Math.min(rows, 10 * REACH)]];
  const joined: [number, number][] = [];
  for (const [from, to] of around.sort((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

function nameOf(kind: SliceKind, name: unknown, eventName: (event: number) => string): string {
  if (kind === "call") return safe(String(name), MOST_TEXT);
  if (kind === "handler") return `handler of ${signalName(Number(name))}`;
  if (kind === "upcall") return `upcall ${eventName(Number(name))}`;
  return ENTERED[Number(name)] ?? "in the enclave";
}

function leftText(kind: SliceKind, left: number | null): string {
  if (kind === "call") return left === null ? "left" : `= ${resultText(left)}`;
  if (kind === "handler") return left === 1 ? "left by siglongjmp" : "returns";
  if (kind === "enclave") return left === 1 ? "AEX" : "EEXIT";
  return "returns";
}

function createNames(): { readonly list: string[]; of(name: string): number } {
  const list: string[] = [];
  const places = new Map<string, number>();
  return {
    list,
    of(name) {
      let place = places.get(name);
      if (place === undefined) {
        place = list.length;
        places.set(name, place);
        list.push(name);
      }
      return place;
    },
  };
}

function arrowsOf(trace: Trace, windows: readonly Window[]): ReportArrow[] {
  const made = trace.ask(
    `SELECT g.id, g.time_generated, t.thread, g.time_handled, h.thread, g.handled
     FROM signal g JOIN transition t ON t.seq = g.generated JOIN transition h ON h.seq = g.handled
     ORDER BY g.id LIMIT ?`,
    20 * MOST_ARROWS,
  );
  return made
    .filter(([, , , , , handled]) => windows.some(([from, to]) => Number(handled) >= from && Number(handled) < to))
    .slice(0, MOST_ARROWS)
    .map(([signal, begin, from, end, to]) => ({
      signal: Number(signal),
      begin: Number(begin),
      from: Number(from),
      end: Number(end),
      to: Number(to),
    }));
}

const timeAt = (trace: Trace, seq: number): number => Number(trace.ask("SELECT time FROM transition WHERE seq = ?", seq)[0]?.[0] ?? 0);
const lastTime = (trace: Trace): number => Number(trace.ask("SELECT time FROM run")[0]?.[0] ?? 0);
