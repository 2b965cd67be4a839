/** The database that is made while the rows come is the one that is made of the file. Uses the built thread: `npm test` builds first. */

import { existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import path from "node:path";
import Sqlite from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { type Block, newBlock, type Source, shownBy } from "../../engine/index.ts";
import { createArrowWriter } from "../../recorder/arrow/write.ts";
import { ARROW_NAME, DB_NAME } from "../../recorder/index.ts";
import { leaveRing, newRing, readRing, ringWriter } from "../../recorder/sqlite/block-ring.ts";
import { startLiveSeal } from "../../recorder/sqlite/live-seal.ts";
import { seal } from "../../recorder/sqlite/seal.ts";
import { syntheticSource, testInfo } from "../support/synthetic-source.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
const PROGRAM = path.resolve(import.meta.dirname, "../../dist/seal-worker.js");
const EVENTS = shownBy(testInfo().stack).events;
const nothing = () => {};

/** Every row of every table. */
function contents(db: string): Record<string, unknown[]> {
  const connection = new Sqlite(db, { readonly: true });
  expect(connection.pragma("integrity_check")).toEqual([{ integrity_check: "ok" }]);
  const names = connection.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
  const rows = Object.fromEntries(names.map((name) => [name, connection.prepare(`SELECT * FROM "${name}"`).raw().all()]));
  connection.close();
  return rows;
}

/** Record a source into a folder of its own; each block goes to `live`, too. */
function recorded(dir: string, source: Source, live: ReturnType<typeof startLiveSeal>): void {
  mkdirSync(dir, { recursive: true });
  const writer = createArrowWriter(path.join(dir, ARROW_NAME), source, testInfo());
  const sink = {
    put(block: Block) {
      writer.put(block);
      live.put(block, source.threads.length);
    },
  };
  while (source.run(100_000, sink));
  source.flush(sink);
  writer.finish({ reason: "finished", interrupted: false, quality: [] });
}

describe("live seal", () => {
  test("makes the same tables as the file does", async () => {
    const dir = fresh("live.trace");
    const source = syntheticSource({ rows: 200_000, seed: 3 });
    const live = startLiveSeal(dir, source, EVENTS, PROGRAM);
    recorded(dir, source, live);
    const sealed = await live.finish(nothing, undefined);
    expect(sealed?.rows).toBe(200_000);
    expect(readdirSync(dir).sort()).toEqual([DB_NAME, ARROW_NAME].sort());
    renameSync(path.join(dir, DB_NAME), path.join(dir, "live.db"));
    expect(await seal(dir)).toEqual(sealed);
    expect(contents(path.join(dir, "live.db"))).toEqual(contents(path.join(dir, DB_NAME)));
  });

  test("of a source that finds sites on the way there is none: the thread would not know them", async () => {
    const dir = fresh("sites.trace");
    const source = syntheticSource({ rows: 200_000 });
    const sites = [...source.sites];
    const live = startLiveSeal(dir, { sites }, EVENTS, PROGRAM);
    let blocks = 0;
    recorded(dir, source, {
      ...live,
      put(block, threads) {
        if (++blocks === 5 && source.sites[0] !== undefined) sites.push(source.sites[0]);
        live.put(block, threads);
      },
    });
    expect(await live.finish(nothing, undefined)).toBeNull();
    expect(readdirSync(dir)).toEqual([ARROW_NAME]);
  });

  test("of fewer rows than a block there is none", async () => {
    const dir = fresh("short.trace");
    const source = syntheticSource({ rows: 5000 });
    const live = startLiveSeal(dir, source, EVENTS, PROGRAM);
    recorded(dir, source, live);
    expect(await live.finish(nothing, undefined)).toBeNull();
    expect(readdirSync(dir)).toEqual([ARROW_NAME]);
  });

  test("stopped, or abandoned, it leaves nothing behind", async () => {
    for (const stop of [true, false]) {
      const dir = fresh("stopped.trace");
      const source = syntheticSource({ rows: 100_000 });
      const live = startLiveSeal(dir, source, EVENTS, PROGRAM);
      recorded(dir, source, live);
      if (stop) expect(await live.finish(nothing, AbortSignal.abort())).toBeNull();
      else await live.abandon();
      expect(readdirSync(dir)).toEqual([ARROW_NAME]);
    }
  });

  test("a thread that cannot write gives up, and the recording goes on", async () => {
    const gone = fresh("no-such-folder");
    const live = startLiveSeal(gone, syntheticSource(), EVENTS, PROGRAM);
    const block = newBlock();
    block.n = 16_384;
    // Many more than are on their way at most: the recording does not wait for a thread that is gone.
    for (; block.seq0 < 40 * block.n; block.seq0 += block.n) live.put(block, 1);
    expect(await live.finish(nothing, undefined)).toBeNull();
    expect(existsSync(gone)).toBe(false);
  });
});

describe("the ring of blocks", () => {
  test("hands over each block as it was, with what goes with it", () => {
    const ring = newRing();
    const writer = ringWriter(ring);
    const block = newBlock();
    for (let i = 0; i < 8; i += 1) {
      block.n = 100 * (i + 1);
      block.seq0 = i * 1e10;
      block.time.fill(i + 0.5);
      block.kind.fill(i);
      block.preempt.fill(-i);
      expect(writer.put(block, i + 7)).toBe(true);
    }
    writer.end();
    const seen: number[][] = [];
    readRing(ring, ({ n, seq0, time, kind, preempt }, threads) =>
      seen.push([n, seq0, threads, time[0] ?? 0, time[n - 1] ?? 0, kind[n - 1] ?? 0, preempt[n - 1] ?? 0]),
    );
    expect(seen).toEqual(Array.from({ length: 8 }, (_, i) => [100 * (i + 1), i * 1e10, i + 7, i + 0.5, i + 0.5, i, 0 - i]));
    expect(writer.taken).toBe(3600);
  });

  test("the writer is told when nobody reads any more", () => {
    const ring = newRing();
    const writer = ringWriter(ring);
    const block = newBlock();
    block.n = 1;
    expect(writer.put(block, 1)).toBe(true);
    leaveRing(ring);
    expect(writer.put(block, 1)).toBe(false);
  });
});
