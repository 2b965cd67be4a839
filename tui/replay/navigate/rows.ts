/** Random access to a trace's rows with memory that does not grow: a few blocks are kept, the oldest goes. */

import { type Block, type Transition, transitionAt } from "../../../engine/index.ts";
import type { Trace } from "../../../recorder/index.ts";

const KEPT_BLOCKS = 12;
/** A look for a row gives up after so many blocks and says where: the caller goes on later, or not. */
const BLOCKS_AT_ONCE = 64;

export type Direction = 1 | -1;
/** Row `i` of the block: is it the one? */
export type RowPredicate = (block: Block, i: number) => boolean;
export type Found = { readonly seq: number } | { readonly goOnAt: number } | null;

export interface Rows {
  readonly count: number;
  at(seq: number): Transition | null;
  /** Block that holds `seq`, and the row in it. */
  block(seq: number): { block: Block; row: number } | null;
  /** The nearest row after (1) or before (-1) `from` that is predicateFor; null at the end of the trace. */
  find(from: number, direction: Direction, predicateFor: RowPredicate): Found;
}

interface Kept {
  index: number;
  used: number;
  block: Block;
}

export function rowsOf(trace: Trace): Rows {
  const { transitions } = trace;
  const kept: Kept[] = [];
  let clock = 0;

  function load(index: number): Block {
    clock += 1;
    const known = kept.find((one) => one.index === index);
    if (known !== undefined) {
      known.used = clock;
      return known.block;
    }
    const oldest = kept.length < KEPT_BLOCKS ? null : kept.reduce((a, b) => (a.used < b.used ? a : b));
    // Should the reading fail, its memory is no batch's.
    if (oldest !== null) oldest.index = -1;
    const block = transitions.readBlock(index, oldest?.block);
    if (oldest === null) kept.push({ index, used: clock, block });
    else Object.assign(oldest, { index, used: clock, block });
    return block;
  }

  function block(seq: number): { block: Block; row: number } | null {
    // What a stranger's database says of a finding need not be a seq.
    const index = Number.isInteger(seq) ? transitions.batchOf(seq) : -1;
    if (index < 0) return null;
    const found = load(index);
    return { block: found, row: seq - found.seq0 };
  }

  return {
    count: transitions.rows,
    block,
    at(seq) {
      const place = block(seq);
      return place === null ? null : transitionAt(place.block, place.row);
    },
    find(from, direction, predicateFor) {
      let seq = from + direction;
      for (let looked = 0; looked < BLOCKS_AT_ONCE; looked += 1) {
        const place = block(seq);
        if (place === null) return null;
        const end = direction === 1 ? place.block.n : -1;
        for (let i = place.row; i !== end; i += direction) if (predicateFor(place.block, i)) return { seq: place.block.seq0 + i };
        seq = direction === 1 ? place.block.seq0 + place.block.n : place.block.seq0 - 1;
      }
      return { goOnAt: seq - direction };
    },
  };
}
