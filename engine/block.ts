/** Blocks of transitions as struct of arrays: the only form in which transitions travel in bulk. */

import type { Decision, Site, ThreadInfo, Transition } from "./transition.ts";

/** Rows of a block. One block is one Arrow record batch and one keyframe interval. */
export const BLOCK_ROWS = 16_384;

/**
 * The columns in storage order with their typed arrays. `seq` is not stored: row i of a block is `seq0 + i`.
 * `time` (ns) and `value` are float64 holding integers below 2^53, never a negative zero: the digest is of their bytes.
 */
export const COLUMNS = {
  time: Float64Array,
  thread: Uint32Array,
  site: Uint32Array,
  kind: Uint8Array,
  signal: Uint8Array,
  value: Float64Array,
  extra: Int32Array,
  depth: Uint16Array,
  cssa: Uint8Array,
  preempt: Int16Array,
  pending: Uint16Array,
  detail: Uint32Array,
} as const;

export type ColumnName = keyof typeof COLUMNS;
export const COLUMN_NAMES = Object.keys(COLUMNS) as ColumnName[];

/** Columns of a thread's state after the transition. A stack or an importer may not have each of them: see `Source.absent`. */
export const STATE_COLUMNS = ["depth", "cssa", "preempt", "pending"] as const satisfies readonly ColumnName[];
export type StateColumn = (typeof STATE_COLUMNS)[number];

const mostOf = (type: (typeof COLUMNS)[StateColumn]): number => {
  const isSigned = new type([-1])[0] === -1;
  return 2 ** (8 * type.BYTES_PER_ELEMENT - (isSigned ? 1 : 0)) - 1;
};

/** The largest number that each of them holds. */
export const MOST = Object.fromEntries(STATE_COLUMNS.map((name) => [name, mostOf(COLUMNS[name])])) as Readonly<Record<StateColumn, number>>;

export type Columns = { [C in ColumnName]: InstanceType<(typeof COLUMNS)[C]> };

export interface Block extends Columns {
  /** Seq of row 0. */
  seq0: number;
  /** Rows in use, 0..capacity. */
  n: number;
}

/** Columns lie side by side in one piece of memory, in storage order: a full block is written in one piece. */
export function newBlock(rows = BLOCK_ROWS): Block {
  const bytes = COLUMN_NAMES.map((name) => aligned(rows * COLUMNS[name].BYTES_PER_ELEMENT));
  const memory = new ArrayBuffer(bytes.reduce((sum, size) => sum + size, 0));
  let at = 0;
  const columns = COLUMN_NAMES.map((name, i) => {
    const column = new COLUMNS[name](memory, at, rows);
    at += bytes[i] as number;
    return [name, column];
  });
  return { ...(Object.fromEntries(columns) as Columns), seq0: 0, n: 0 };
}

const aligned = (bytes: number): number => Math.ceil(bytes / 8) * 8;

export function transitionAt(block: Block, row: number): Transition {
  const t = { seq: block.seq0 + row } as Transition;
  for (const name of COLUMN_NAMES) t[name] = block[name][row] as number;
  return t;
}

/** Takes blocks in order. The block is reused by the caller after `put` returns: copy what you keep. */
export interface Sink {
  put(block: Block): void;
}

/** Why a source is over: by itself, or at one of its own limits. */
export type Ending = "finished" | "row-limit" | "time-limit";

/**
 * Anything that makes transitions: a run of the engine, or an importer. The lists only ever grow; a recorder
 * stores what was appended since the last block.
 */
export interface Source {
  readonly sites: readonly Site[];
  readonly threads: readonly ThreadInfo[];
  /** Interned texts; 0 is the empty text. */
  readonly texts: readonly string[];
  readonly decisions: readonly Decision[];
  /** Columns of state that it does not have or does not know: zeros in its blocks, NULL in a trace. None when left out. */
  readonly absent?: readonly StateColumn[];
  /**
   * Fill blocks and hand each to the sink, until `rows` more transitions were made or the run is over. Returns false when it is over;
   * true also with fewer rows, when much was done that made none: the caller may look for a signal and call again.
   */
  run(rows: number, sink: Sink): boolean;
  /** Why it is over; null before `run` has returned false. */
  readonly ending: Ending | null;
  /** The state after the last transition as JSON text, or null when the source has no machine. */
  keyframe(): string | null;
  /** Hand an incomplete block to the sink. */
  flush(sink: Sink): void;
}

/** The lists that states and rows refer to by number. */
export type Lists = Pick<Source, "threads" | "texts" | "decisions">;

/** How many entries of each a keyframe knows. */
export type Known = { readonly [L in keyof Lists]: number };
