/**
 * A ceiling for the engine: the plainest event simulator of the same shape in JavaScript. Eight threads in a heap of typed arrays by
 * time, a pseudo-random generator that says what each does next, one row of the engine's own columns for each event. It emulates nothing.
 */

import { BLOCK_ROWS, newBlock, type Sink } from "../../engine/block.ts";

const THREADS = 8;

/** Make `rows` rows and hand full blocks to the sink. Starts where it was left. */
export interface HeapSimulator {
  run(rows: number, sink: Sink): void;
}

export function createHeapSimulator(): HeapSimulator {
  const block = newBlock();
  /** Times, threads and order of entry: a binary heap in three arrays. */
  const times = new Float64Array(THREADS + 1);
  const threads = new Int32Array(THREADS + 1);
  const order = new Uint32Array(THREADS + 1);
  const state = new Uint8Array(THREADS);
  let size = 0;
  let entered = 0;
  let seq = 0;
  let random = 0x9e3779b9 | 0;

  /** xorshift32. */
  const draw = (): number => {
    random ^= random << 13;
    random ^= random >>> 17;
    random ^= random << 5;
    return random >>> 0;
  };

  const push = (time: number, thread: number): void => {
    const number = entered++;
    let i = size++;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = times[parent] as number;
      if (above < time || (above === time && (order[parent] as number) < number)) break;
      times[i] = above;
      threads[i] = threads[parent] as number;
      order[i] = order[parent] as number;
      i = parent;
    }
    times[i] = time;
    threads[i] = thread;
    order[i] = number;
  };

  /** Take the first entry away: the last one sinks from the top to its place. */
  const pop = (): void => {
    size -= 1;
    const time = times[size] as number;
    const thread = threads[size] as number;
    const number = order[size] as number;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= size) break;
      if (child + 1 < size && before(child + 1, times[child] as number, order[child] as number)) child += 1;
      if (!before(child, time, number)) break;
      times[i] = times[child] as number;
      threads[i] = threads[child] as number;
      order[i] = order[child] as number;
      i = child;
    }
    times[i] = time;
    threads[i] = thread;
    order[i] = number;
  };

  const before = (i: number, time: number, number: number): boolean =>
    (times[i] as number) < time || (times[i] === time && (order[i] as number) < number);

  const emit = (time: number, thread: number, kind: number, value: number): void => {
    const row = block.n;
    block.time[row] = time;
    block.thread[row] = thread;
    block.site[row] = kind;
    block.kind[row] = kind;
    block.signal[row] = 0;
    block.value[row] = value;
    block.extra[row] = thread;
    block.depth[row] = kind & 3;
    block.cssa[row] = 0;
    block.preempt[row] = 0;
    block.pending[row] = 0;
    block.detail[row] = 0;
    block.n = row + 1;
  };

  for (let thread = 0; thread < THREADS; thread += 1) push(thread, thread);

  return {
    run(rows, sink): void {
      for (let i = 0; i < rows; i += 1) {
        const time = times[0] as number;
        const thread = threads[0] as number;
        pop();
        const number = draw();
        const kind = (state[thread] as number) + 1;
        state[thread] = kind === 1 ? 1 + (number & 1) : kind === 2 ? 0 : (number >>> 3) % 3;
        emit(time, thread, kind, number >>> 8);
        seq += 1;
        push(time + 20 + (number >>> 22), thread);
        if (block.n < BLOCK_ROWS) continue;
        sink.put(block);
        block.n = 0;
        block.seq0 = seq;
      }
    },
  };
}
