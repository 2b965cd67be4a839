/** Blocks on their way to another thread, through memory that both share: copied in, copied out, waited for on either side. */

import { type Block, COLUMN_NAMES, newBlock } from "../../engine/index.ts";

/** Blocks on their way at most. */
const SLOTS = 8;
/** Long enough for a disk that is busy; a reader that takes longer is given up. */
const PATIENCE_MS = 20_000;
/** Between two looks at whether more is to come. */
const LOOK_MS = 20;

/** Places in the shared control memory: blocks written and read so far, and whether more come. */
const WRITTEN = 0;
const READ = 1;
const STATE = 2;
const PLACES = 3;

const GOES_ON = 0;
const ENDED = 1;
const READER_GONE = 2;

/** Numbers that go with a block: rows, first seq, threads of the trace. */
const FACTS = 3;

export interface RingMemory {
  readonly control: SharedArrayBuffer;
  readonly facts: SharedArrayBuffer;
  readonly blocks: SharedArrayBuffer;
}

export const newRing = (): RingMemory => ({
  control: new SharedArrayBuffer(PLACES * Int32Array.BYTES_PER_ELEMENT),
  facts: new SharedArrayBuffer(SLOTS * FACTS * Float64Array.BYTES_PER_ELEMENT),
  blocks: new SharedArrayBuffer(SLOTS * newBlock().time.buffer.byteLength),
});

/** Bytes of each column of the blocks in the ring, laid out as in `newBlock`. */
function slotsOf({ blocks }: RingMemory): Uint8Array[][] {
  const { length } = new Uint8Array(newBlock().time.buffer);
  const like = newBlock();
  return Array.from({ length: SLOTS }, (_, slot) =>
    COLUMN_NAMES.map((name) => new Uint8Array(blocks, slot * length + like[name].byteOffset, like[name].byteLength)),
  );
}

/** The bytes of a column's rows in use. */
const used = (block: Block, i: number, n: number): Uint8Array => {
  const column = block[COLUMN_NAMES[i] as (typeof COLUMN_NAMES)[number]];
  return new Uint8Array(column.buffer, column.byteOffset, n * column.BYTES_PER_ELEMENT);
};

export interface RingWriter {
  /** Rows that the reader has taken. */
  readonly taken: number;
  /** Hand over a block of at most BLOCK_ROWS rows. False: the reader is gone, or does not read. */
  put(block: Block, threads: number): boolean;
  /** No more blocks come. */
  end(): void;
}

export function ringWriter(memory: RingMemory): RingWriter {
  const control = new Int32Array(memory.control);
  const facts = new Float64Array(memory.facts);
  const slots = slotsOf(memory);
  const rows: number[] = new Array<number>(SLOTS).fill(0);
  let written = 0;
  let taken = 0;
  let counted = 0;

  const hasRoom = (): boolean => {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      const read = Atomics.load(control, READ);
      if (Atomics.load(control, STATE) === READER_GONE) return false;
      if (written - read < SLOTS) return true;
      if (performance.now() > until) return false;
      Atomics.wait(control, READ, read, LOOK_MS);
    }
  };

  return {
    get taken() {
      for (; counted < Atomics.load(control, READ); counted += 1) taken += rows[counted % SLOTS] as number;
      return taken;
    },
    put(block, threads): boolean {
      if (!hasRoom()) return false;
      this.taken;
      const slot = written % SLOTS;
      for (const [i, bytes] of (slots[slot] ?? []).entries()) bytes.set(used(block, i, block.n));
      facts.set([block.n, block.seq0, threads], slot * FACTS);
      rows[slot] = block.n;
      written += 1;
      Atomics.store(control, WRITTEN, written);
      Atomics.notify(control, WRITTEN);
      return true;
    },
    end(): void {
      Atomics.compareExchange(control, STATE, GOES_ON, ENDED);
      Atomics.notify(control, WRITTEN);
    },
  };
}

/** Each block, waited for, until the writer has ended. `take` must not keep the block. */
export function readRing(memory: RingMemory, take: (block: Block, threads: number) => void): void {
  const control = new Int32Array(memory.control);
  const facts = new Float64Array(memory.facts);
  const slots = slotsOf(memory);
  const block = newBlock();
  for (let read = 0; ; ) {
    // In this order: what was written before the end is seen after it.
    const ended = Atomics.load(control, STATE) === ENDED;
    if (read === Atomics.load(control, WRITTEN)) {
      if (ended) return;
      Atomics.wait(control, WRITTEN, read, LOOK_MS);
      continue;
    }
    const slot = read % SLOTS;
    const [n = 0, seq0 = 0, threads = 0] = facts.subarray(slot * FACTS, (slot + 1) * FACTS);
    for (const [i, bytes] of (slots[slot] ?? []).entries()) {
      const rows = used(block, i, n);
      rows.set(bytes.subarray(0, rows.length));
    }
    block.n = n;
    block.seq0 = seq0;
    take(block, threads);
    read += 1;
    Atomics.store(control, READ, read);
    Atomics.notify(control, READ);
  }
}

/** Tell the writer that nobody reads any more. */
export function leaveRing({ control }: RingMemory): void {
  const places = new Int32Array(control);
  Atomics.store(places, STATE, READER_GONE);
  Atomics.notify(places, READ);
}
