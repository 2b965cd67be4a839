/** What a run tells of each call, handler, thread and process: its rows read once more as objects, slowly and plainly. For slow-verdict.ts. */

import { NEVER } from "../../engine/index.ts";
import type { Ran, Row } from "./run-scenario.ts";

export interface Moment {
  readonly seq: number;
  readonly time: number;
}

export interface Item {
  readonly row: Row;
  readonly handler: boolean;
  readonly key: string;
  readonly name: string;
  readonly parent: Item | null;
  readonly before: Item | null;
  readonly inside: boolean;
  readonly sent: number;
  readonly arrival: number;
  readonly depth: number;
  how: "open" | "returned" | "jumped" | "dropped";
  end: Moment | null;
  result: number;
  readonly wrote: [what: number, value: number][];
}

export type ThreadEnd = "exited" | "killed" | "died" | "stuck" | "cut" | "unborn";

export interface Told {
  readonly ran: Ran;
  /** By thread number, of threads the application knows. */
  readonly items: ReadonlyMap<number, readonly Item[]>;
  readonly ends: ReadonlyMap<number, { readonly how: ThreadEnd; readonly time: number; readonly seq: number; readonly byItself: boolean }>;
  readonly births: ReadonlyMap<number, Moment>;
  /** By pid. */
  readonly processes: ReadonlyMap<number, { readonly how: string; readonly time: number }>;
  readonly arrivals: ReadonlyMap<number, number>;
  readonly siginfos: number;
  readonly time: number;
  readonly finished: boolean;
}

export const last = <T>(list: readonly T[]): T | undefined => list[list.length - 1];

/** Reads all rows. */
export function tell(ran: Ran): Told {
  const items = new Map<number, Item[]>();
  const stacks = new Map<number, Item[]>();
  const seen = new Map<number, { seq: number; arrival: number }>();
  const arrivals = new Map<number, number>();
  const births = new Map<number, Moment>();
  for (const row of ran.rows) {
    if (!births.has(row.thread)) births.set(row.thread, row);
    const stack = stacks.get(row.thread) ?? [];
    stacks.set(row.thread, stack);
    const all = items.get(row.thread) ?? [];
    items.set(row.thread, all);
    const close = (how: Item["how"], result = 0): void => {
      const item = stack.pop();
      if (item !== undefined) Object.assign(item, { how, result, end: { seq: row.seq, time: row.time } });
    };
    const innermost = (handler: boolean): Item | undefined => stack.findLast((item) => item.handler === handler);
    const leave = (item: Item, how: Item["how"], result = 0): void => {
      while (last(stack) !== item) close("dropped");
      close(how, result);
    };
    const begin = (handler: boolean, key: string): Item => {
      const parent = innermost(true) ?? null;
      const before = all.findLast((item) => !item.handler && item.parent === parent) ?? null;
      const signal = handler ? seen.get(row.extra) : undefined;
      const name = row.place.label.split("(")[0] ?? "";
      const item: Item = {
        row,
        handler,
        key,
        name,
        parent,
        before,
        inside: before !== null && before.how === "open",
        sent: signal?.seq ?? -1,
        arrival: signal?.arrival ?? 0,
        depth: row.depth,
        how: "open",
        end: null,
        result: 0,
        wrote: [],
      };
      all.push(item);
      stack.push(item);
      return item;
    };
    if (carriesSignal(row) && row.extra > 0 && !seen.has(row.extra)) {
      const fromOutside = row.what === "host.signal.generate" && row.place.label === "a signal arrives from outside";
      if (fromOutside) arrivals.set(row.signal, (arrivals.get(row.signal) ?? 0) + 1);
      seen.set(row.extra, { seq: row.seq, arrival: fromOutside ? (arrivals.get(row.signal) ?? 0) : 0 });
    }
    const open = last(stack);
    if (row.what === "app.call") begin(false, `${row.place.flow} ${row.value} ${row.place.label}`);
    if (row.what === "app.handler.enter") begin(true, `signal ${row.signal}`);
    if (row.what === "app.return") {
      const call = innermost(false);
      if (call !== undefined) leave(call, "returned", row.value);
    }
    if (row.what === "app.handler.return") {
      const run = innermost(true);
      if (run !== undefined) leave(run, "returned");
    }
    if (row.what === "app.handler.longjmp") {
      const run = innermost(true);
      if (run !== undefined) leave(run, "jumped");
      for (let next = innermost(true); next !== undefined && next.depth > row.depth; next = innermost(true)) leave(next, "jumped");
      while ((last(stack)?.depth ?? -1) >= row.depth) close("dropped");
    }
    if (row.what === "branch" && row.place.label === "are the vector registers as they were?") {
      begin(false, `${row.place.flow} 0 ${row.place.label}`);
      close("returned", row.value);
    }
    if (row.what === "app.output") open?.wrote.push([row.extra, row.value]);
    if (row.what === "app.siginfo") open?.wrote.push([100, row.signal], [101, row.value], [102, row.extra]);
    if (row.what === "app.siginfo.more") open?.wrote.push([110 + row.extra, row.value]);
    if (row.what === "app.mask") open?.wrote.push([130, row.value], [131, row.extra]);
  }
  const ends = endsOf(ran, births);
  return {
    ran,
    items: new Map([...items].filter(([thread]) => ran.threads[thread]?.internal === false)),
    ends,
    births,
    processes: processesOf(ran, ends),
    arrivals,
    siginfos: ran.rows.filter(({ what }) => what === "app.siginfo").length,
    time: Math.max(0, ...ran.rows.map(({ time }) => time)),
    finished: ran.run.ending === "finished",
  };
}

