/** An entry of an index on a column of bytes: the record (value, row). Source: "Database File Format", sections 1.6 and 2.1. */

const TWO_32 = 4_294_967_296;
/** Lengths of payload and header, and two serial types. */
const HEAD_BYTES = 4;

/** Bytes of a row number, which is below 2^53. */
const rowBytes = (row: number): number =>
  row < 2 ? 0 : row < 0x80 ? 1 : row < 0x8000 ? 2 : row < 0x80_0000 ? 3 : row < 0x8000_0000 ? 4 : row < 0x8000_0000_0000 ? 6 : 8;
const valueBytes = (value: number): number => (value < 2 ? 0 : value < 0x80 ? 1 : 2);

/** Serial type of a value that takes so many bytes. */
const serialType = (value: number, bytes: number): number => (bytes === 0 ? 8 + value : bytes === 6 ? 5 : bytes === 8 ? 6 : bytes);

/** Bytes of the entry. */
export const entryBytes = (value: number, row: number): number => HEAD_BYTES + valueBytes(value) + rowBytes(row);

/** Write the entry at `at`. */
export function putEntry(out: Uint8Array, at: number, value: number, row: number): void {
  const forValue = valueBytes(value);
  const forRow = rowBytes(row);
  out[at] = 3 + forValue + forRow;
  out[at + 1] = 3;
  out[at + 2] = serialType(value, forValue);
  out[at + 3] = serialType(row, forRow);
  let p = at + HEAD_BYTES;
  if (forValue === 2) out[p++] = 0;
  if (forValue > 0) out[p++] = value;
  const high = forRow > 4 ? Math.floor(row / TWO_32) : 0;
  const low = row - high * TWO_32;
  for (let i = forRow - 1; i >= 0; i--) out[p++] = i >= 4 ? high >> (8 * (i - 4)) : low >>> (8 * i);
}
