/**
 * A seeded source of plausible transitions for tests of the recorder: threads make calls, enter and leave the
 * enclave, get signals whose roads end in every way. It has no machine; its keyframe is its own small state.
 */

import { BLOCK_ROWS, type Block, newBlock, type Sink, type Source } from "../../engine/block.ts";
import { type Decision, KIND, type KindName, LAYERS, type Site, type ThreadInfo, type Transition } from "../../engine/transition.ts";

export interface SyntheticOptions {
  readonly seed?: number;
  /** Rows until the run is over. */
  readonly rows?: number;
  readonly threads?: number;
  /** Rows of a block: smaller ones cut the same run differently. */
  readonly blockRows?: number;
  readonly keyframes?: boolean;
}

const SITES: Site[] = Array.from({ length: 40 }, (_, i) => ({
  flow: `flow_${i >> 2}`,
  step: i & 3,
  label: `step ${i & 3}`,
  layer: LAYERS[i % LAYERS.length] ?? "app",
  context: i % 7 === 0 ? "signal" : "normal",
  source: i % 5 === 0 ? "" : `section ${i % 5}`,
}));

/** What a thread does next, one row at a time: [kind, value, extra, signal, depth change]. */
type Planned = readonly [KindName, number, number, number, number];

export function syntheticSource(options: SyntheticOptions = {}): Source & { readonly seed: number } {
  const { seed = 1, rows: total = 100_000, threads: threadCount = 4, blockRows = BLOCK_ROWS, keyframes = true } = options;
  const threads: ThreadInfo[] = [{ name: "main", pid: 1, tid: 1, internal: false }];
  const texts: string[] = ["", "read(0)", "pause()"];
  const decisions: Decision[] = [];
  const plans: Planned[][] = Array.from({ length: threadCount }, () => []);
  const depths = new Int32Array(threadCount).fill(1);
  const block: Block = newBlock(blockRows);
  let state = (seed * 2_654_435_761 + 1) >>> 0 || 1;
  let seq = 0;
  let time = 0;
  let signalId = 0;

  const random = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };

  const plan = (thread: number): Planned[] => {
    const s = 1 + random(31);
    switch (random(10)) {
      case 0:
        return signalRoad(thread, ++signalId, s);
      case 1:
        return [
          ["sgx.aex", -1, 1, 0, 0],
          ["sgx.eresume", 0, 0, 0, 0],
        ];
      case 2:
        return [
          ["thread.block", 1, -1, 0, 0],
          ["thread.wake", 2, 0, 0, 0],
        ];
      case 3:
        return [["app.compute", random(1e9) * 20, 0, 0, 0]];
      default:
        return [
          ["app.call", random(50), 0, 0, 1],
          ["sgx.eenter", 0, 0, 0, 1],
          ["libos.syscall.enter", 1, 0, 0, 1],
          ["sgx.eexit", 0, 0, 0, -1],
          ["libos.syscall.exit", -4, 0, 0, -1],
          ["app.return", random(2) === 0 ? -4 : 2 ** 40 + random(1000), 0, 0, -1],
        ];
    }
  };

  const signalRoad = (thread: number, id: number, s: number): Planned[] => {
    const start: Planned[] = [
      ["host.signal.generate", thread, id, s, 0],
      ["host.signal.deliver", 1, id, s, 0],
    ];
    switch (random(6)) {
      case 0:
        return [
          ["host.signal.generate", thread, id, s, 0],
          ["host.signal.discard", random(3), id, s, 0],
        ];
      case 1:
        return [...start, ["pal.event.pend", 6, id, s, 0], ["pal.event.lost", 6, id, s, 0]];
      case 2:
        return [...start, ["libos.upcall.enter", 6, id, s, 1], ["libos.upcall.return", 6, id, s, -1]];
      case 3:
        return start;
      default:
        return [
          ["app.call", 7, 0, 0, 1],
          ...start,
          ["libos.upcall.enter", 5, id, s, 1],
          ["libos.signal.append", thread, id, s, 0],
          ["libos.signal.fetch", 0, id, s, 0],
          ["app.handler.enter", 1, id, s, 1],
          ["app.handler.return", 1, id, s, -1],
          ["libos.upcall.return", 5, id, s, -1],
          ["app.return", -4, 0, 0, -1],
        ];
    }
  };

  const step = (): void => {
    if (threads.length < threadCount && random(500) === 0) {
      threads.push({ name: `worker ${threads.length}`, pid: 1, tid: threads.length + 1, internal: threads.length % 3 === 0 });
    }
    const thread = random(threads.length);
    const todo = plans[thread] as Planned[];
    if (todo.length === 0) todo.push(...plan(thread));
    const [kind, value, extra, signal, change] = todo.shift() as Planned;
    depths[thread] = (depths[thread] as number) + change;
    if (random(1000) === 0) texts.push(`text ${texts.length} \u00e9\u{1f600}`);
    if (random(300) === 0) decisions.push({ seq, point: "schedule", choice: thread });
    time += 1 + random(5000);
    const i = block.n;
    block.time[i] = time;
    block.thread[i] = thread;
    block.site[i] = random(SITES.length);
    block.kind[i] = KIND[kind];
    block.signal[i] = signal;
    block.value[i] = value;
    block.extra[i] = extra;
    block.depth[i] = depths[thread] as number;
    block.cssa[i] = random(2);
    block.preempt[i] = random(20) === 0 ? -1 : random(3);
    block.pending[i] = random(4) === 0 ? 1 : 0;
    block.detail[i] = kind === "app.call" ? random(texts.length) : 0;
    block.n = i + 1;
    seq += 1;
  };

  const flush = (sink: Sink): void => {
    if (block.n === 0) return;
    block.seq0 = seq - block.n;
    sink.put(block);
    block.n = 0;
  };

  return {
    seed,
    sites: SITES,
    threads,
    texts,
    decisions,
    run(rows, sink): boolean {
      for (let left = rows; left > 0 && seq < total; left--) {
        step();
        if (block.n === blockRows) flush(sink);
      }
      return seq < total;
    },
    ending: "finished",
    keyframe: () => (keyframes ? JSON.stringify({ seq, state, time, depths: [...depths] }) : null),
    flush,
  };
}

