/**
 * One streaming pass over the transitions that makes the rows of the derived tables: calls, stays in the enclave,
 * upcalls and handlers are paired per thread; signals are followed in `derive-signals.ts`. State is a few small
 * arrays per thread; odd pairs are counted, never thrown.
 */

import type { Block, Sink } from "../engine/block.ts";
import { KIND, KIND_COUNT, type Site } from "../engine/transition.ts";
import { CARRIES_SIGNAL_ID, createSignalDeriver } from "./derive-signals.ts";
import type { RowWindow, Ticket } from "./row-window.ts";
import type { Spill } from "./spill.ts";
import type { QualityCounter } from "./trace-format.ts";

/**
 * Which of a thread's calls this is, in words that mean the same in another run: handlers may run at other times, or less
 * often, without shifting the calls outside them.
 */
export interface CallPlace {
  readonly thread: number;
  readonly site: number;
  /** Number of the operation in its program. */
  readonly nr: number;
  /** Signal of the handler it is in, 0 outside any. */
  readonly signal: number;
  /** Which run of a handler of this signal on the thread, from 1; 0 outside any. */
  readonly run: number;
  /** Position among the calls of that run, or of the thread outside handlers, from 0. */
  readonly index: number;
}

/** Native result expected for a call, or null when unknown. */
export type Natives = (call: CallPlace) => number | null;

/** Column positions of the tables, in the order of `schema.ts`. */
enum Syscall {
  seq,
  exitSeq,
  thread,
  site,
  nr,
  time,
  duration,
  result,
  native,
  interrupted,
}
enum Entry {
  seq,
  thread,
  how,
  leftSeq,
  leftHow,
  time,
  duration,
}
enum Upcall {
  seq,
  thread,
  event,
  returnSeq,
  time,
  duration,
}
enum Handler {
  seq,
  thread,
  signal,
  signalId,
  leftSeq,
  leftHow,
  time,
  duration,
  context,
}

const N = Number.NaN;
/** Values of columns before a row says otherwise; NaN is NULL. */
export const DEFAULTS = {
  syscall: [0, N, 0, 0, 0, 0, N, N, N, 0],
  entry: [0, 0, 0, N, N, 0, N],
  upcall: [0, 0, 0, N, 0, N],
  handler: [0, 0, 0, 0, N, N, 0, N, 0],
} as const;
export type DerivedTable = keyof typeof DEFAULTS;

/** Kinds that need work here besides counting. */
const PAIRED = new Uint8Array(KIND_COUNT);
for (const name of [
  "app.call",
  "app.return",
  "app.handler.enter",
  "app.handler.return",
  "app.handler.longjmp",
  "sgx.eenter",
  "sgx.eresume",
  "sgx.eexit",
  "sgx.aex",
  "libos.upcall.enter",
  "libos.upcall.return",
] as const)
  PAIRED[KIND[name]] = 1;

/** Stacks hold tickets and, beside each, the call depth at which it was opened. */
interface ThreadState {
  /** Calls made so far: outside handlers, then in each handler that runs. */
  readonly callCounts: number[];
  /** Handlers that run, and how often each signal's handlers have run. */
  readonly handlerRuns: { readonly signal: number; readonly run: number }[];
  readonly runsOf: Map<number, number>;
  readonly calls: Ticket[];
  readonly callDepths: number[];
  readonly handlers: Ticket[];
  readonly handlerDepths: number[];
  readonly upcalls: Ticket[];
  readonly upcallDepths: number[];
  /** -1 outside the enclave. */
  entry: Ticket;
}

const OUTSIDE_HANDLERS = { signal: 0, run: 0 } as const;

const newThread = (): ThreadState => ({
  callCounts: [0],
  handlerRuns: [],
  runsOf: new Map(),
  calls: [],
  callDepths: [],
  handlers: [],
  handlerDepths: [],
  upcalls: [],
  upcallDepths: [],
  entry: -1,
});

export interface Deriver extends Sink {
  finish(): { counts: Float64Array; quality: QualityCounter[] };
}

