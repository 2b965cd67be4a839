/** Calls by place and by what they returned, added up, for the table `call_total`. */

import type { Row } from "../schema/tables.ts";

/** A result below this is no errno. Source: include/linux/err.h, MAX_ERRNO. */
const MOST_ERRNO = 4095;
/** Value of `call_total.error` for calls that never returned. */
const OPEN = 1;
const ERRORS = MOST_ERRNO + 2;

interface Total {
  count: number;
  interrupted: number;
  time: number;
  longest: number;
  longestSeq: number;
}

export interface CallTotals {
  began(site: number): void;
  /** A handler runs inside an open call, for the first time. */
  interrupted(site: number): void;
  /** `interrupted` is 1 where that was told of this call. */
  returned(site: number, seq: number, result: number, duration: number, interrupted: number): void;
  rows(): Generator<Row<"call_total">>;
}

export function createCallTotals(): CallTotals {
  /** By site and error: at most a few a site. */
  const totals = new Map<number, Total>();

  const totalOf = (site: number, error: number): Total => {
    const key = site * ERRORS + error + MOST_ERRNO;
    let total = totals.get(key);
    if (total === undefined) totals.set(key, (total = { count: 0, interrupted: 0, time: 0, longest: 0, longestSeq: -1 }));
    return total;
  };

  return {
    began(site): void {
      totalOf(site, OPEN).count += 1;
    },
    interrupted(site): void {
      totalOf(site, OPEN).interrupted += 1;
    },
    returned(site, seq, result, duration, interrupted): void {
      const open = totalOf(site, OPEN);
      open.count -= 1;
      open.interrupted -= interrupted;
      const total = totalOf(site, result < 0 && result >= -MOST_ERRNO ? result : 0);
      total.count += 1;
      total.interrupted += interrupted;
      total.time += duration;
      if (duration <= total.longest && total.longestSeq >= 0) return;
      total.longest = duration;
      total.longestSeq = seq;
    },
    *rows() {
      for (const [key, { longestSeq, ...total }] of totals) {
        if (total.count === 0) continue;
        const error = (key % ERRORS) - MOST_ERRNO;
        yield { site: Math.floor(key / ERRORS), error, ...total, longest_seq: longestSeq < 0 ? null : longestSeq };
      }
    },
  };
}
