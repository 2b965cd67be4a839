/**
 * One streaming pass over the transitions that makes the rows of the derived tables: calls, stays in the enclave,
 * upcalls and handlers are paired per thread; signals are followed in `signals.ts`. State is a few small
 * arrays per thread; odd pairs are counted, never thrown.
 */

import { type Block, CARRIES_SIGNAL_ID, KIND, KIND_COUNT, type Site } from "../../engine/index.ts";
import type { QualityCounter } from "../format/metadata.ts";
import { positions } from "../schema/tables.ts";
import { type CallTotals, createCallTotals } from "./call-totals.ts";
import { type CallPlace, createCallWalk, HANDLER, type Left, WALKED } from "./call-walk.ts";
import type { RowWindow, Ticket } from "./row-window.ts";
import { createSignalDeriver, type SignalEvents } from "./signals.ts";
import type { Spill } from "./spill.ts";
import { createThreadCounts } from "./thread-counts.ts";

/** Tables that this fills. */
export const DERIVED = ["syscall", "entry", "upcall", "handler"] as const;
export type DerivedTable = (typeof DERIVED)[number];

const Syscall = positions("syscall");
const Entry = positions("entry");
const Upcall = positions("upcall");
const Handler = positions("handler");

const THREAD_EXIT = KIND["thread.exit"];

/** Kinds that need work here besides counting. */
const PAIRED = new Uint8Array(KIND_COUNT);
for (const name of ["sgx.eenter", "sgx.eresume", "sgx.eexit", "sgx.aex", "libos.upcall.enter", "libos.upcall.return"] as const)
  PAIRED[KIND[name]] = 1;

/** Tickets of upcalls and, beside each, the call depth at which it was entered. */
interface ThreadState {
  readonly upcalls: Ticket[];
  readonly upcallDepths: number[];
  /** OUTSIDE the enclave, or UNKNOWN: nothing was told of it yet. */
  entry: Ticket;
}

const OUTSIDE = -1;
const UNKNOWN = -2;

const newThread = (): ThreadState => ({ upcalls: [], upcallDepths: [], entry: UNKNOWN });

export interface Deriver {
  /** Transitions by kind; of all of them after `finish`. */
  readonly byKind: Float64Array;
  readonly callTotals: CallTotals;
  /** The next block, when the trace has so many threads. */
  put(block: Block, threads: number): void;
  finish(): QualityCounter[];
}

/** All that the pass asks of sites, by their number: 1 for those in the context of a signal. A long log has a million sites. */
export const inSignalContext = (sites: readonly Site[]): Uint8Array =>
  Uint8Array.from(sites, ({ context }) => (context === "signal" ? 1 : 0));

