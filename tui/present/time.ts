/** Virtual time for people. */

/** How long something took: exact below 10 us. */
export const durationText = (ns: number): string => (ns < 10_000 ? `${ns} ns` : momentText(ns, 1));

/** A place in time; milliseconds have so many digits after the point, seconds one more. */
export const momentText = (ns: number, digits = 3): string =>
  ns < 1e6 ? `${(ns / 1e3).toFixed(1)} us` : ns < 1e9 ? `${(ns / 1e6).toFixed(digits)} ms` : `${(ns / 1e9).toFixed(digits + 1)} s`;
