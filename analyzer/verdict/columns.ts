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

function column(make: () => Piece): Column {
  const pieces: Piece[] = [];
  let length = 0;
  return {
    get length() {
      return length;
    },
    push(value) {
      const i = length & (PIECE - 1);
      if (i === 0) pieces.push(make());
      (pieces[length >> PIECE_BITS] as Piece).set(i, value);
      length += 1;
    },
    at: (index) => (pieces[index >> PIECE_BITS] as Piece).at(index & (PIECE - 1)),
    set(index, value) {
      (pieces[index >> PIECE_BITS] as Piece).set(index & (PIECE - 1), value);
    },
  };
}

function typedPiece(values: Int32Array | Uint8Array): Piece {
  return {
    at: (index) => values[index] as number,
    set(index, value) {
      values[index] = value;
    },
  };
}

/** What stands for -1 ("none") among distances from the first value, and the least distance. */
const NONE = -(2 ** 31);
const MOST = 2 ** 31 - 1;

/**
 * Any numbers, in four bytes each as long as all are near the first one, which seqs and times that follow each other nearly always are, or
 * -1; in eight from the first that is not.
 */
function numberPiece(): Piece {
  let near: Int32Array | null = new Int32Array(PIECE);
  let all: Float64Array | null = null;
  let base = Number.NaN;
  const at = (index: number): number => {
    if (near === null) return (all as Float64Array)[index] as number;
    const distance = near[index] as number;
    return distance === NONE ? -1 : base + distance;
  };
  const widen = (): Float64Array => {
    const wide = Float64Array.from({ length: PIECE }, (_, i) => at(i));
    all = wide;
    near = null;
    return wide;
  };
  return {
    at,
    set(index, value) {
      if (near === null) {
        (all as Float64Array)[index] = value;
        return;
      }
      if (value === -1) {
        near[index] = NONE;
        return;
      }
      if (Number.isNaN(base)) base = value;
      const distance = value - base;
      if (Math.abs(distance) <= MOST && Number.isInteger(distance) && base + distance === value) near[index] = distance;
      else widen()[index] = value;
    },
  };
}

export const numbers = (): Column => column(numberPiece);
export const integers = (): Column => column(() => typedPiece(new Int32Array(PIECE)));
export const bytes = (): Column => column(() => typedPiece(new Uint8Array(PIECE)));

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
