/** Columns that grow: typed arrays, so that what is kept of a call costs bytes, not objects. */

interface Values {
  [index: number]: number;
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

function column(make: (length: number) => Values): Column {
  const pieces: Values[] = [];
  let length = 0;
  return {
    get length() {
      return length;
    },
    push(value) {
      const i = length & (PIECE - 1);
      if (i === 0) pieces.push(make(PIECE));
      (pieces[length >> PIECE_BITS] as Values)[i] = value;
      length += 1;
    },
    at: (index) => (pieces[index >> PIECE_BITS] as Values)[index & (PIECE - 1)] as number,
    set(index, value) {
      (pieces[index >> PIECE_BITS] as Values)[index & (PIECE - 1)] = value;
    },
  };
}

export const numbers = (): Column => column((length) => new Float64Array(length));
export const integers = (): Column => column((length) => new Int32Array(length));
export const bytes = (): Column => column((length) => new Uint8Array(length));

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
