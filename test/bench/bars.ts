/** What every section of the benchmark shares: a bar with its answer, and how time is taken. */

export interface Bars {
  /** One line: what was measured, the value with its unit, the bar, and whether it holds. */
  report(what: string, value: string, bar: string, holds: boolean): void;
  /** The same for something that has no bar: only told. */
  tell(what: string, value: string): void;
  /** A line of words, such as why something was left out. */
  say(words: string): void;
  /** Bars that do not hold. */
  readonly missed: number;
}

export function createBars(write: (text: string) => void): Bars {
  let missed = 0;
  const line = (mark: string, what: string, value: string, bar: string): void =>
    write(`${mark.padEnd(5)} ${what.padEnd(68)} ${value.padStart(9)}${bar === "" ? "" : `   bar ${bar}`}\n`);
  return {
    report(what, value, bar, holds) {
      if (!holds) missed += 1;
      line(holds ? "OK" : "MISS", what, value, bar);
    },
    tell: (what, value) => line("", what, value, ""),
    say: (words) => write(`      ${words}\n`),
    get missed() {
      return missed;
    },
  };
}

/** What a section is given. */
export interface Setting {
  readonly bars: Bars;
  /** A folder of its own, removed afterwards. */
  readonly folder: string;
  /** The built program that a user runs. */
  readonly program: string;
  /** So many rows instead of `full`: fewer when the benchmark was asked for smaller sizes. */
  rows(full: number): number;
}

/** Milliseconds. */
export function timed(run: () => void): number {
  const began = performance.now();
  run();
  return performance.now() - began;
}

/** The same of the processor, helpers of the compiler and collector among it: who else is at work on the machine matters less. */
export function timedOnCpu(run: () => void): number {
  const began = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1000;
}

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

export const least = (values: readonly number[]): number => Math.min(...values);

export const times = (ratio: number): string => `${ratio.toFixed(2)} x`;

/** 20,000,000 is "20 M". */
export const millions = (rows: number): string => `${+(rows / 1e6).toFixed(2)} M`;
