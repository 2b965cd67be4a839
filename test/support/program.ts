/** The built program as a process of its own. `npm test` builds it first. */

import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export const PROGRAM = fileURLToPath(new URL("../../dist/eintr.js", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly talk: string;
}

export interface StartOptions {
  readonly cwd?: string;
  /** What stands on stdin, which then stays open; none: stdin is /dev/null. */
  readonly stdin?: string;
  /** False: nobody takes what it writes to stdout. */
  readonly reads?: boolean;
  readonly env?: NodeJS.ProcessEnv;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Longest stdout that is kept. */
const KEPT = 1_000_000;

export function startProgram(args: readonly string[], options: StartOptions = {}): Started {
  const { cwd = ".", stdin = "", reads = true, env } = options;
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd,
    stdio: [stdin === "" ? "ignore" : "pipe", "pipe", "pipe"],
    ...(env === undefined ? {} : { env: { ...process.env, ...env } }),
  });
  let out = "";
  let talk = "";
  if (reads) child.stdout?.on("data", (part: Buffer) => void (out.length < KEPT && (out += part.toString())));
  child.stderr?.on("data", (part: Buffer) => void (talk += part.toString()));
  child.stdin?.on("error", () => {});
  child.stdin?.write(stdin);
  const ended = new Promise<Ended>((resolve) => child.on(reads ? "close" : "exit", (code, signal) => resolve({ code, signal, out, talk })));
  return { child, ended };
}
