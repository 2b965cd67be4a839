/** Commands run inside the test, with a terminal that is a string. */

import { runCommandLine } from "../../tui/command-line.ts";

export interface Ran {
  readonly out: string;
  readonly talk: string;
  readonly code: number;
}

export interface Terminal {
  readonly color?: boolean;
  readonly columns?: number | null;
  readonly signal?: AbortSignal;
}

export async function eintr(args: readonly string[], terminal: Terminal = {}): Promise<Ran> {
  let out = "";
  let talk = "";
  const io = {
    out: async (text: string) => void (out += text),
    talk: (text: string) => void (talk += text),
    color: terminal.color === true ? (16 as const) : (0 as const),
    columns: terminal.columns ?? null,
    signal: terminal.signal ?? new AbortController().signal,
    exitCode: 0,
  };
  await runCommandLine(io, args);
  return { out, talk, code: io.exitCode };
}
