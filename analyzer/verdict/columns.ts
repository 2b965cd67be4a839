/** Columns that grow: typed arrays, so that what is kept of a call costs bytes, not objects. */

/** A part of a column. */
interface Piece {
  at(index: number): number;
  set(index: number, value: number): void;
}

/** `at` beyond what was pushed is not checked. */
export interface Column {
  readonly length: number;
  push(value: number): void;
  at(index: number): number;
  set(index: number, value: number): void;
}

/** Values of a piece, as a power of two: a column that doubled when it is full would hold up to three times what is in it. */
const PIECE_BITS = 12;
const PIECE = 1 << PIECE_BITS;

type Distances = Int8Array | Int16Array | Int32Array;
const WIDTHS = [Int8Array, Int16Array, Int32Array] as const;

/**
 * Any integers, and -1 ("none"), in as few bytes each as their distances from the first one need: none while all are the same, four for
 * seqs and times, which follow each other. From a value on that does not fit, eight.
 */
function piece(): Piece {
  let first: number | null = null;
  let near: Distances | null = null;
  let all: Float64Array | null = null;
  let base = 0;
  /** The least number of the width stands for -1. */
  let none = 0;
  let width = 0;

  const at = (index: number): number => {
    if (all !== null) return all[index] as number;
    if (near === null) return first as number;
    const distance = near[index] as number;
    return distance === none ? -1 : base + distance;
  };
  const fits = (value: number): boolean => {
    const distance = value - base;
    return Number.isInteger(distance) && Math.abs(distance) < -none && base + distance === value;
  };
  const widen = (value: number): void => {
    if (near === null) base = first === -1 ? value : (first as number);
    while (width < WIDTHS.length) {
      const made = new (WIDTHS[width] as (typeof WIDTHS)[number])(PIECE);
      const least = -(2 ** (8 * made.BYTES_PER_ELEMENT - 1));
      width += 1;
      if (near === null) made.fill(first === -1 ? least : 0);
      else for (let i = 0; i < PIECE; i += 1) made[i] = near[i] === none ? least : (near[i] as number);
      near = made;
      none = least;
      if (value === -1 || fits(value)) return;
    }
    all = Float64Array.from({ length: PIECE }, (_, i) => at(i));
    near = null;
  };

  return {
    at,
    set(index, value) {
      first ??= value;
      if (all === null && near === null && value === first) return;
      if (all === null && (near === null || (value !== -1 && !fits(value)))) widen(value);
      if (all !== null) all[index] = value;
      else (near as unknown as Distances)[index] = value === -1 ? none : value - base;
    },
  };
}

/** A column of integers; other numbers are kept as well, and cost more. */
export function column(): Column {
  const pieces: Piece[] = [];
  let length = 0;
  return {
    get length() {
      return length;
    },
    push(value) {
      const i = length & (PIECE - 1);
      if (i === 0) pieces.push(piece());
      (pieces[length >> PIECE_BITS] as Piece).set(i, value);
      length += 1;
    },
    at: (index) => (pieces[index >> PIECE_BITS] as Piece).at(index & (PIECE - 1)),
    set(index, value) {
      (pieces[index >> PIECE_BITS] as Piece).set(index & (PIECE - 1), value);
    },
  };
}

/** Texts, each kept once: mostly the same few. */
export interface Texts {
  /** Number of the text. */
  of(text: string): number;
  at(number: number): string;
}

export function texts(): Texts {
  const all: string[] = [];
  const numberOf = new Map<string, number>();
  return {
    of(text) {
      const known = numberOf.get(text);
      if (known !== undefined) return known;
      numberOf.set(text, all.length);
      return all.push(text) - 1;
    },
    at: (number) => all[number] as string,
  };
}
