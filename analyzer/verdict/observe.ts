/** Takes the blocks of a run and keeps what its application observed. */

import { type Block, CARRIES_SIGNAL_ID, KIND, KIND_COUNT, type Machine, type Sink, type Source } from "../../engine/index.ts";
import { createCallWalk, HANDLER as HANDLER_PLACE, WALKED } from "../../recorder/index.ts";
import { column } from "./columns.ts";
import { createEndWatch, type RunEnding } from "./ends.ts";
import {
  CALL,
  CHECK,
  DROPPED,
  HANDLER,
  type Items,
  JUMPED,
  MASK_HIGH,
  MASK_LOW,
  type Observed,
  OPEN,
  type Outputs,
  RETURNED,
  SIGINFO_CODE,
  SIGINFO_MORE,
  SIGINFO_PID,
  SIGINFO_SIGNAL,
} from "./observation.ts";

/** Items kept of one run: about 100 bytes each. */
const MAX_ITEMS = 4_000_000;

const newItems = (): Items => ({
  kind: column(),
  thread: column(),
  seq: column(),
  time: column(),
  end: column(),
  endTime: column(),
  how: column(),
  site: column(),
  nr: column(),
  signal: column(),
  result: column(),
  parent: column(),
  before: column(),
  inside: column(),
  sent: column(),
  outside: column(),
  output: column(),
  lastOutput: column(),
});

/** The thread outside handlers, or a handler's run. */
interface Level {
  readonly handler: number;
  lastCall: number;
}

interface ThreadState {
  readonly levels: Level[];
  /** Items that are not over, outermost first. */
  readonly open: number[];
}

export interface Observer extends Sink {
  /** End of the run. `machine` is the state after its last row, where that is known. */
  finish(ending: RunEnding, machine: unknown): Observed;
}

const ANSWERS = new Uint8Array(KIND_COUNT);
for (const name of ["app.output", "app.siginfo", "app.siginfo.more", "app.mask"] as const) ANSWERS[KIND[name]] = 1;
const BRANCH = KIND.branch;
const GENERATE = KIND["host.signal.generate"];
const ENTER = KIND["app.handler.enter"];

/** Labels by which rows without a kind of their own are known (engine/app/compile.ts, engine/host/outside.ts). */
const VECTORS_LABEL = "are the vector registers as they were?";
const ARRIVES_LABEL = "a signal arrives from outside";

