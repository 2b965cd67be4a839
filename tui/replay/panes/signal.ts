/** The path of the followed signal: each hop with its delay. */

import { resultText } from "../../../engine/index.ts";
import { displayWidth, fit, safe } from "../../present/safe.ts";
import { durationText } from "../../present/time.ts";
import { wrapCells } from "../../present/two-column.ts";
import { withUnits } from "../../present/units.ts";
import { FIRST_HOP, type ReplaySession, type SignalPath } from "../session.ts";
import type { ReplayState } from "../state.ts";
import { type Entry, entryLines, type Pane, scrollBy, scrolledFrom, windowFrom } from "./pane.ts";

const LONGEST_NAME = 14;

export const signalPane: Pane<"signal"> = {
  id: "signal",
  title: "the path of the signal that f follows, hop by hop",
  lines(session, s, width, height) {
    const { paint } = session;
    if (s.signal === null) return nearSignals(session, s, width, height);
    if (s.signalPath === null) return [paint.dim(safe(`signal ${s.signal}: the database has no path of it`, width))];
    const { name, id, outcome, hops } = s.signalPath;
    const at = hopAt(s.signalPath, s.seq);
    const room = Math.max(1, height - 2);
    const lines = entryLines(entriesOf(session, s, s.signalPath), width, room);
    const { base, last } = windowOf(s.signalPath, at, room);
    const from = scrolledFrom(base, last, s.scroll);
    const shown = lines.slice(from, from + room).flatMap((parts, i) => {
      const { seq } = hops[from + i] ?? { seq: 0 };
      return seq === s.seq ? parts.map(paint.here) : seq > s.seq ? parts.map(paint.dim) : parts;
    });
    const more = last > 0 ? `... ${from} more above, ${last - from} below (ctrl-d, ctrl-u); ` : "x is past; ";
    return [
      paint.strong(safe(`${name}, signal ${id}, now: ${placeOf(session, s.signalPath, at)}; in the end: ${outcome}`, width)),
      ...shown,
      paint.dim(safe(`${more}] [ next, previous hop; f leaves it`, width)),
    ];
  },
  scroll(_, s, { height }, by) {
    if (s.signalPath === null) return { type: "scroll", by: -s.scroll };
    const { base, last } = windowOf(s.signalPath, hopAt(s.signalPath, s.seq), Math.max(1, height - 2));
    return scrollBy(s, base, last, by);
  },
};

/** Without a followed one: the signals around here, the nearest before the cursor chosen by f. */
function nearSignals(session: ReplaySession, s: ReplayState, width: number, height: number): string[] {
  const { paint } = session;
  const near = signalsAround(session, s.seq);
  if (near === null) return [paint.dim(safe("no signal is followed: stand on a row of one, or near, and press f", width))];
  if (near.length === 0) return withoutSignals(session, s, width, height);
  const room = Math.max(1, height - 2);
  const at = near.findLastIndex(({ seq }) => seq <= s.seq);
  const from = windowFrom(Math.max(0, at), room, near.length);
  const lines = near.slice(from, from + room).map(({ seq, text }, i) => {
    const line = safe(`${from + i === at ? ">" : " "} ${String(seq).padStart(8)}  ${text}`, width);
    return seq > s.seq ? paint.dim(line) : line;
  });
  return [
    paint.dim(safe("signals around here; f follows the one that is here, or near", width)),
    paint.strong(safe("       seq  signal", width)),
    ...lines,
  ];
}

/** Without any signal: what the program made ready for one, where one could have come, and a case that has some. */
function withoutSignals(session: ReplaySession, s: ReplayState, width: number, height: number): string[] {
  const { paint, trace } = session;
  const asked = trace.ask(
    `SELECT c.seq, substr(l.label, 1, 200), c.result FROM syscall c JOIN site l ON l.id = c.site
     WHERE c.site IN (SELECT id FROM site WHERE label GLOB '*sig*(*' OR label GLOB '*alarm(*' OR label GLOB '*itimer*(*' OR label GLOB '*kill(*')
     ORDER BY c.seq LIMIT ${MOST_CALLS}`,
  );
  const isImported = trace.info.origin === "imported";
  const why = isImported ? "no signal stands in this log" : "no signal is sent in this run";
  const how = isImported
    ? "pane 4 has the calls that one could have interrupted"
    : `a case with one: eintr replay lost-interrupted-error; or give this one a signal (eintr explain when)`;
  const told = wrapCells(
    safe(`${why}; ${asked.length === 0 ? "the program asks for none, either" : "the program's calls about signals:"}`),
    width,
  );
  const lines = asked.map(([seq, label, result]) =>
    safe(
      `${Number(seq) === s.seq ? ">" : " "} ${String(seq).padStart(8)}  ${withUnits(String(label))}${result === null ? "" : `  [= ${resultText(Number(result))}]`}`,
      width,
    ),
  );
  const end = wrapCells(safe(how), width);
  return [...told.map(paint.dim), ...lines.slice(0, Math.max(0, height - told.length - end.length)), ...end.map(paint.dim)];
}

