/** The blocks that the replay keeps in memory. */

import { expect, test } from "vitest";
import { type Block, newBlock } from "../../../../engine/block.ts";
import type { Trace } from "../../../../recorder/index.ts";
import { rowsOf } from "../../../../tui/replay/navigate/rows.ts";

const BATCHES = 20;
const DAMAGED = 15;

/** Batches of one row whose time is its seq; one cannot be read, and spoils the memory it was to be read into. */
function trace(): Trace {
  const readBlock = (index: number, into: Block = newBlock(1)): Block => {
    Object.assign(into, { seq0: index, n: 1, time: Float64Array.of(index) });
    if (index === DAMAGED) {
      Object.assign(into, { time: new Float64Array(0) });
      throw new Error("damaged");
    }
    return into;
  };
  const batchOf = (seq: number): number => (seq >= 0 && seq < BATCHES ? Math.floor(seq) : -1);
  return { transitions: { rows: BATCHES, batchOf, readBlock } } as unknown as Trace;
}

test("a block that cannot be read spoils none that was", () => {
  const rows = rowsOf(trace());
  for (let seq = 0; seq < DAMAGED; seq += 1) rows.at(seq);
  expect(() => rows.at(DAMAGED)).toThrow("damaged");
  // The one used last first: those that are kept are looked at before any is read anew.
  for (let seq = DAMAGED - 1; seq >= 0; seq -= 1) expect(rows.at(seq)).toMatchObject({ seq, time: seq });
});

test("between two rows there is none", () => {
  expect(rowsOf(trace()).at(1.5)).toBeNull();
  expect(rowsOf(trace()).at(Number.NaN)).toBeNull();
});