/** `counts` of finish is indexed by thread * KIND_COUNT + kind. */
export function createDeriver(
  windows: Readonly<Record<DerivedTable, RowWindow>>,
  signals: Spill,
  sites: readonly Site[],
  threadCount: number,
  natives?: Natives,
): Deriver {
  const { syscall, entry, upcall, handler } = windows;
  const signalRoads = createSignalDeriver(threadCount, signals);
  const inSignalContext = Uint8Array.from(sites, (site) => (site.context === "signal" ? 1 : 0));
  const counts = new Float64Array(threadCount * KIND_COUNT);
  const threads: ThreadState[] = Array.from({ length: threadCount }, newThread);
  /** Depth at which each thread's innermost upcall was entered, -1 when in none. */
  const upcallDepth = new Int32Array(threadCount).fill(-1);
  const unpaired = { calls: 0, handlers: 0, upcalls: 0, entries: 0 };

  const popUpcall = (thread: number, state: ThreadState): Ticket | undefined => {
    const ticket = state.upcalls.pop();
    state.upcallDepths.pop();
    upcallDepth[thread] = state.upcallDepths[state.upcallDepths.length - 1] ?? -1;
    return ticket;
  };

  const enterCall = (block: Block, i: number, thread: number, state: ThreadState): void => {
    const ticket = syscall.open(block.seq0 + i);
    syscall.set(ticket, Syscall.thread, thread);
    syscall.set(ticket, Syscall.site, block.site[i] as number);
    syscall.set(ticket, Syscall.nr, block.value[i] as number);
    syscall.set(ticket, Syscall.time, block.time[i] as number);
    const level = state.callCounts.length - 1;
    const index = state.callCounts[level] as number;
    state.callCounts[level] = index + 1;
    const { signal, run } = state.handlerRuns[level - 1] ?? OUTSIDE_HANDLERS;
    const native = natives?.({ thread, site: block.site[i] as number, nr: block.value[i] as number, signal, run, index }) ?? null;
    if (native !== null) syscall.set(ticket, Syscall.native, native);
    state.calls.push(ticket);
    state.callDepths.push(block.depth[i] as number);
  };

  const leaveCall = (block: Block, i: number, state: ThreadState): void => {
    const ticket = state.calls.pop();
    state.callDepths.pop();
    if (ticket === undefined) {
      unpaired.calls += 1;
      return;
    }
    syscall.set(ticket, Syscall.exitSeq, block.seq0 + i);
    syscall.set(ticket, Syscall.result, block.value[i] as number);
    syscall.set(ticket, Syscall.duration, (block.time[i] as number) - syscall.get(ticket, Syscall.time));
    syscall.close(ticket);
  };

  const enterHandler = (block: Block, i: number, thread: number, state: ThreadState): void => {
    const interrupted = state.calls[state.calls.length - 1];
    if (interrupted !== undefined) syscall.set(interrupted, Syscall.interrupted, 1);
    const ticket = handler.open(block.seq0 + i);
    handler.set(ticket, Handler.thread, thread);
    handler.set(ticket, Handler.signal, block.signal[i] as number);
    handler.set(ticket, Handler.signalId, block.extra[i] as number);
    handler.set(ticket, Handler.time, block.time[i] as number);
    handler.set(ticket, Handler.context, inSignalContext[block.site[i] as number] ?? 0);
    const signal = block.signal[i] as number;
    const run = (state.runsOf.get(signal) ?? 0) + 1;
    state.runsOf.set(signal, run);
    state.handlerRuns.push({ signal, run });
    state.callCounts.push(0);
    state.handlers.push(ticket);
    state.handlerDepths.push(block.depth[i] as number);
  };

  const leaveHandler = (block: Block, i: number, state: ThreadState, how: 0 | 1): void => {
    const ticket = state.handlers.pop();
    state.handlerDepths.pop();
    if (state.handlerRuns.pop() !== undefined) state.callCounts.pop();
    if (ticket === undefined) {
      unpaired.handlers += 1;
      return;
    }
    handler.set(ticket, Handler.leftSeq, block.seq0 + i);
    handler.set(ticket, Handler.leftHow, how);
    handler.set(ticket, Handler.duration, (block.time[i] as number) - handler.get(ticket, Handler.time));
    handler.close(ticket);
  };

  /** A jump leaves every handler above its target, and the calls they or the jumped-over code had open never return. */
  const jump = (block: Block, i: number, state: ThreadState): void => {
    const target = block.depth[i] as number;
    leaveHandler(block, i, state, 1);
    while ((state.handlerDepths[state.handlerDepths.length - 1] ?? -1) > target) leaveHandler(block, i, state, 1);
    while ((state.callDepths[state.callDepths.length - 1] ?? -1) >= target) {
      syscall.close(state.calls.pop() as Ticket);
      state.callDepths.pop();
    }
  };

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
      unpaired.entries += 1;
      return;
    }
    entry.set(state.entry, Entry.leftSeq, block.seq0 + i);
    entry.set(state.entry, Entry.leftHow, how);
    entry.set(state.entry, Entry.duration, (block.time[i] as number) - entry.get(state.entry, Entry.time));
    entry.close(state.entry);
    state.entry = -1;
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
    upcall.set(ticket, Upcall.returnSeq, block.seq0 + i);
    upcall.set(ticket, Upcall.duration, (block.time[i] as number) - upcall.get(ticket, Upcall.time));
    upcall.close(ticket);
  };

  const pair = (block: Block, i: number, thread: number, kind: number): void => {
    const state = threads[thread];
    if (state === undefined) return;
    switch (kind) {
      case KIND["app.call"]:
        return enterCall(block, i, thread, state);
      case KIND["app.return"]:
        return leaveCall(block, i, state);
      case KIND["app.handler.enter"]:
        return enterHandler(block, i, thread, state);
      case KIND["app.handler.return"]:
        return leaveHandler(block, i, state, 0);
      case KIND["app.handler.longjmp"]:
        return jump(block, i, state);
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
    const state = threads[thread];
    if (state === undefined) return;
    while ((upcallDepth[thread] as number) > depth) {
      const ticket = popUpcall(thread, state);
      if (ticket !== undefined) upcall.close(ticket);
    }
  };

  return {
    put(block): void {
      for (let i = 0; i < block.n; i++) {
        const thread = block.thread[i] as number;
        const kind = block.kind[i] as number;
        const at = thread * KIND_COUNT + kind;
        counts[at] = (counts[at] as number) + 1;
        if (PAIRED[kind] === 1) pair(block, i, thread, kind);
        if ((block.depth[i] as number) < (upcallDepth[thread] as number)) dropUpcalls(thread, block.depth[i] as number);
        if (CARRIES_SIGNAL_ID[kind] === 1) signalRoads.take(block, i);
      }
      signalRoads.rest(block.seq0);
    },
    finish() {
      for (const window of Object.values(windows)) window.finish();
      signalRoads.finish();
      return { counts, quality: unpairedCounters(unpaired) };
    },
  };
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
