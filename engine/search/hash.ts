/**
 * The hash of a state, kept up incrementally (Zobrist): each place of the state contributes a number that depends on the place and on what
 * is there, and the hash is the exclusive-or of them all. Changing one field costs two contributions, whatever the size of the state.
 * Two lanes of 32 bits: numbers of JavaScript that need no allocation.
 */

let low = 0;
let high = 0;

export const hashLow = (): number => low;
export const hashHigh = (): number => high;

/** Puts the hash back to what it was: going back to an earlier state costs no contribution. */
export function setHash(toLow: number, toHigh: number): void {
  low = toLow;
  high = toHigh;
}

/**
 * Adds the contribution of a field that holds `x`, or takes it away again. Nothing (0, false, null, an empty text or list) contributes
 * nothing: most of what a frame holds is that, and a field holds one kind of it.
 */
export function flipField(place: number, x: unknown): void {
  if (!x || (typeof x === "object" && (x as { length?: number }).length === 0)) return;
  flip(place, x);
}

/** Adds the contribution of `x` at `place`, or takes it away again. */
export function flip(place: number, x: unknown): void {
  const n = typeof x === "number" && (x | 0) === x ? x : wordOf(x);
  let a = Math.imul(n ^ Math.imul(place + 1, 0x9e3779b1), 0x85ebca6b);
  a ^= a >>> 15;
  a = Math.imul(a, 0xc2b2ae35);
  low ^= a ^ (a >>> 13);
  let b = Math.imul((n + Math.imul(place + 1, 0x27d4eb2f)) | 0, 0x165667b1);
  b ^= b >>> 16;
  b = Math.imul(b, 0x9e3779b1);
  high ^= b ^ (b >>> 14);
}

/** Numbers of texts: equal texts have equal ones for as long as the process lives. */
const texts = new Map<string, number>();

function numberOf(text: string): number {
  let n = texts.get(text);
  if (n === undefined) {
    n = texts.size + 1;
    texts.set(text, n);
  }
  return n;
}

const double = new Float64Array(1);
const words = new Int32Array(double.buffer);

const blend = (seed: number, n: number): number => Math.imul(((seed << 13) | (seed >>> 19)) ^ n, 0x2c1b3c6d) + 0x1b56c4e9;

/** 32 bits of anything plain. Equal contents give equal words. */
export function wordOf(x: unknown): number {
  switch (typeof x) {
    case "number":
      if ((x | 0) === x) return x;
      double[0] = x;
      return blend(words[0] as number, words[1] as number);
    case "boolean":
      return x ? 1 : 0;
    case "string":
      return blend(0x5bd1e995, numberOf(x));
    case "object":
      return x === null ? 0x7ed55d16 : contentOf(x);
    default:
      return 0x165667b1;
  }
}

/** Words of what values hold: a value is not changed, and most are hashed when a frame comes and when it goes. */
const contents = new WeakMap<object, number>();

function contentOf(x: object): number {
  let word = contents.get(x);
  if (word === undefined) {
    word = 0x2545f491;
    // Names are left out: a place holds one kind of object.
    for (const key in x) word = blend(word, wordOf((x as Record<string, unknown>)[key]));
    if (Array.isArray(x)) word = blend(word, x.length);
    contents.set(x, word);
  }
  return word;
}