/** The kinds whose `extra` follows one signal; the handler's own begin is where it arrives, not where it was sent. */
const carriesSignal = ({ what }: Row): boolean =>
  what !== "app.handler.enter" &&
  (/^(host\.signal\.|host\.sigreturn|pal\.event\.|pal\.call\.abandon|pal\.exception\.return|app\.handler\.)/.test(what) ||
    (/^libos\.(signal|upcall|wake|fault)/.test(what) && !["libos.signal.delayed", "libos.signal.pending"].includes(what)) ||
    what === "undefined.read");

function endsOf(ran: Ran, births: ReadonlyMap<number, Moment>): Told["ends"] {
  const rowsBy = new Map<number, Row[]>();
  for (const row of ran.rows) rowsBy.set(row.thread, [...(rowsBy.get(row.thread) ?? []), row]);
  const exits = new Map(ran.rows.filter(({ what }) => what === "thread.exit").map((row) => [row.thread, row]));
  const left = ran.threads.map((_, thread) => thread).filter((thread) => !exits.has(thread) && births.has(thread));
  const states = left.map((thread) => {
    const t = ran.machine.threads[thread];
    const stopped = t != null && ran.machine.processes[t.process]?.stopped === true;
    const asleep = t?.state === "blocked" && (t.wait?.deadline ?? NEVER) >= NEVER;
    const round = roundOf(rowsBy.get(thread) ?? [], ran.rows.length);
    return { thread, round, active: !asleep && round === null && !stopped };
  });
  const { machine } = ran;
  const coming =
    machine.due.length > 0 ||
    machine.plans.some(({ next }) => next < NEVER) ||
    machine.processes.some((p) => p?.alive && (p.timer < NEVER || p.timers.some(({ next }) => next < NEVER)));
  const forEver = ran.run.ending === "finished" || (!coming && states.every(({ active }) => !active));
  return new Map(
    ran.threads.map((_, thread): [number, { how: ThreadEnd; time: number; seq: number; byItself: boolean }] => {
      const exit = exits.get(thread);
      if (exit !== undefined)
        return [
          thread,
          {
            how: exit.value === 0 ? "exited" : exit.value === 1 ? "killed" : "died",
            time: exit.time,
            seq: exit.seq,
            byItself: diedOfItself(rowsBy.get(thread) ?? []),
          } as const,
        ];
      const state = states.find((one) => one.thread === thread);
      if (state === undefined) return [thread, { how: "unborn", time: 0, seq: -1, byItself: false }];
      const hopeless = state.round !== null && !state.round.sleeps && state.round.times >= 100 && state.round.rows >= 10_000;
      return [thread, { how: forEver || hopeless ? "stuck" : "cut", time: 0, seq: -1, byItself: false }];
    }),
  );
}

