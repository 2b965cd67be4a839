/** A temporary folder for as long as a command works in it; gone however the command ends. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** 128 and the signal's number, as a shell tells it: the handlers of "exit" run, which clean up. */
const HANG_UP = 129;
const QUIT = 131;
const hangUp = (): never => process.exit(HANG_UP);
const quit = (): never => process.exit(QUIT);

export async function inScratch<T>(name: string, work: (dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(path.join(tmpdir(), `eintr-${name}-`));
  const clean = (): void => rmSync(dir, { recursive: true, force: true });
  process.on("exit", clean);
  process.on("SIGHUP", hangUp);
  process.on("SIGQUIT", quit);
  try {
    return await work(dir);
  } finally {
    clean();
    process.off("exit", clean);
    process.off("SIGHUP", hangUp);
    process.off("SIGQUIT", quit);
  }
}