export function createObserver(names: Pick<Source, "sites" | "threads">, about: Pick<Observed, "name" | "program">): Observer {
  const items = newItems();
  const outputs: Outputs = { what: column(), value: column(), next: column() };
  const threads: ThreadState[] = [];
  const arrivals = new Map<number, number>();
  const ends = createEndWatch(names);
  /** By signal id: where it was seen first, and which of those of its number that came from outside it is, from 1. */
  const sentSeq = column();
  const sentOutside = column();
  let siginfos = 0;
  let rows = 0;
  let time = 0;
  let full = false;

  const stateOf = (thread: number): ThreadState => (threads[thread] ??= { levels: [{ handler: -1, lastCall: -1 }], open: [] });

  const add = (block: Block, i: number, kind: number, nr: number): number => {
    if (items.kind.length >= MAX_ITEMS) {
      full = true;
      return -1;
    }
    const thread = block.thread[i] as number;
    const { levels } = stateOf(thread);
    const level = levels[levels.length - 1] as Level;
    const before = level.lastCall;
    const item = items.kind.length;
    items.kind.push(kind);
    items.thread.push(thread);
    items.seq.push(block.seq0 + i);
    items.time.push(block.time[i] as number);
    items.end.push(-1);
    items.endTime.push(-1);
    items.how.push(OPEN);
    items.site.push(block.site[i] as number);
    items.nr.push(nr);
    items.signal.push(kind === HANDLER ? (block.signal[i] as number) : 0);
    items.result.push(0);
    items.parent.push(level.handler);
    items.before.push(before);
    items.inside.push(before >= 0 && items.how.at(before) === OPEN ? 1 : 0);
    items.sent.push(-1);
    items.outside.push(0);
    items.output.push(-1);
    items.lastOutput.push(-1);
    return item;
  };

  const close = (block: Block, i: number, item: number, how: number, result: number): void => {
    items.end.set(item, block.seq0 + i);
    items.endTime.set(item, block.time[i] as number);
    items.how.set(item, how);
    items.result.set(item, result);
  };

  const beginHandler = (block: Block, i: number): number => {
    const item = add(block, i, HANDLER, 0);
    const state = stateOf(block.thread[i] as number);
    const id = block.extra[i] as number;
    if (item >= 0 && id > 0 && id < sentSeq.length && sentSeq.at(id) >= 0) {
      items.sent.set(item, sentSeq.at(id));
      items.outside.set(item, sentOutside.at(id));
    }
    state.levels.push({ handler: item, lastCall: -1 });
    state.open.push(item);
    return item;
  };

  const beginCall = (block: Block, i: number, nr: number): number => {
    const item = add(block, i, CALL, nr);
    const { levels, open } = stateOf(block.thread[i] as number);
    (levels[levels.length - 1] as Level).lastCall = item;
    open.push(item);
    return item;
  };

  const walk = createCallWalk<number>({
    begin: (block, i, place) => (place.index === HANDLER_PLACE ? beginHandler(block, i) : beginCall(block, i, place.nr)),
    end(block, i, item, how, isHandler) {
      const { levels, open } = stateOf(block.thread[i] as number);
      open.pop();
      if (isHandler && levels.length > 1) levels.pop();
      if (item < 0) return;
      const code = how === "returned" ? RETURNED : how === "jumped" ? JUMPED : DROPPED;
      close(block, i, item, code, how === "returned" && !isHandler ? (block.value[i] as number) : 0);
    },
    unpaired() {},
  });

  const write = (item: number, what: number, value: number): void => {
    const at = outputs.what.length;
    outputs.what.push(what);
    outputs.value.push(value);
    outputs.next.push(-1);
    const last = items.lastOutput.at(item);
    if (last < 0) items.output.set(item, at);
    else outputs.next.set(last, at);
    items.lastOutput.set(item, at);
  };

  const answer = (block: Block, i: number, kind: number): void => {
    if (kind === KIND["app.siginfo"]) siginfos += 1;
    const item = stateOf(block.thread[i] as number).open.at(-1) ?? -1;
    if (item < 0) return;
    const value = block.value[i] as number;
    const extra = block.extra[i] as number;
    if (kind === KIND["app.output"]) return write(item, extra, value);
    if (kind === KIND["app.siginfo.more"]) return write(item, SIGINFO_MORE + extra, value);
    if (kind === KIND["app.mask"]) {
      write(item, MASK_LOW, value);
      return write(item, MASK_HIGH, extra);
    }
    write(item, SIGINFO_SIGNAL, block.signal[i] as number);
    write(item, SIGINFO_CODE, value);
    write(item, SIGINFO_PID, extra);
  };

  const check = (block: Block, i: number): void => {
    if (names.sites[block.site[i] as number]?.label !== VECTORS_LABEL) return;
    const item = add(block, i, CHECK, 0);
    const { levels } = stateOf(block.thread[i] as number);
    (levels[levels.length - 1] as Level).lastCall = item;
    if (item >= 0) close(block, i, item, RETURNED, block.value[i] as number);
  };

  /** The first row of a signal is where it was sent. */
  const follow = (block: Block, i: number, kind: number): void => {
    const id = block.extra[i] as number;
    if (id <= 0 || id > MAX_ITEMS) return;
    while (sentSeq.length <= id) {
      sentSeq.push(-1);
      sentOutside.push(0);
    }
    if (sentSeq.at(id) >= 0) return;
    sentSeq.set(id, block.seq0 + i);
    if (kind !== GENERATE || names.sites[block.site[i] as number]?.label !== ARRIVES_LABEL) return;
    const signal = block.signal[i] as number;
    const nth = (arrivals.get(signal) ?? 0) + 1;
    arrivals.set(signal, nth);
    sentOutside.set(id, nth);
  };

  return {
    put(block): void {
      const { n, kind } = block;
      for (let i = 0; i < n; i += 1) {
        const id = kind[i] as number;
        if (CARRIES_SIGNAL_ID[id] === 1 && id !== ENTER) follow(block, i, id);
        if (WALKED[id] === 1) walk.take(block, i);
        else if (ANSWERS[id] === 1) answer(block, i, id);
        else if (id === BRANCH) check(block, i);
      }
      ends.put(block);
      rows += n;
      if (n > 0) time = Math.max(time, block.time[n - 1] as number);
    },
    finish(ending, machine) {
      const openOf = (thread: number): number => threads[thread]?.open.at(-1) ?? -1;
      const found = { ...about, sites: names.sites, threads: names.threads, items, outputs, arrivals, siginfos, rows, time, full };
      return { ...found, ends: ends.finish({ ending, machine: machine as Machine | null, items, openOf, rows, time }) };
    },
  };
}
