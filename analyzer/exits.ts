/** Enclave exits of each thread, so that a finding can say how many lie between its first and its last transition. */

/** Newest exits of a thread that are remembered; a finding that is longer has at least so many. A power of two. */
const KEPT = 4096;

export interface Exits {
  note(thread: number, seq: number): void;
  between(thread: number, first: number, last: number): number;
}

export function createExits(): Exits {
  const threads = new Map<number, { readonly seqs: Float64Array; count: number }>();
  return {
    note(thread, seq) {
      let own = threads.get(thread);
      if (own === undefined) {
        own = { seqs: new Float64Array(KEPT), count: 0 };
        threads.set(thread, own);
      }
      own.seqs[own.count & (KEPT - 1)] = seq;
      own.count += 1;
    },
    between(thread, first, last) {
      const own = threads.get(thread);
      if (own === undefined) return 0;
      let found = 0;
      for (let i = own.count - 1; i >= Math.max(0, own.count - KEPT); i -= 1) {
        const seq = own.seqs[i & (KEPT - 1)] as number;
        if (seq < first) break;
        if (seq <= last) found += 1;
      }
      return found;
    },
  };
}