const MOST_CALLS = 50;

interface NearSignal {
  readonly seq: number;
  readonly text: string;
}

/** Signals before and after a place that are looked at. */
const NEAR = 30;
/** They have no order by seq: of more signals than this they are not looked for. */
const MANY = 50_000;
/** For so many transitions the same ones are near: a redraw asks the database seldom. */
const NEAR_ROWS = 64;
const nears = new WeakMap<ReplaySession["trace"], { readonly at: number; readonly signals: readonly NearSignal[] | null }>();

function signalsAround(session: ReplaySession, seq: number): readonly NearSignal[] | null {
  const at = Math.floor(seq / NEAR_ROWS);
  const known = nears.get(session.trace);
  if (known?.at === at) return known.signals;
  const isMany = Number(session.trace.ask("SELECT coalesce(max(id), 0) FROM signal")[0]?.[0]) > MANY;
  const signals = isMany ? null : around(session, seq);
  nears.set(session.trace, { at, signals });
  return signals;
}

/** In order of seq. */
function around(session: ReplaySession, seq: number): NearSignal[] {
  const ask = (where: string, order: string) =>
    session.trace.ask(
      `SELECT ${FIRST_HOP}, signal, thread, outcome FROM signals WHERE id IN (SELECT id FROM signal WHERE ${FIRST_HOP} ${where} ORDER BY ${FIRST_HOP} ${order} LIMIT ${NEAR})`,
      seq,
    );
  const found = [...ask("<= ?", "DESC"), ...ask("> ?", "ASC")].map(([first, signal, thread, outcome]) => ({
    seq: Number(first),
    text: `${signal ?? "?"} to ${thread}: ${outcome}`,
  }));
  return found.sort((a, b) => a.seq - b.seq);
}

const hopAt = ({ hops }: SignalPath, seq: number): number => hops.findLastIndex((hop) => hop.seq <= seq);

/** First hop drawn without scrolling, and first hop of the last page. */
const windowOf = ({ hops }: SignalPath, at: number, room: number): { base: number; last: number } => ({
  base: windowFrom(at, room, hops.length),
  last: Math.max(0, hops.length - room),
});

function placeOf(session: ReplaySession, { hops }: SignalPath, at: number): string {
  const hop = hops[at];
  if (hop === undefined) return "not there yet";
  const thread = session.trace.threads[session.rows.at(hop.seq)?.thread ?? -1]?.name;
  return `${session.shown.hops[hop.name] ?? hop.name}${thread === undefined ? "" : ` (${thread})`}`;
}

function entriesOf(session: ReplaySession, s: ReplayState, { hops }: SignalPath): Entry[] {
  const rows = hops.map((hop) => session.rows.at(hop.seq));
  const names = rows.map((row) => (row ? safe(session.trace.threads[row.thread]?.name ?? "", LONGEST_NAME) : ""));
  const column = Math.max(...names.map(displayWidth));
  return hops.map((hop, i) => {
    const row = rows[i];
    const before = rows[i - 1];
    const delay = row && before ? `+${durationText(row.time - before.time)}` : "";
    const site = row ? session.trace.sites[row.site] : undefined;
    const mark = hop.seq === s.seq ? ">" : hop.seq < s.seq ? "x" : " ";
    return {
      head: `${mark} ${String(hop.seq).padStart(7)}  ${hop.name.padEnd(9)} ${delay.padStart(10)}  ${fit(names[i] ?? "", column)}  `,
      text: site === undefined ? "" : `${site.flow}: ${withUnits(site.label)}`,
    };
  });
}
