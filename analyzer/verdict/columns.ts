/** Columns that grow: typed arrays, so that what is kept of a call costs bytes, not objects. */

interface TypedArray<T> {
  readonly length: number;
  [index: number]: number;
  set(from: T, offset?: number): void;
}

/** A typed array that doubles when it is full. `at` beyond what was pushed is not checked. */
export interface Column {
  readonly length: number;
  push(value: number): void;
  at(index: number): number;
  set(index: number, value: number): void;
}

function column<T extends TypedArray<T>>(make: (length: number) => T): Column {
  let values = make(64);
  let length = 0;
  return {
    get length() {
      return length;
    },
    push(value) {
      if (length === values.length) {
        const more = make(2 * length);
        more.set(values);
        values = more;
      }
      values[length] = value;
      length += 1;
    },
    at: (index) => values[index] as number,
    set(index, value) {
      values[index] = value;
    },
  };
}

export const numbers = (): Column => column((length) => new Float64Array(length));
export const integers = (): Column => column((length) => new Int32Array(length));
export const bytes = (): Column => column((length) => new Uint8Array(length));
