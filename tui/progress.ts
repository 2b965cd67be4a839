/** One line of progress on stderr, for what takes longer than a second; nothing when stderr is no terminal. */

import { safe } from "./present/safe.ts";

const QUIET_MS = 1000;
const EVERY_MS = 100;
const BAR = 24;
const COLUMNS = 80;
/** To the begin of the line, and clear it: the only codes written past `Io.talk`, which lets none through. */
const CLEAR = "\r\u001b[K";

export interface Progress {
  update(text: string, done: number, total: number | null): void;
  /** Take the line away. */
  end(): void;
}

/** Where the line is drawn: a terminal, as `process.stderr` may be one. */
export interface ProgressLine {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

export function startProgress(line: ProgressLine = process.stderr, now: () => number = Date.now): Progress {
  const began = now();
  let last = 0;
  let shown = false;
  return {
    update(text, done, total): void {
      const at = now();
      if (line.isTTY !== true || at - began < QUIET_MS || at - last < EVERY_MS) return;
      last = at;
      shown = true;
      const words = `${bar(done, total)}${text}  ${((at - began) / 1000).toFixed(0)} s  (Ctrl-C ends it)`;
      // A line that wraps could not be cleared; the last cell stays free, as some terminals wrap there.
      line.write(CLEAR + safe(words, (line.columns ?? COLUMNS) - 1));
    },
    end(): void {
      if (shown) line.write(CLEAR);
      shown = false;
    },
  };
}

function bar(done: number, total: number | null): string {
  if (total === null || total <= 0) return "";
  const filled = Math.min(BAR, Math.floor((done / total) * BAR));
  return `${"█".repeat(filled)}${"░".repeat(BAR - filled)} ${Math.floor((100 * Math.min(done, total)) / total)} %  `;
}
