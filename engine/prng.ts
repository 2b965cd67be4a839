/** xoshiro128** (Blackman and Vigna): 32-bit, its state plain data in the machine. */

import { setAt } from "./state.ts";

export type PrngState = [number, number, number, number];

/** Spread a seed over the state with splitmix32, so that seeds 1 and 2 have nothing in common. */
export function seedPrng(seed: number): PrngState {
  let x = seed >>> 0;
  const next = (): number => {
    x = (x + 0x9e3779b9) >>> 0;
    let z = x;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  return [next(), next(), next(), next()];
}

const rotl = (x: number, k: number): number => (x << k) | (x >>> (32 - k));

/** Uniform integer in 0..2^32-1; moves the state. */
export function nextUint32(s: PrngState): number {
  const result = Math.imul(rotl(Math.imul(s[1], 5), 7), 9) >>> 0;
  const [a, b, c, d] = s;
  const mixed = d ^ b;
  setAt(s, 2, c ^ a ^ (b << 9));
  setAt(s, 1, b ^ c ^ a);
  setAt(s, 0, a ^ mixed);
  setAt(s, 3, rotl(mixed, 11));
  return result;
}

/** Uniform integer in 0..n-1, n up to 2^16 (bias below 2^-16: no matter here). */
export const below = (s: PrngState, n: number): number => Math.floor((nextUint32(s) / 0x1_0000_0000) * n);