/** The last thing the application knows of is an instruction that faults, or a signal to itself. */
function diedOfItself(rows: readonly Row[]): boolean {
  const last = rows.findLast(({ what }) => /^app\.(call|return|handler|fault)/.test(what));
  return last?.what === "app.fault" || /^(kill|tgkill|rt_sigqueueinfo|rt_tgsigqueueinfo)\(self/.test(last?.place.label ?? "");
}

/** The steps a thread makes again and again since it last did what the application knows of. */
function roundOf(rows: readonly Row[], all: number): { sleeps: boolean; times: number; rows: number } | null {
  const since = rows.findLastIndex(({ what }) => /^app\.(call|return|handler)/.test(what));
  const tail = rows
    .slice(since < 0 ? 1 : since + 1)
    .filter(({ seq, place }) => seq >= all - 32_768 && place.flow !== "(outside)")
    .reverse();
  const half = Math.floor(tail.length / 2);
  if (half < 64) return null;
  for (let steps = 1; steps * 4 <= half; steps += 1) {
    let same = true;
    for (let i = 0; same && i + steps < half; i += 1) same = tail[i]?.site === tail[i + steps]?.site;
    if (!same) continue;
    const sleeps = tail.slice(0, steps).some(({ what }) => what === "thread.block");
    return { sleeps, times: Math.floor(tail.length / steps), rows: tail.length };
  }
  return null;
}

const REASONS = ["exit", "signal", "signal", "assertion", "fault", "pal", "undefined"];

function processesOf(ran: Ran, ends: Told["ends"]): Told["processes"] {
  const pids = [...new Set(ran.threads.map(({ pid }) => pid))];
  return new Map(
    pids.map((pid) => {
      // The last: an execve may have gone on in another host process.
      const exit = ran.rows.findLast(({ what, thread }) => what === "process.exit" && ran.threads[thread]?.pid === pid);
      if (exit !== undefined) {
        const reason = REASONS[exit.extra] ?? "exit";
        const status = reason === "signal" ? exit.signal : Math.max(0, exit.value);
        return [pid, { how: `${reason} ${status}`, time: exit.time }];
      }
      const over = ran.threads
        .flatMap(({ pid: of }, thread) => (of === pid ? [ends.get(thread)] : []))
        .filter((end) => end?.how !== "unborn");
      if (over.length > 0 && over.every((end) => end !== undefined && ["exited", "killed", "died"].includes(end.how))) {
        const died = over.some((end) => end?.how === "died");
        return [pid, { how: died ? "pal 0" : "exit 0", time: Math.max(...over.map((end) => end?.time ?? 0)) }];
      }
      const own = ran.threads.flatMap(({ pid: of, internal }, thread) => (of === pid && !internal ? [ends.get(thread)?.how ?? "cut"] : []));
      const live = own.filter((how) => how !== "exited" && how !== "killed");
      const stuck = live.every((how) => how === "stuck" || how === "died");
      return [pid, { how: stuck ? "stuck" : "going on", time: 0 }];
    }),
  );
}

/** "worker#2" of process "main": the second "worker" of the first "main". */
export function threadKeys({ threads }: Ran): string[] {
  const base = (name: string): string => name.split("#")[0] ?? "";
  const firsts = new Map<number, number>();
  for (const [thread, { pid }] of threads.entries()) if (!firsts.has(pid) && !threads[thread]?.internal) firsts.set(pid, thread);
  const nth = (list: readonly number[], thread: number): string => {
    const name = base(threads[thread]?.name ?? "");
    return `${name} ${list.filter((one) => one <= thread && base(threads[one]?.name ?? "") === name).length}`;
  };
  return threads.map(({ pid, internal }, thread) => {
    if (internal) return "";
    const first = firsts.get(pid) ?? thread;
    const fellows = threads.flatMap((one, i) => (one.pid === pid && !one.internal ? [i] : []));
    return `${nth([...firsts.values()], first)} / ${nth(fellows, thread)}`;
  });
}
