/** Lays two sequences of numbers side by side (Myers 1986, "An O(ND) difference algorithm"), in bounded memory. */

/** Most edits that one search allows: its memory grows with their square. Sequences that differ more are aligned piece by piece. */
const MOST_EDITS = 1_000;

/**
 * For each of `a` the index of its partner in `b`, -1 where it has none; partners are equal and in order. The longest such list, unless
 * the two differ by more than `MOST_EDITS`: then by the best beginning, again and again.
 */
export function align(a: Int32Array, b: Int32Array): Int32Array {
  const partner = new Int32Array(a.length).fill(-1);
  let begin = 0;
  while (begin < a.length && begin < b.length && a[begin] === b[begin]) partner[begin] = begin++;
  let endA = a.length;
  let endB = b.length;
  while (endA > begin && endB > begin && a[endA - 1] === b[endB - 1]) partner[--endA] = --endB;
  let x = begin;
  let y = begin;
  while (x < endA && y < endB) [x, y] = snake(a, x, endA, b, y, endB, partner);
  return partner;
}

/** Aligns a[x..endA) with b[y..endB) from their beginning, to the end or as far as MOST_EDITS reach. Returns where it stopped. */
function snake(a: Int32Array, x0: number, endA: number, b: Int32Array, y0: number, endB: number, partner: Int32Array): [number, number] {
  const n = endA - x0;
  const m = endB - y0;
  const most = Math.min(n + m, MOST_EDITS);
  const offset = most + 1;
  const reach = new Int32Array(2 * most + 3);
  const history: Int32Array[] = [];
  for (let d = 0; d <= most; d += 1) {
    history.push(reach.slice(offset - d - 1, offset + d + 2));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (reach[offset + k - 1] as number) < (reach[offset + k + 1] as number));
      let x = down ? (reach[offset + k + 1] as number) : (reach[offset + k - 1] as number) + 1;
      let y = x - k;
      while (x < n && y < m && a[x0 + x] === b[y0 + y]) {
        x += 1;
        y += 1;
      }
      reach[offset + k] = x;
      if (x >= n && y >= m) return walkBack(history, d, k, x, x0, y0, partner);
    }
  }
  const [k, x] = furthest(reach, offset, most, n, m);
  return walkBack(history, most, k, x, x0, y0, partner);
}

/** The diagonal whose path has come furthest, and how far. */
function furthest(reach: Int32Array, offset: number, most: number, n: number, m: number): [number, number] {
  let best = most % 2 === 0 ? 0 : 1;
  let bestSum = -1;
  for (let k = -most; k <= most; k += 2) {
    const x = Math.min(reach[offset + k] as number, n);
    const y = x - k;
    if (y < 0 || y > m || x + y <= bestSum) continue;
    bestSum = x + y;
    best = k;
  }
  return [best, Math.min(reach[offset + best] as number, n)];
}

/** Marks the partners on the path that leads to `x` on diagonal `k` with `d` edits. */
function walkBack(
  history: readonly Int32Array[],
  d: number,
  k: number,
  x: number,
  x0: number,
  y0: number,
  partner: Int32Array,
): [number, number] {
  const end: [number, number] = [x0 + x, y0 + x - k];
  for (let left = d; left > 0; left -= 1) {
    const reach = history[left] as Int32Array;
    const at = (diagonal: number): number => reach[diagonal + left + 1] as number;
    const down = k === -left || (k !== left && at(k - 1) < at(k + 1));
    const before = down ? k + 1 : k - 1;
    const from = at(before);
    const start = down ? from : from + 1;
    while (x > start) {
      x -= 1;
      partner[x0 + x] = y0 + x - k;
    }
    x = from;
    k = before;
  }
  while (x > 0) {
    x -= 1;
    partner[x0 + x] = y0 + x - k;
  }
  return end;
}
