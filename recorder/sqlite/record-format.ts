/**
 * SQLite's record format for rows of integers, made column by column: each pass is a tight loop over one typed
 * array, which is what makes it fast. Source: "Database File Format", sections 1.6, 2.1 and 2.2.
 *
 * A cell of a table leaf is: varint payload length, varint rowid, payload. The payload is a header (its own
 * length, then a serial type per column, one byte each here) and the values, big-endian. The first column is
 * the INTEGER PRIMARY KEY: it is NULL in the record, its value is the rowid.
 */

/** What a page-written column may come from. NaN in a Float64Array is NULL. */
export type IntArray = Uint8Array | Uint16Array | Uint32Array | Int8Array | Int16Array | Int32Array | Float64Array;

/** Rows encoded at a time: the scratch arrays stay in the processor's cache. */
export const SLICE_ROWS = 1024;

const TWO_32 = 4_294_967_296;
const NULL = 0;
const INT48 = 5;
const INT64 = 6;
const ZERO = 8;
/** Bytes of the value by serial type. */
const VALUE_BYTES = Uint8Array.of(0, 1, 2, 3, 4, 6, 8, 0, 0, 0);

/** Serial type of a 32-bit value by the leading zeros of its magnitude: a table, because a chain of ifs mispredicts. */
const TYPE_BY_ZEROS = Uint8Array.from({ length: 33 }, (_, zeros) => (zeros >= 25 ? 1 : zeros >= 17 ? 2 : zeros >= 9 ? 3 : 4));

/** Serial types of `n` 32-bit values into `types`, their sizes added to `sizes`. */
function typeInts(values: Int32Array, n: number, types: Uint8Array, sizes: Uint16Array): void {
  for (let i = 0; i < n; i++) {
    const v = values[i] as number;
    const type = v >>> 0 < 2 ? ZERO + v : (TYPE_BY_ZEROS[Math.clz32(v ^ (v >> 31))] as number);
    types[i] = type;
    sizes[i] = (sizes[i] as number) + (VALUE_BYTES[type] as number);
  }
}

/** The same for float64 values: integers below 2^53 in magnitude, NaN for NULL. */
function typeFloats(values: Float64Array, n: number, types: Uint8Array, sizes: Uint16Array): void {
  for (let i = 0; i < n; i++) {
    const v = values[i] as number;
    const low = v | 0;
    let type: number;
    if (low === v) type = low >>> 0 < 2 ? ZERO + low : (TYPE_BY_ZEROS[Math.clz32(low ^ (low >> 31))] as number);
    else if (Number.isNaN(v)) type = NULL;
    else type = v < 0x8000_0000_0000 && v >= -0x8000_0000_0000 ? INT48 : INT64;
    types[i] = type;
    sizes[i] = (sizes[i] as number) + (VALUE_BYTES[type] as number);
  }
}

/** Write each row's serial type at `heads[i] + column` and its value, big-endian, at `at[i]`, which moves on. */
function putInts(
  out: Uint8Array,
  heads: Uint32Array,
  column: number,
  at: Uint32Array,
  values: Int32Array,
  n: number,
  types: Uint8Array,
): void {
  for (let i = 0; i < n; i++) {
    const type = types[i] as number;
    out[(heads[i] as number) + column] = type;
    if (type >= ZERO) continue;
    const v = values[i] as number;
    let p = at[i] as number;
    if (type === 1) {
      out[p] = v;
      at[i] = p + 1;
      continue;
    }
    if (type >= 4) out[p++] = v >> 24;
    if (type >= 3) out[p++] = v >> 16;
    out[p] = v >> 8;
    out[p + 1] = v;
    at[i] = p + 2;
  }
}

function putFloats(
  out: Uint8Array,
  heads: Uint32Array,
  column: number,
  at: Uint32Array,
  values: Float64Array,
  n: number,
  types: Uint8Array,
): void {
  for (let i = 0; i < n; i++) {
    const type = types[i] as number;
    out[(heads[i] as number) + column] = type;
    if (type >= ZERO || type === NULL) continue;
    const v = values[i] as number;
    let p = at[i] as number;
    let low = v | 0;
    if (type >= INT48) {
      const high = Math.floor(v / TWO_32);
      low = (v - high * TWO_32) | 0;
      if (type === INT64) {
        out[p++] = high >> 24;
        out[p++] = high >> 16;
      }
      out[p++] = high >> 8;
      out[p++] = high;
    }
    if (type >= 4) out[p++] = low >> 24;
    if (type >= 3) out[p++] = low >> 16;
    if (type >= 2) out[p++] = low >> 8;
    out[p++] = low;
    at[i] = p;
  }
}

/** A column that is NULL in all rows: its type alone. */
function putNulls(out: Uint8Array, heads: Uint32Array, column: number, n: number): void {
  for (let i = 0; i < n; i++) out[(heads[i] as number) + column] = NULL;
}

