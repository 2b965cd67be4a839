/** Processes that the benchmark starts: what is measured in a fresh one, and the program as a user runs it. */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Setting } from "./bars.ts";

/** A recording takes far less; one that hangs is ended. */
const MOST_MS = 30 * 60_000;

/** Run this benchmark again in a process of its own for one measurement (`bench.ts` has the list). Returns what it printed. */
export function measureAlone(what: string, ...more: readonly string[]): number {
  const { status, stdout, stderr } = spawnSync(process.execPath, [process.argv[1] ?? "", "--alone", what, ...more], {
    encoding: "utf8",
    timeout: MOST_MS,
  });
  if (status !== 0) throw new Error(`measuring ${what} failed: ${stderr}`);
  return Number(stdout);
}

/** The same with no more heap than that: V8 takes what it may have, and gives it back late. Null: it did not do with it. */
export function measureWithin(megabytes: number, what: string, ...more: readonly string[]): number | null {
  const words = [`--max-old-space-size=${megabytes}`, process.argv[1] ?? "", "--alone", what, ...more];
  const { status, stdout } = spawnSync(process.execPath, words, { encoding: "utf8", timeout: MOST_MS });
  return status === 0 ? Number(stdout) : null;
}

export interface Ran {
  readonly ms: number;
  /** Most memory it ever held, kB. */
  readonly peakKilobytes: number;
}

/** Asks the kernel what the process held at most, at its end; it is loaded before the program. */
const TELL_PEAK = `data:text/javascript,import{readFileSync as r,writeFileSync as w}from"node:fs";
process.on("exit",()=>w(process.env.EINTR_BENCH_PEAK,r("/proc/self/status","utf8")))`;

/** Run the program with a command line; its status must be 0. */
export function runProgram({ program, folder }: Setting, ...words: readonly string[]): Ran {
  const status = `${folder}/peak`;
  const began = performance.now();
  const ran = spawnSync(process.execPath, ["--import", TELL_PEAK, program, ...words], {
    encoding: "utf8",
    timeout: MOST_MS,
    env: { ...process.env, EINTR_BENCH_PEAK: status },
  });
  const ms = performance.now() - began;
  if (ran.status !== 0) throw new Error(`eintr ${words.join(" ")} failed: ${ran.stderr}`);
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(status, "utf8"))?.[1];
  if (peak === undefined) throw new Error("/proc/self/status has no VmHWM: this measurement needs Linux");
  return { ms, peakKilobytes: Number(peak) };
}