export function createDeriver(
  windows: Readonly<Record<DerivedTable, RowWindow>>,
  spills: { readonly signals: Spill; readonly counts: Spill },
  inSignalContext: Uint8Array,
  events: SignalEvents,
): Deriver {
  const { syscall, entry, upcall, handler } = windows;
  const signalRoads = createSignalDeriver(events, spills.signals);
  const counts = createThreadCounts(spills.counts);
  const callTotals = createCallTotals();
  /** Only of threads that live: over a long run there may be millions of the others. */
  const threads = new Map<number, ThreadState>();
  /** Depth at which each thread's innermost upcall was entered, -1 when in none. */
  let upcallDepth = new Int32Array(0);
  /** Calls of each thread that are not over. */
  const openCalls: (Ticket[] | undefined)[] = [];
  const unpaired = { calls: 0, handlers: 0, upcalls: 0, entries: 0 };

  const popUpcall = (thread: number, state: ThreadState): Ticket | undefined => {
    const ticket = state.upcalls.pop();
    state.upcallDepths.pop();
    upcallDepth[thread] = state.upcallDepths[state.upcallDepths.length - 1] ?? -1;
    return ticket;
  };

  const beginCall = (block: Block, i: number, place: CallPlace): Ticket => {
    const ticket = syscall.open(block.seq0 + i);
    syscall.set(ticket, Syscall.thread, place.thread);
    syscall.set(ticket, Syscall.site, place.site);
    syscall.set(ticket, Syscall.nr, place.nr);
    syscall.set(ticket, Syscall.time, block.time[i] as number);
    (openCalls[place.thread] ??= []).push(ticket);
    callTotals.began(place.site);
    return ticket;
  };

  const endCall = (block: Block, i: number, ticket: Ticket, how: Left): void => {
    openCalls[block.thread[i] as number]?.pop();
    if (how === "returned") {
      const result = block.value[i] as number;
      const duration = (block.time[i] as number) - syscall.get(ticket, Syscall.time);
      syscall.set(ticket, Syscall.exit_seq, block.seq0 + i);
      syscall.set(ticket, Syscall.result, result);
      syscall.set(ticket, Syscall.duration, duration);
      const interrupted = syscall.get(ticket, Syscall.interrupted);
      callTotals.returned(syscall.get(ticket, Syscall.site), syscall.get(ticket, Syscall.seq), result, duration, interrupted);
    }
    syscall.close(ticket);
  };

  const beginHandler = (block: Block, i: number, { thread, signal }: CallPlace): Ticket => {
    const interrupted = openCalls[thread]?.at(-1);
    if (interrupted !== undefined && syscall.get(interrupted, Syscall.interrupted) === 0) {
      syscall.set(interrupted, Syscall.interrupted, 1);
      callTotals.interrupted(syscall.get(interrupted, Syscall.site));
    }
    const ticket = handler.open(block.seq0 + i);
    handler.set(ticket, Handler.thread, thread);
    handler.set(ticket, Handler.signal, signal);
    handler.set(ticket, Handler.signal_id, block.extra[i] as number);
    handler.set(ticket, Handler.time, block.time[i] as number);
    handler.set(ticket, Handler.context, inSignalContext[block.site[i] as number] ?? 0);
    return ticket;
  };

  const endHandler = (block: Block, i: number, ticket: Ticket, how: Left): void => {
    if (how !== "dropped") {
      handler.set(ticket, Handler.left_seq, block.seq0 + i);
      handler.set(ticket, Handler.left_how, how === "returned" ? 0 : 1);
      handler.set(ticket, Handler.duration, (block.time[i] as number) - handler.get(ticket, Handler.time));
    }
    handler.close(ticket);
  };

  const calls = createCallWalk<Ticket>({
    begin: (block, i, place) => (place.index === HANDLER ? beginHandler(block, i, place) : beginCall(block, i, place)),
    end: (block, i, ticket, how, isHandler) => (isHandler ? endHandler(block, i, ticket, how) : endCall(block, i, ticket, how)),
    unpaired(isHandler) {
      if (isHandler) unpaired.handlers += 1;
      else unpaired.calls += 1;
    },
  });

  const enterEnclave = (block: Block, i: number, thread: number, state: ThreadState, how: number): void => {
    if (state.entry >= 0) entry.close(state.entry);
    const ticket = entry.open(block.seq0 + i);
    entry.set(ticket, Entry.thread, thread);
    entry.set(ticket, Entry.how, how);
    entry.set(ticket, Entry.time, block.time[i] as number);
    state.entry = ticket;
  };

  const leaveEnclave = (block: Block, i: number, state: ThreadState, how: number): void => {
    if (state.entry < 0) {
      // A thread that goes on where another was (execve makes a new process, and the caller stays in the old one) began in the enclave.
      const wentOn = state.entry === UNKNOWN && (block.depth[i] as number) > 0;
      if (!wentOn) unpaired.entries += 1;
      state.entry = OUTSIDE;
      return;
    }
    entry.set(state.entry, Entry.left_seq, block.seq0 + i);
    entry.set(state.entry, Entry.left_how, how);
    entry.set(state.entry, Entry.duration, (block.time[i] as number) - entry.get(state.entry, Entry.time));
    entry.close(state.entry);
    state.entry = OUTSIDE;
  };

  const enterUpcall = (block: Block, i: number, thread: number, state: ThreadState): void => {
    const ticket = upcall.open(block.seq0 + i);
    upcall.set(ticket, Upcall.thread, thread);
    upcall.set(ticket, Upcall.event, block.value[i] as number);
    upcall.set(ticket, Upcall.time, block.time[i] as number);
    state.upcalls.push(ticket);
    state.upcallDepths.push(block.depth[i] as number);
    upcallDepth[thread] = block.depth[i] as number;
  };

  const leaveUpcall = (block: Block, i: number, thread: number, state: ThreadState): void => {
    const ticket = popUpcall(thread, state);
    if (ticket === undefined) {
      unpaired.upcalls += 1;
      return;
    }
    upcall.set(ticket, Upcall.return_seq, block.seq0 + i);
    upcall.set(ticket, Upcall.duration, (block.time[i] as number) - upcall.get(ticket, Upcall.time));
    upcall.close(ticket);
  };

  const pair = (block: Block, i: number, thread: number, kind: number): void => {
    let state = threads.get(thread);
    if (state === undefined) threads.set(thread, (state = newThread()));
    switch (kind) {
      case KIND["sgx.eenter"]:
        return enterEnclave(block, i, thread, state, (block.value[i] as number) > 0 ? 1 : 0);
      case KIND["sgx.eresume"]:
        return enterEnclave(block, i, thread, state, 2);
      case KIND["sgx.eexit"]:
        return leaveEnclave(block, i, state, 0);
      case KIND["sgx.aex"]:
        return leaveEnclave(block, i, state, 1);
      case KIND["libos.upcall.enter"]:
        return enterUpcall(block, i, thread, state);
      case KIND["libos.upcall.return"]:
        return leaveUpcall(block, i, thread, state);
    }
  };

  /** Upcalls whose frame is gone were left without a return. */
  const dropUpcalls = (thread: number, depth: number): void => {
    const state = threads.get(thread);
    if (state === undefined) return;
    while ((upcallDepth[thread] as number) > depth) {
      const ticket = popUpcall(thread, state);
      if (ticket !== undefined) upcall.close(ticket);
    }
  };

  /** The thread's last row. What it had open stays as it is. */
  const gone = (block: Block, i: number, thread: number): void => {
    calls.gone(block, i);
    openCalls[thread] = undefined;
    const state = threads.get(thread);
    if (state === undefined) return;
    for (const ticket of state.upcalls) upcall.close(ticket);
    if (state.entry >= 0) entry.close(state.entry);
    upcallDepth[thread] = -1;
    threads.delete(thread);
  };

  return {
    byKind: counts.byKind,
    callTotals,
    put(block, threadCount): void {
      if (upcallDepth.length < threadCount) upcallDepth = grown(upcallDepth, threadCount);
      for (let i = 0; i < block.n; i++) {
        const thread = block.thread[i] as number;
        const kind = block.kind[i] as number;
        counts.add(thread, kind);
        if (WALKED[kind] === 1) calls.take(block, i);
        else if (PAIRED[kind] === 1) pair(block, i, thread, kind);
        if ((block.depth[i] as number) < (upcallDepth[thread] as number)) dropUpcalls(thread, block.depth[i] as number);
        if (CARRIES_SIGNAL_ID[kind] === 1) signalRoads.take(block, i, threadCount);
        if (kind === THREAD_EXIT) {
          gone(block, i, thread);
          counts.gone(thread);
        }
      }
      signalRoads.rest(block.seq0);
    },
    finish() {
      for (const window of Object.values(windows)) window.finish();
      signalRoads.finish();
      counts.finish();
      return unpairedCounters(unpaired);
    },
  };
}

/** The same depths, and -1 for at least so many threads. */
function grown(depths: Int32Array, threads: number): Int32Array<ArrayBuffer> {
  const more = new Int32Array(Math.max(threads, 2 * depths.length)).fill(-1);
  more.set(depths);
  return more;
}

function unpairedCounters(unpaired: { calls: number; handlers: number; upcalls: number; entries: number }): QualityCounter[] {
  const counter = (name: string, count: number, what: string): QualityCounter => ({
    name,
    count,
    severity: "notice",
    advice: `${what} without its beginning: the recording may have begun in the middle of it`,
  });
  return [
    counter("return-without-call", unpaired.calls, "the return of a call"),
    counter("handler-left-unentered", unpaired.handlers, "the end of a handler"),
    counter("upcall-return-unentered", unpaired.upcalls, "the return of an upcall"),
    counter("enclave-left-unentered", unpaired.entries, "an enclave exit"),
  ].filter((c) => c.count > 0);
}