/** A source of exactly these rows; members left out are 0, `time` is 10 ns a row unless given. */
export function rowsSource(
  rows: readonly (Partial<Transition> & { k: KindName })[],
  lists: Partial<Pick<Source, "threads" | "texts" | "sites" | "decisions">> = {},
  blockRows = BLOCK_ROWS,
): Source {
  const block = newBlock(blockRows);
  let next = 0;
  const flush = (sink: Sink): void => {
    if (block.n === 0) return;
    block.seq0 = next - block.n;
    sink.put(block);
    block.n = 0;
  };
  return {
    sites: lists.sites ?? SITES,
    threads: lists.threads ?? [0, 1, 2, 3].map((i) => ({ name: `t${i}`, pid: 1, tid: i + 1, internal: false })),
    texts: lists.texts ?? ["", "one", "two"],
    decisions: lists.decisions ?? [],
    run(count, sink): boolean {
      for (let left = count; left > 0 && next < rows.length; left--) {
        const { k, ...given } = rows[next] as Partial<Transition> & { k: KindName };
        const i = block.n;
        const row = {
          time: next * 10,
          thread: 0,
          site: 0,
          signal: 0,
          value: 0,
          extra: 0,
          depth: 1,
          cssa: 0,
          preempt: 0,
          pending: 0,
          detail: 0,
          ...given,
        };
        for (const [name, v] of Object.entries(row)) if (name !== "seq" && name !== "kind") block[name as "time"][i] = v;
        block.kind[i] = KIND[k];
        block.n = i + 1;
        next += 1;
        if (block.n === blockRows) flush(sink);
      }
      return next < rows.length;
    },
    ending: "finished",
    keyframe: () => null,
    flush,
  };
}

export const TEST_INFO = {
  eintr: "0.0.0-test",
  stack: "synthetic",
  fixes: ["a", "b"],
  options: ["c"],
  scenario: "synthetic",
  scenarioText: "threads: []\n",
  seed: 1,
  scheduler: "seeded",
  origin: "imported",
} as const;

/** Info as `record` takes it. */
export const testInfo = () => ({ ...TEST_INFO, fixes: [...TEST_INFO.fixes], options: [...TEST_INFO.options] });
