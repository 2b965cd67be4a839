/**
 * The digest of a run: sha256 over its columns, texts and threads. Each column is a stream of its own, so it
 * does not matter how the rows were cut into blocks; time and value enter as Int64, as in the file.
 * Sites do not enter: relabelling a step of the emulated code does not change what happened.
 */

import { createHash } from "node:crypto";
import type { Block, Sink } from "../engine/block.ts";
import type { ThreadInfo } from "../engine/transition.ts";
import { splitInt64 } from "./int64.ts";
import { STORED_COLUMNS } from "./trace-format.ts";

export interface Digest extends Sink {
  /** Hex sha256 of everything put so far with these lists. Ends the digest. */
  finish(texts: readonly string[], threads: readonly ThreadInfo[]): string;
}

export function createDigest(): Digest {
  const streams = STORED_COLUMNS.map((column) => ({ column, hash: createHash("sha256") }));
  let halves = new Int32Array(0);
  let rows = 0;
  return {
    put(block: Block): void {
      if (halves.length < 2 * block.n) halves = new Int32Array(2 * block.n);
      for (const { column, hash } of streams) {
        const values = block[column.name];
        if (values instanceof Float64Array) {
          splitInt64(values, block.n, halves);
          hash.update(halves.subarray(0, 2 * block.n));
        } else {
          hash.update(values.subarray(0, block.n));
        }
      }
      rows += block.n;
    },
    finish(texts, threads): string {
      const all = createHash("sha256");
      all.update(`eintr ${rows}\n`);
      for (const { column, hash } of streams) all.update(`${column.name} ${hash.digest("hex")}\n`);
      // Members by name, in one order: the objects may come from anywhere.
      all.update(JSON.stringify(texts));
      all.update(JSON.stringify(threads.map((t) => [t.name, t.pid, t.tid, t.internal])));
      return all.digest("hex");
    },
  };
}