/** Bytes of a varint below 2^53. */
export function varintBytes(v: number): number {
  if (v < 0x20_0000) return v < 0x80 ? 1 : v < 0x4000 ? 2 : 3;
  let bytes = 4;
  for (let limit = 0x1000_0000; v >= limit; limit *= 128) bytes += 1;
  return bytes;
}

/** Write a varint at `p`, return the place after it. */
export function putVarint(out: Uint8Array, p: number, v: number): number {
  const bytes = varintBytes(v);
  let rest = v;
  if (v < 0x4000_0000) {
    // Nearly all: 32-bit arithmetic.
    let mark = 0;
    for (let i = bytes - 1; i >= 0; i--) {
      out[p + i] = (rest & 0x7f) | mark;
      rest >>>= 7;
      mark = 0x80;
    }
    return p + bytes;
  }
  for (let i = bytes - 1; i >= 0; i--) {
    const high = Math.floor(rest / 128);
    out[p + i] = (rest - high * 128) | (i === bytes - 1 ? 0 : 0x80);
    rest = high;
  }
  return p + bytes;
}

/** Most bytes a cell of `columns` columns can have: what must fit into a page without overflow. */
export const maxCellBytes = (columns: number): number => 2 + 8 + 1 + columns + 8 * (columns - 1);

/**
 * Encodes slices of rows. `measure` reads the columns and gives each cell's size in `sizes`; the caller decides
 * where each cell goes (`at`), then `write` puts them there.
 */
export interface RowEncoder {
  /** Cell sizes of the slice measured last. */
  readonly sizes: Uint16Array;
  /** Where each cell begins; filled by the caller, consumed by `write`. */
  readonly at: Uint32Array;
  /** A column that is null is NULL in all rows; the first is not. */
  measure(columns: readonly (IntArray | null)[], from: number, n: number): void;
  /** Write the first `n` cells of the slice. */
  write(out: Uint8Array, n: number): void;
}

export function createRowEncoder(columnCount: number): RowEncoder {
  if (columnCount < 2 || columnCount > 100) throw new RangeError(`${columnCount} columns, expected 2..100`);
  const sizes = new Uint16Array(SLICE_ROWS);
  const at = new Uint32Array(SLICE_ROWS);
  /** Place of each cell's first serial type after the key's. */
  const heads = new Uint32Array(SLICE_ROWS);
  const headerBytes = 1 + columnCount;
  const keys = new Float64Array(SLICE_ROWS);
  /** One scratch for each value column, of the type its source asks for; made when first seen. */
  const scratch = Array.from({ length: columnCount - 1 }, () => ({
    types: new Uint8Array(SLICE_ROWS),
    ints: new Int32Array(SLICE_ROWS),
    floats: null as Float64Array | null,
    isFloat: false,
    isNull: false,
  }));

  return {
    sizes,
    at,
    measure(columns, from, n): void {
      keys.set((columns[0] as IntArray).subarray(from, from + n));
      sizes.fill(headerBytes, 0, n);
      for (let c = 0; c < scratch.length; c++) {
        const column = scratch[c];
        const values = columns[c + 1];
        if (column === undefined || values === undefined) throw new RangeError("fewer columns than the table has");
        column.isNull = values === null;
        if (values === null) continue;
        // A Uint32 above 2^31 is no Int32; as float64 it is exact.
        column.isFloat = values instanceof Float64Array || values instanceof Uint32Array;
        if (column.isFloat) {
          column.floats ??= new Float64Array(SLICE_ROWS);
          column.floats.set(values.subarray(from, from + n));
          typeFloats(column.floats, n, column.types, sizes);
        } else {
          column.ints.set(values.subarray(from, from + n));
          typeInts(column.ints, n, column.types, sizes);
        }
      }
      for (let i = 0; i < n; i++) {
        const payload = sizes[i] as number;
        sizes[i] = payload + (payload < 128 ? 1 : 2) + varintBytes(keys[i] as number);
      }
    },
    write(out, rows): void {
      for (let i = 0; i < rows; i++) {
        const key = keys[i] as number;
        const keyBytes = varintBytes(key);
        const size = (sizes[i] as number) - keyBytes;
        let p = putVarint(out, at[i] as number, size < 129 ? size - 1 : size - 2);
        p = putVarint(out, p, key);
        out[p] = headerBytes;
        out[p + 1] = NULL;
        heads[i] = p + 2;
        at[i] = p + headerBytes;
      }
      for (let c = 0; c < scratch.length; c++) {
        const column = scratch[c];
        if (column === undefined) continue;
        if (column.isNull) putNulls(out, heads, c, rows);
        else if (column.isFloat && column.floats !== null) putFloats(out, heads, c, at, column.floats, rows, column.types);
        else putInts(out, heads, c, at, column.ints, rows, column.types);
      }
    },
  };
}
