/**
 * A trace as stretches of time and marks, for the exporters that draw it: each thread has a track of calls and handlers, one of upcalls and
 * one of stays in the enclave. On a track stretches nest. Rows are read once, a block at a time; what is open is all that is kept.
 */

import { type Block, KIND, kindName, resultText, shownBy, signalIdReader, signalName } from "../../engine/index.ts";
import { type CallPlace, createCallWalk, HANDLER, type Left, WALKED } from "../derive/call-walk.ts";
import type { Trace } from "../trace/open.ts";

export const TRACKS = ["calls", "upcalls", "enclave"] as const;
export type TrackName = (typeof TRACKS)[number];

export interface Stretch {
  readonly thread: number;
  readonly track: TrackName;
  readonly name: string;
  /** Where it begins. */
  readonly seq: number;
  /** ns. */
  readonly time: number;
  /** Of a handler: the id of the signal that it runs for. 0: none, or not known. */
  readonly signal: number;
}

/** A row of a signal. */
export interface Mark {
  readonly thread: number;
  readonly name: string;
  readonly seq: number;
  /** ns. */
  readonly time: number;
  readonly signal: number;
  /** Name of the signal. */
  readonly what: string;
  /** `first` of its road, the handler that is its end, or between. */
  readonly place: "first" | "handler" | "between";
}

/** Called in order of the rows. */
export interface TimelineEvents {
  begin(stretch: Stretch): void;
  /** `how` in words; `result` of a call that returned. */
  end(stretch: Stretch, time: number, how: string, result: number | null): void;
  mark(mark: Mark): void;
}

export interface Timeline {
  put(block: Block): void;
  /** Ends what is open, as open. */
  finish(): void;
}

const HOW: Readonly<Record<Left, string>> = { returned: "returns", jumped: "left by siglongjmp", dropped: "never returns" };
const OPEN = "open";

/** What a thread has open besides calls and handlers. */
interface Open {
  stay: Stretch | null;
  readonly upcalls: { readonly stretch: Stretch; readonly depth: number }[];
}

export function createTimeline(trace: Trace, events: TimelineEvents): Timeline {
  const { events: palEvents } = shownBy(trace.info.stack);
  const signalId = signalIdReader(palEvents);
  const depths = !trace.absent.includes("depth");
  const threads = new Map<number, Open>();
  const calls = new Set<Stretch>();
  let last = 0;

  const begin = (block: Block, i: number, track: TrackName, name: string, signal = 0): Stretch => {
    const stretch = { thread: block.thread[i] as number, track, name, seq: block.seq0 + i, time: block.time[i] as number, signal };
    events.begin(stretch);
    return stretch;
  };

  const walk = createCallWalk<Stretch>({
    begin(block, i, place) {
      const signal = place.index === HANDLER ? signalId(block, i) : 0;
      const stretch = begin(block, i, "calls", callName(trace, place), signal);
      calls.add(stretch);
      return stretch;
    },
    end(block, i, stretch, how, handler) {
      calls.delete(stretch);
      const result = how === "returned" && !handler ? (block.value[i] as number) : null;
      events.end(stretch, block.time[i] as number, result === null ? HOW[how] : `= ${resultText(result)}`, result);
    },
    unpaired() {},
  });

  const openOf = (thread: number): Open => {
    let open = threads.get(thread);
    if (open === undefined) threads.set(thread, (open = { stay: null, upcalls: [] }));
    return open;
  };
  const leave = (open: Open, time: number, how: string): void => {
    if (open.stay !== null) events.end(open.stay, time, how, null);
    open.stay = null;
  };
  const endUpcall = (open: Open, time: number, how: string): void => {
    const upcall = open.upcalls.pop();
    if (upcall !== undefined) events.end(upcall.stretch, time, how, null);
  };

  const take = (block: Block, i: number, thread: number, kind: number, time: number): void => {
    switch (kind) {
      case KIND["sgx.eenter"]:
      case KIND["sgx.eresume"]: {
        const open = openOf(thread);
        leave(open, time, OPEN);
        open.stay = begin(block, i, "enclave", kind === KIND["sgx.eresume"] ? "ERESUME" : "EENTER");
        return;
      }
      case KIND["sgx.eexit"]:
        return leave(openOf(thread), time, "EEXIT");
      case KIND["sgx.aex"]:
        return leave(openOf(thread), time, "AEX");
      case KIND["libos.upcall.enter"]:
        openOf(thread).upcalls.push({
          stretch: begin(block, i, "upcalls", `upcall ${palEvents.name(block.value[i] as number)}`),
          depth: block.depth[i] as number,
        });
        return;
      case KIND["libos.upcall.return"]:
        return endUpcall(openOf(thread), time, HOW.returned);
    }
  };

  /** Upcalls whose frame is gone were left without a return. */
  const dropUpcalls = (open: Open, depth: number, time: number): void => {
    while ((open.upcalls.at(-1)?.depth ?? -1) > depth) endUpcall(open, time, "left by DkExceptionReturn");
  };

  const mark = (block: Block, i: number, thread: number, kind: number, time: number): void => {
    const signal = signalId(block, i);
    if (signal <= 0) return;
    const what = signalName(block.signal[i] as number);
    const place = kind === KIND["host.signal.generate"] ? "first" : kind === KIND["app.handler.enter"] ? "handler" : "between";
    events.mark({ thread, name: `${kindName(kind)} ${what}`, seq: block.seq0 + i, time, signal, what, place });
  };

  const gone = (thread: number, time: number): void => {
    const open = threads.get(thread);
    if (open === undefined) return;
    while (open.upcalls.length > 0) endUpcall(open, time, HOW.dropped);
    leave(open, time, HOW.dropped);
    threads.delete(thread);
  };

  return {
    put(block) {
      for (let i = 0; i < block.n; i += 1) {
        const kind = block.kind[i] as number;
        const thread = block.thread[i] as number;
        last = block.time[i] as number;
        if (WALKED[kind] === 1) walk.take(block, i);
        else take(block, i, thread, kind, last);
        const open = threads.get(thread);
        if (depths && open !== undefined && open.upcalls.length > 0) dropUpcalls(open, block.depth[i] as number, last);
        mark(block, i, thread, kind, last);
        if (kind !== KIND["thread.exit"]) continue;
        walk.gone(block, i);
        gone(thread, last);
      }
    },
    finish() {
      // The innermost first, as they were begun last.
      for (const stretch of [...calls].reverse()) events.end(stretch, last, OPEN, null);
      for (const open of threads.values()) {
        while (open.upcalls.length > 0) endUpcall(open, last, OPEN);
        leave(open, last, OPEN);
      }
    },
  };
}

const callName = ({ sites }: Trace, { index, signal, site }: CallPlace): string =>
  index === HANDLER ? `handler of ${signalName(signal)}` : (sites[site]?.label ?? "a call");
