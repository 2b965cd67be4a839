/**
 * The digest of a run: sha256 over its columns, texts and threads. Each column is a stream of its own, so it
 * does not matter how the rows were cut into blocks.
 * Sites do not enter: relabelling a step of the emulated code does not change what happened.
 */

import { createHash } from "node:crypto";
import type { Block, Sink, ThreadInfo } from "../../engine/index.ts";
import { columnsOf } from "./columns.ts";

export interface Digest extends Sink {
  /** Hex sha256 of everything put so far with these lists. Ends the digest. */
  finish(texts: readonly string[], threads: readonly ThreadInfo[]): string;
}

/** Of rows as files of that format have them: the digest of an older file does not cover the columns that came later. */
export function createDigest(format: number): Digest {
  const streams = columnsOf(format).map((column) => ({ column, hash: createHash("sha256") }));
  let rows = 0;
  return {
    put(block: Block): void {
      for (const { column, hash } of streams) hash.update(block[column.name].subarray(0, block.n));
      rows += block.n;
    },
    finish(texts, threads): string {
      const all = createHash("sha256");
      all.update(`eintr ${rows}\n`);
      for (const { column, hash } of streams) all.update(`${column.name} ${hash.digest("hex")}\n`);
      for (const part of json(texts)) all.update(part);
      // Members by name, in one order: the objects may come from anywhere.
      for (const part of json(threads.map((t) => [t.name, t.pid, t.tid, t.internal]))) all.update(part);
      return all.digest("hex");
    },
  };
}

/** A list as JSON, entry by entry: all of it together may be more than a string can hold. */
function* json(list: readonly unknown[]): Generator<string> {
  for (const [i, entry] of list.entries()) yield `${i === 0 ? "[" : ","}${JSON.stringify(entry)}`;
  yield list.length === 0 ? "[]" : "]";
}
