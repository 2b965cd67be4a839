/**
 * float64 columns hold integers below 2^53; the file holds them as Int64. Both directions go by 32-bit halves,
 * which is three times as fast as BigInt (reference/performance.md, section 1). Little endian, as Arrow is.
 */

const TWO_32 = 4_294_967_296;

/** Write `n` integers as pairs (low, high) into `halves`, whose length is at least 2n. */
export function splitInt64(from: Float64Array, n: number, halves: Int32Array): void {
  for (let i = 0; i < n; i++) {
    const v = from[i] as number;
    const high = Math.floor(v / TWO_32);
    halves[2 * i] = v - high * TWO_32;
    halves[2 * i + 1] = high;
  }
}

/** The inverse. Returns the first row whose integer is 2^53 or more in magnitude (it would lose digits), or -1. */
export function joinInt64(halves: Int32Array, n: number, into: Float64Array): number {
  let bad = -1;
  for (let i = 0; i < n; i++) {
    const high = halves[2 * i + 1] as number;
    into[i] = high * TWO_32 + ((halves[2 * i] as number) >>> 0);
    if (bad < 0 && (high >= 0x20_0000 || high < -0x20_0000)) bad = i;
  }
  return bad;
}
