/**
 * The rows of a `logged` as a text, in a third of the characters of lists of numbers. A row follows the other after a comma; its numbers
 * are digits of base 64 as source maps have them: the lowest bit of the first digit is the sign, the highest of each says that another one
 * follows. The first number is the row's index; the others are told as distances from the row before that has the same index, for times,
 * lines and results are near to those of the call before. A row behind "!" stands alone: its numbers are themselves, and no row is told by it.
 */

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const MORE = 32;
const ALONE = "!";
const COMMA = ",".charCodeAt(0);
const ALONE_CODE = ALONE.charCodeAt(0);

/** By code of the character; -1 for what is no digit. */
const VALUE_OF = new Int8Array(128).fill(-1);
for (let i = 0; i < DIGITS.length; i += 1) VALUE_OF[DIGITS.charCodeAt(i)] = i;

/** Packs rows as they come. */
export interface RowPacker {
  /** Whole numbers that are exact: the row's index and what it has behind it. */
  add(row: readonly number[]): void;
  /** The text of the rows since the last call; the next rows go on from there. */
  take(): string;
}

const NO_ROW: readonly number[] = [];

/** Their distances are exact. */
function areNear(row: readonly number[], last: readonly number[]): boolean {
  for (let i = 1; i < row.length; i += 1) if (!Number.isSafeInteger((row[i] as number) - (last[i] ?? 0))) return false;
  return true;
}

export function createRowPacker(): RowPacker {
  let bytes = new Uint8Array(64);
  let length = 0;
  const before = new Map<number, readonly number[]>();
  const put = (code: number): void => {
    if (length === bytes.length) {
      const more = new Uint8Array(2 * length);
      more.set(bytes);
      bytes = more;
    }
    bytes[length] = code;
    length += 1;
  };
  const number = (value: number): void => {
    let rest = Math.abs(value);
    let digit = (rest % 16) * 2 + (value < 0 ? 1 : 0);
    rest = Math.floor(rest / 16);
    for (; rest > 0; rest = Math.floor(rest / 32)) {
      put(DIGITS.charCodeAt(digit | MORE));
      digit = rest % 32;
    }
    put(DIGITS.charCodeAt(digit));
  };
  return {
    add(row) {
      const index = row[0] as number;
      const last = before.get(index) ?? NO_ROW;
      const isNear = areNear(row, last);
      if (!isNear) put(ALONE_CODE);
      for (let i = 0; i < row.length; i += 1) number((row[i] as number) - (isNear && i > 0 ? (last[i] ?? 0) : 0));
      put(COMMA);
      if (isNear) before.set(index, row);
    },
    take() {
      const text = ASCII.decode(bytes.subarray(0, length));
      length = 0;
      return text;
    },
  };
}

/** A row that stands alone: it may be put between any two others. */
export function packAlone(row: readonly number[]): string {
  const packer = createRowPacker();
  packer.add(row);
  return `${ALONE}${packer.take()}`;
}

const ASCII = new TextDecoder();

/** The numbers of all rows one after the other; null for a text that holds none. */
export function unpackRows(text: string): Float64Array | null {
  const count = countNumbers(text);
  if (count === null) return null;
  const numbers = new Float64Array(count);
  /** By index: where the last row begins that others are told by. */
  const before = new Map<number, number>();
  let filled = 0;
  for (let at = 0; at < text.length; ) {
    const isAlone = text.charCodeAt(at) === ALONE_CODE;
    if (isAlone) at += 1;
    const begin = filled;
    let last = -1;
    for (; at < text.length && text.charCodeAt(at) !== COMMA; filled += 1) {
      let digit = VALUE_OF[text.charCodeAt(at++)] as number;
      const isNegative = (digit & 1) === 1;
      let value = (digit & (MORE - 1)) >> 1;
      for (let scale = 16; (digit & MORE) !== 0; scale *= 32) {
        digit = VALUE_OF[text.charCodeAt(at++)] as number;
        value += (digit & (MORE - 1)) * scale;
      }
      if (isNegative) value = -value;
      const place = filled - begin;
      if (place > 0 && last >= 0) value += numbers[last + place] as number;
      if (!Number.isSafeInteger(value)) return null;
      numbers[filled] = value;
      if (place === 0 && !isAlone) last = before.get(value) ?? -1;
    }
    if (filled === begin) return null;
    if (!isAlone) before.set(numbers[begin] as number, begin);
    at += 1;
  }
  return numbers;
}

/** How many numbers the text has; null where it is none of ours. */
function countNumbers(text: string): number | null {
  let count = 0;
  let isOpen = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    const digit = VALUE_OF[code] ?? -1;
    if (digit >= 0) {
      isOpen = digit >= MORE;
      if (!isOpen) count += 1;
    } else if (isOpen) return null;
    else if (code === ALONE_CODE ? at > 0 && text.charCodeAt(at - 1) !== COMMA : code !== COMMA) return null;
  }
  return isOpen ? null : count;
}
