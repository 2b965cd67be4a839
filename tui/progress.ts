/** One line of progress on stderr, for what takes longer than a second; nothing when stderr is no terminal. */

const QUIET_MS = 1000;
const EVERY_MS = 100;
const BAR = 24;

export interface Progress {
  update(text: string, done: number, total: number | null): void;
  /** Take the line away. */
  end(): void;
}

export function startProgress(): Progress {
  const terminal = process.stderr.isTTY === true;
  const began = Date.now();
  let last = 0;
  let shown = false;
  return {
    update(text, done, total): void {
      const now = Date.now();
      if (!terminal || now - began < QUIET_MS || now - last < EVERY_MS) return;
      last = now;
      shown = true;
      process.stderr.write(`\r\u001b[K${bar(done, total)}${text}  ${((now - began) / 1000).toFixed(0)} s  (Ctrl-C ends it)`);
    },
    end(): void {
      if (shown) process.stderr.write("\r\u001b[K");
      shown = false;
    },
  };
}

function bar(done: number, total: number | null): string {
  if (total === null || total <= 0) return "";
  const filled = Math.min(BAR, Math.floor((done / total) * BAR));
  return `${"█".repeat(filled)}${"░".repeat(BAR - filled)} ${Math.floor((100 * Math.min(done, total)) / total)} %  `;
}
